#include "broker/store/reach_database.h"

#include "broker/store/internal/sql_connection.h"

#include <soci/soci.h>

namespace vivavoce::broker {

core::Expected<void, DatabaseDown> reachDatabase(const core::Secret& url, core::Milliseconds patience)
{
    const auto address = parseDatabaseUrl(url);
    if (!address || address->kind == Database::Kind::Sqlite) {
        return {};
    }
    try {
        static_cast<void>(connectTo(*address, patience));
        return {};
    } catch (const std::exception& error) {
        return core::Unexpected<DatabaseDown>(DatabaseDown{reasonOf(error)});
    }
}

} // namespace vivavoce::broker
