#include "net/router.h"

#include <algorithm>

namespace vivavoce::net {

namespace {

/// A path that ends with a name in braces stands for any one segment in its place.
bool matches(std::string_view route, std::string_view path)
{
    const std::size_t brace = route.find('{');
    if (brace == std::string_view::npos) {
        return route == path;
    }
    const std::string_view rest = path.substr(std::min(brace, path.size()));
    return path.starts_with(route.substr(0, brace)) && !rest.empty() && rest.find('/') == std::string_view::npos;
}

} // namespace

void Router::add(std::string method, std::string path, HttpHandler handler)
{
    m_routes.push_back({std::move(method), std::move(path), std::move(handler)});
}

void Router::addWebSocket(std::string path, UpgradeHandler handler)
{
    m_webSocketRoutes.push_back({std::move(path), std::move(handler)});
}

void Router::onUnrouted(Unrouted make)
{
    m_unrouted = std::move(make);
}

void Router::onResponse(std::function<void(const HttpRequest&, HttpResponse&)> finish)
{
    m_finish = std::move(finish);
}

const HttpHandler* Router::find(std::string_view method, std::string_view path) const
{
    const auto found = std::find_if(m_routes.begin(), m_routes.end(),
        [&](const Route& route) { return route.method == method && matches(route.path, path); });
    return found == m_routes.end() ? nullptr : &found->handler;
}

const UpgradeHandler* Router::findWebSocket(std::string_view path) const
{
    const auto found = std::find_if(m_webSocketRoutes.begin(), m_webSocketRoutes.end(),
        [&](const WebSocketRoute& route) { return route.path == path; });
    return found == m_webSocketRoutes.end() ? nullptr : &found->handler;
}

std::string Router::allowedMethods(std::string_view path) const
{
    std::string methods;
    const auto allow = [&](std::string_view method) {
        if (methods.find(method) == std::string::npos) {
            methods += (methods.empty() ? "" : ", ") + std::string(method);
        }
    };
    for (const Route& route : m_routes) {
        if (matches(route.path, path)) {
            allow(route.method);
        }
    }
    if (findWebSocket(path) != nullptr) {
        allow("GET");
    }
    return methods;
}

HttpResponse Router::unrouted(const HttpRequest& request, unsigned status) const
{
    if (m_unrouted) {
        return m_unrouted(request, status);
    }
    HttpResponse response;
    response.status = status;
    return response;
}

void Router::finish(const HttpRequest& request, HttpResponse& response) const
{
    if (m_finish) {
        m_finish(request, response);
    }
}

} // namespace vivavoce::net
