#include "net/http_message.h"

#include "net/internal/boost.h"

#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse_query.hpp>

namespace vivavoce::net {

std::string queryParameter(std::string_view query, std::string_view name)
{
    // As forms, URLSearchParams and most libraries write it (application/x-www-form-urlencoded): a plus is a space, and one that is meant is %2B.
    std::string spaced;
    for (const char c : query) {
        spaced += c == '+' ? std::string_view("%20") : std::string_view(&c, 1);
    }
    const auto parsed = boost::urls::parse_query(boost::core::string_view(spaced.data(), spaced.size()));
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
