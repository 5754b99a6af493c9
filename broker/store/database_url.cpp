#include "broker/store/database_url.h"

#include <algorithm>
#include <string_view>

namespace vivavoce::broker {
namespace {

constexpr std::string_view kSqlite = "sqlite://";
constexpr std::string_view kInMemory = ":memory:";

core::Unexpected<core::Error> refuse(const char* why)
{
    return core::fail(core::ErrorCode::BadConfiguration, std::string("database.url ") + why);
}

} // namespace

core::Expected<DatabaseAddress, core::Error> parseDatabaseUrl(const core::Secret& url)
{
    const std::string_view text = url.reveal();
    const bool isPlain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    if (!isPlain) {
        return refuse("holds characters that do not belong there");
    }
    if (text.starts_with(kSqlite)) {
        const std::string_view path = text.substr(kSqlite.size());
        if (path == kInMemory) {
            return DatabaseAddress{Database::Kind::Sqlite, core::Secret(path)};
        }
        // SOCI reads blanks and equals signs as options of its own.
        if (path.empty() || path.ends_with('/') || path.find_first_of(" ='\"?") != std::string_view::npos) {
            return refuse(
                "needs a file's path without blanks, quotes, = and ?, such as sqlite:///var/lib/vivavoce/broker.db");
        }
        return DatabaseAddress{Database::Kind::Sqlite, core::Secret(path)};
    }
    if (text.starts_with("postgresql://") || text.starts_with("postgres://")) {
        return DatabaseAddress{Database::Kind::PostgreSql, url.clone()};
    }
    return refuse("has to begin with sqlite:// or postgresql://");
}

} // namespace vivavoce::broker
