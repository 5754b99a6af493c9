#include "broker/store/connection.h"
#include "tests/broker/operator_world.h"
#include "tests/broker/postgres_server.h"
#include "tests/broker/usage_filler.h"

#include <QCoreApplication>
#include <QTemporaryDir>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

// GET /api/voice/usage over many sessions, as clients ask for it: through HTTP, of the real broker.

using namespace vivavoce;
using tests::UsageFiller;

namespace {

constexpr std::int64_t kUsers = 5'000;
constexpr std::int64_t kProjects = 200;
constexpr int kTimes = 9;
/// What an answer may take.
constexpr double kLimitMs = 200;

using Clock = std::chrono::steady_clock;

double msSince(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// One line of the table. False: an answer took too long, or there was none.
bool measure(tests::OperatorWorld& world, const std::string& token, const std::string& whose, const std::string& path)
{
    std::vector<double> took;
    std::size_t bytes = 0;
    for (int i = 0; i < kTimes; ++i) {
        const auto begin = Clock::now();
        const auto answer = world.as(token, "GET", path);
        took.push_back(msSince(begin));
        bytes = answer.body.size();
        if (answer.status != 200) {
            std::printf("%s: %u %s\n", path.c_str(), answer.status, answer.body.c_str());
            return false;
        }
    }
    std::sort(took.begin(), took.end());
    std::printf("  %-28s %-58s %8.1f %8.1f %8zu\n", whose.c_str(),
        path.substr(std::string("/api/voice/usage").size()).c_str(), took[took.size() / 2], took.back(), bytes);
    return took.back() <= kLimitMs;
}

bool measureAll(const std::string& name, const std::string& url, std::int64_t sessions)
{
    {
        UsageFiller filler(url);
        UsageFiller::Wanted wanted;
        wanted.sessions = sessions;
        wanted.days = 399;
        wanted.users = kUsers;
        wanted.projects = kProjects;
        auto begin = Clock::now();
        long long before = 0;
        filler.run([&](broker::Connection& sql) { sql << "SELECT COUNT(*) FROM usage_sessions", soci::into(before); });
        if (before == 0) {
            filler.fill(wanted);
        }
        const double filled = msSince(begin);
        begin = Clock::now();
        const int steps = filler.closeDays(core::WallTime(std::chrono::seconds(1'800'000'000)));
        const double closed = msSince(begin);
        long long days = 0;
        long long sums = 0;
        filler.run([&](broker::Connection& sql) {
            sql << "SELECT COUNT(*) FROM usage_days", soci::into(days);
            sql << "SELECT COUNT(*) FROM usage_sums", soci::into(sums);
        });
        std::printf("%s: %lld sessions in %.1f s, %lld rows of days; %lld sums of them in %d steps, %.1f s\n",
            name.c_str(), static_cast<long long>(sessions), filled / 1'000, days, sums, steps, closed / 1'000);
    }
    tests::OperatorWorld world([&](broker::Config& config) {
        config.databaseUrl = core::Secret(url);
        config.othersPerMinute = 1'000'000;
    });
    // The one whose key the sessions of the database have is of another issuer: who asks for them is told by an admin's `user`, and a
    // user's own report goes the same way.
    const std::string user = "user=" + UsageFiller::userNamed(7);
    const std::string project = "project=" + UsageFiller::projectNamed(7);
    const std::string year = "from=2025-12-13";
    const std::string month = "from=2026-12-17";
    bool isWell = true;
    std::printf("  %-28s %-58s %8s %8s %8s\n", "", "", "p50 ms", "worst", "bytes");
    for (const char* by : {"day", "project", "user", "provider", "model"}) {
        const std::string path = std::string("/api/voice/usage?by=") + by;
        isWell &= measure(world, world.admin(), "all, 400 days", path + "&" + year);
        isWell &= measure(world, world.admin(), "all, 400 days", path + "&" + year + "&format=csv");
        isWell &= measure(world, world.admin(), "all, 30 days", path + "&" + month);
        isWell &= measure(world, world.admin(), "one project", path + "&" + year + "&" + project);
        isWell &= measure(world, world.admin(), "one user", path + "&" + year + "&" + user);
        isWell &= measure(world, world.user(), "somebody new", path + "&" + year);
    }
    std::printf("  %s\n", isWell ? "every answer within 200 ms" : "NOT every answer within 200 ms");
    return isWell;
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication application(argc, argv);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const QStringList arguments = QCoreApplication::arguments();
    const auto at = arguments.indexOf(QStringLiteral("--sessions"));
    const std::int64_t sessions = at > 0 ? arguments.value(at + 1).toLongLong() : 1'000'000;
    if (const auto url = arguments.indexOf(QStringLiteral("--url")); url > 0) {
        return measureAll("That database", arguments.value(url + 1).toStdString(), sessions) ? 0 : 1;
    }
    const QTemporaryDir folder;
    bool isWell =
        measureAll("SQLite", "sqlite://" + folder.filePath(QStringLiteral("broker.db")).toStdString(), sessions);
    if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
        std::printf("PostgreSQL: NOT MEASURED: %s\n", qPrintable(missing));
        return 1;
    }
    tests::PostgresServer server;
    isWell &= server.start() && measureAll("PostgreSQL", server.url(), sessions);
    return isWell ? 0 : 1;
}
