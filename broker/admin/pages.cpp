#include "broker/admin/pages.h"

#include "broker/http/problem_response.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

constexpr std::string_view kIndex = "index.html";
constexpr std::string_view kFolder = "/admin/";

std::string_view contentTypeOf(std::string_view name)
{
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{
        {{".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
            {".js", "text/javascript; charset=utf-8"}, {".svg", "image/svg+xml"}}};
    const auto* const type =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& one) { return name.ends_with(one.first); });
    return type == kTypes.end() ? "application/octet-stream" : type->second;
}

/// RFC 9110 §13.1.2; a proxy that compresses makes a weak one of ours.
bool isKnown(const net::HttpRequest& request, const std::string& tag)
{
    const auto known = request.headers.find("If-None-Match");
    return known && (*known == "*" || known->find(tag) != std::string_view::npos);
}

net::HttpResponse answerOf(const net::HttpRequest& request, std::string_view name)
{
    const auto& files = pageFiles();
    const auto file = std::find_if(files.begin(), files.end(), [&](const PageFile& one) { return one.name == name; });
    if (file == files.end()) {
        return http::problemResponse({FaultCode::NotFound, {}, std::nullopt});
    }
    const std::string tag = '"' + std::string(file->hash) + '"';
    net::HttpResponse response;
    response.headers.set("Content-Type", std::string(contentTypeOf(name)));
    response.headers.set("ETag", tag);
    constexpr unsigned kNotModified = 304;
    response.status = isKnown(request, tag) ? kNotModified : 200;
    if (response.status == 200) {
        response.body = file->text;
    }
    return response;
}

/// "https://id.example:8443" of an address there.
std::string originOf(const std::string& url)
{
    const std::size_t host = url.find("://");
    return host == std::string::npos ? std::string()
                                     : url.substr(0, url.find('/', host + std::string_view("://").size()));
}

} // namespace

Pages::Pages(const std::vector<std::shared_ptr<auth::Issuer>>& issuers)
{
    std::string reachable = "'self'";
    for (const auto& issuer : issuers) {
        if (!issuer->settings().dashboardClientId.empty()) {
            reachable += ' ' + originOf(issuer->settings().url);
        }
    }
    m_policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src " + reachable
        + "; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'";
}

net::Awaitable<net::HttpResponse> Pages::index(const net::HttpRequest& request)
{
    co_return answerOf(request, kIndex);
}

net::Awaitable<net::HttpResponse> Pages::file(const net::HttpRequest& request)
{
    co_return answerOf(request, std::string_view(request.path).substr(kFolder.size()));
}

net::Awaitable<net::HttpResponse> Pages::withSlash(const net::HttpRequest&)
{
    net::HttpResponse response;
    constexpr unsigned kPermanentRedirect = 308;
    response.status = kPermanentRedirect;
    response.headers.set("Location", "../admin");
    co_return response;
}

void Pages::addTo(const net::HttpRequest& request, net::HttpResponse& response) const
{
    const bool isPage = request.path == "/admin" || request.path.starts_with(kFolder);
    if (!isPage || !response.headers.find("ETag")) {
        return;
    }
    response.headers.set("Content-Security-Policy", m_policy);
    // Kept, and asked about each time: a newer program has other files.
    response.headers.set("Cache-Control", "no-cache");
}

} // namespace vivavoce::broker::admin
