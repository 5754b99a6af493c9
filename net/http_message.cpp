#include "net/http_message.h"

#include "net/internal/boost.h"

#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse_query.hpp>

namespace vivavoce::net {

std::string queryParameter(std::string_view query, std::string_view name)
{
    const auto parsed = boost::urls::parse_query(boost::core::string_view(query.data(), query.size()));
    if (!parsed) {
        return {};
    }
    for (const auto& parameter : *parsed) {
        if (parameter.key.decode() == name) {
            return parameter.has_value ? parameter.value.decode() : std::string();
        }
    }
    return {};
}

HttpResponse HttpResponse::json(unsigned status, std::string body)
{
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    response.headers.set("Content-Type", "application/json; charset=utf-8");
    return response;
}

} // namespace vivavoce::net
