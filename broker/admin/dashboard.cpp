#include "broker/admin/dashboard.h"

#include "broker/admin/page_query.h"
#include "broker/http/problem_response.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"
#include "net/timer.h"

#include <nlohmann/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

namespace asio = boost::asio;
using core::Json;
using core::Unexpected;
using http::problemResponse;
using usage::Measure;

/// How often it is looked whether there are news.
constexpr core::Milliseconds kLookEvery{1'000};
/// Something comes at least this often, so that whatever is between knows that it lives.
constexpr core::Milliseconds kHeartbeat{15'000};
/// Then whoever listens comes again, and shows that they still may.
constexpr core::Milliseconds kLongestListening{300'000};
constexpr int kMostListeners = 32;
constexpr int kMostListenersOfOne = 8;
/// Each project's is a query of its own, all of them on one connection.
constexpr std::size_t kMostBudgets = 100;

net::HttpResponse done(const Json& body)
{
    return net::HttpResponse::json(200, core::writeJson(body));
}

double minutes(std::int64_t millis)
{
    return static_cast<double>(millis) / 60'000;
}

double dollars(std::int64_t nano)
{
    return static_cast<double>(nano) / 1e9;
}

Json sessionJson(const usage::LiveUsage& live)
{
    Json session{{"sessionId", live.sessionId}, {"transport", live.transport}, {"user", live.caller},
        {"issuer", live.issuer}, {"subject", live.subject}, {"provider", live.provider}, {"model", live.model},
        {"startedAt", core::formatRfc3339(live.startedAt)}, {"expiresAt", core::formatRfc3339(live.expiresAt)},
        {"minutes", minutes(live.amounts[Measure::ConnectedMs])}, {"cost", dollars(live.amounts[Measure::NanoDollars])},
        {"turns", live.amounts[Measure::Turns]}, {"toolCalls", live.amounts[Measure::ToolCalls]},
        {"unpricedTurns", live.amounts[Measure::Unpriced]}, {"tokens", usage::tokensJson(live.amounts)}};
    if (!live.project.empty()) {
        session["projectId"] = live.project;
    }
    return session;
}

Json periodJson(const Budget& budget, std::int64_t nano, std::int64_t millis)
{
    Json period{{"spentDollars", dollars(nano)}, {"spentMinutes", minutes(millis)}};
    if (budget.nanoDollars) {
        period["budgetDollars"] = dollars(*budget.nanoDollars);
        period["leftDollars"] = dollars(std::max<std::int64_t>(*budget.nanoDollars - nano, 0));
    }
    if (budget.connected) {
        period["budgetMinutes"] = minutes(budget.connected->count());
        period["leftMinutes"] = minutes(std::max<std::int64_t>(budget.connected->count() - millis, 0));
    }
    return period;
}

Json budgetJson(const Budget& day, const Budget& month, const usage::Spent& spent)
{
    return {{"day", periodJson(day, spent.dayNanoDollars, spent.dayMs)},
        {"month", periodJson(month, spent.monthNanoDollars, spent.monthMs)}};
}

/// {"issuer", "client_id", "token", "scope", "resource"}: how to sign in there.
Json placeOf(const auth::IssuerSettings& issuer)
{
    Json place{{"issuer", issuer.url}, {"clientId", issuer.dashboardClientId},
        {"token", issuer.tokens == auth::IssuerSettings::Tokens::IdToken ? "id" : "access"}};
    // Where a claim makes admins, the issuer may know nothing of the scope.
    const bool isScopeNeeded = issuer.adminPointer.empty()
        && std::find(issuer.grants.begin(), issuer.grants.end(), auth::scope::kAdmin) == issuer.grants.end();
    place["scope"] = isScopeNeeded ? "openid " + std::string(auth::scope::kAdmin) : "openid";
    // RFC 8707 wants an absolute URI; an audience that is a mere name the issuer has to know by itself.
    const auto audience = std::find_if(issuer.audiences.begin(), issuer.audiences.end(),
        [](const std::string& text) { return text.find("://") != std::string::npos; });
    if (audience != issuer.audiences.end()) {
        place["resource"] = *audience;
    }
    return place;
}

} // namespace

/// Threads: one mutex, held for a count.
struct Dashboard::Listeners {
    std::mutex mutex;
    int all = 0;
    std::map<std::string, int> byCaller;

    void leave(const std::string& caller)
    {
        const std::lock_guard lock(mutex);
        --all;
        if (const auto found = byCaller.find(caller); --found->second == 0) {
            byCaller.erase(found);
        }
    }
};

Dashboard::Dashboard(Dependencies dependencies, Overview::Dependencies overview)
    : m_deps(std::move(dependencies)),
      m_pages(m_deps.authenticator.issuers()),
      m_overview(std::move(overview)),
      m_book(m_deps.database, m_deps.clock),
      m_listeners(std::make_shared<Listeners>())
{
}

std::vector<Dashboard::Route> Dashboard::routes()
{
    return {
        {"GET", "/admin", &Dashboard::index},
        {"GET", "/admin/", &Dashboard::withSlash},
        {"GET", "/admin/{file}", &Dashboard::file},
        {"GET", "/api/admin/sign-in", &Dashboard::signIn},
        {"GET", "/api/admin/overview", &Dashboard::overview},
        {"GET", "/api/admin/events", &Dashboard::events},
        {"GET", "/api/admin/sessions", &Dashboard::sessions},
        {"GET", "/api/admin/budgets", &Dashboard::budgets},
    };
}

net::Awaitable<net::HttpResponse> Dashboard::index(const net::HttpRequest& request)
{
    auto response = co_await m_pages.index(request);
    co_return response;
}

net::Awaitable<net::HttpResponse> Dashboard::withSlash(const net::HttpRequest& request)
{
    auto response = co_await m_pages.withSlash(request);
    co_return response;
}

net::Awaitable<net::HttpResponse> Dashboard::file(const net::HttpRequest& request)
{
    auto response = co_await m_pages.file(request);
    co_return response;
}

net::Awaitable<net::HttpResponse> Dashboard::signIn(const net::HttpRequest&)
{
    Json places = Json::array();
    for (const auto& issuer : m_deps.authenticator.issuers()) {
        if (!issuer->settings().dashboardClientId.empty()) {
            places.push_back(placeOf(issuer->settings()));
        }
    }
    co_return done({{"issuers", std::move(places)}});
}

net::Awaitable<net::HttpResponse> Dashboard::overview(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const Json now = co_await m_overview.look();
    co_return done(now);
}

core::Expected<Dashboard::Seat, Fault> Dashboard::takeSeat(const std::string& caller)
{
    const std::lock_guard lock(m_listeners->mutex);
    const auto own = m_listeners->byCaller.find(caller);
    if (own != m_listeners->byCaller.end() && own->second >= kMostListenersOfOne) {
        return Unexpected<Fault>(Fault{FaultCode::RateLimited,
            "these credentials listen to the events " + std::to_string(kMostListenersOfOne)
                + " times already: close one of these pages",
            std::chrono::seconds(10)});
    }
    if (m_listeners->all >= kMostListeners) {
        return Unexpected<Fault>(
            Fault{FaultCode::Unavailable, "as many listen to the events as may", std::chrono::seconds(10)});
    }
    ++m_listeners->all;
    ++m_listeners->byCaller[caller];
    return Seat(nullptr, [listeners = m_listeners, caller](void*) { listeners->leave(caller); });
}

net::Awaitable<net::HttpResponse> Dashboard::events(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    auto seat = takeSeat(guest->client.caller.key());
    if (!seat) {
        co_return problemResponse(seat.error());
    }
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/event-stream");
    // Or nginx keeps them until there are many.
    response.headers.set("X-Accel-Buffering", "no");
    response.stream = [self = shared_from_this(), seat = std::move(*seat), until = guest->client.caller.expiresAt](
                          net::BodyWriter& body) { return self->tell(body, until); };
    co_return response;
}

net::Awaitable<> Dashboard::tell(net::BodyWriter& body, std::optional<core::WallTime> until)
{
    net::Timer timer(co_await asio::this_coro::executor);
    const core::MonotonicTime since = m_deps.clock.now();
    core::MonotonicTime toldAt = since;
    std::string told;
    const auto may = [&] {
        return m_deps.clock.now() - since < kLongestListening && (!until || m_deps.clock.wallNow() < *until);
    };
    while (m_deps.isReady() && may()) {
        const Json now = co_await m_overview.look();
        std::string news = Overview::news(now);
        std::string part;
        if (news != told) {
            part = "event: overview\ndata: " + core::writeJson(now) + "\n\n";
            told = std::move(news);
        } else if (m_deps.clock.now() - toldAt >= kHeartbeat) {
            part = ": \n\n";
        }
        if (!part.empty()) {
            toldAt = m_deps.clock.now();
            // Taken before anything else is made: whoever reads slowly gets the newest then, and nothing piles up.
            const bool isRead = co_await body.write(std::move(part));
            if (!isRead) {
                co_return;
            }
        }
        timer.expires_after(kLookEvery);
        const auto [error] = co_await timer.async_wait(net::asTuple);
        if (error) {
            co_return;
        }
    }
}

net::Awaitable<net::HttpResponse> Dashboard::sessions(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto page = PageQuery::read(request.query, {"before", "user", "project"});
    if (!page) {
        co_return problemResponse(page.error());
    }
    usage::LiveQuery query{page->text("user"), page->text("project"), page->text("before"), page->limit()};
    const auto live = co_await m_book.live(std::move(query));
    if (!live) {
        co_return problemResponse(live.error());
    }
    Json list = Json::array();
    std::transform(live->begin(), live->end(), std::back_inserter(list), sessionJson);
    Json body{{"sessions", std::move(list)}};
    if (live->size() == page->limit()) {
        body["next"] = live->back().sessionId;
    }
    co_return done(body);
}

net::Awaitable<Dashboard::BudgetPage> Dashboard::projectBudgets(std::string after, std::size_t most)
{
    // What each of them says itself, where that is kept here; elsewhere those that have spent something are known.
    std::map<std::string, Policy> policies;
    std::map<std::string, usage::Spent> spent;
    std::vector<std::string> names;
    if (m_deps.table != nullptr) {
        auto listed = co_await m_deps.table->list(after);
        if (!listed) {
            co_return Unexpected<Fault>(listed.error());
        }
        listed->resize(std::min(listed->size(), most));
        for (TableProjects::Project& project : *listed) {
            names.push_back(project.id);
            policies.emplace(project.id, std::move(project.policy));
        }
    }
    auto found = m_deps.table != nullptr ? m_book.ofThese(names) : m_book.ofProjects(std::move(after), most);
    const auto all = co_await std::move(found);
    if (!all) {
        co_return Unexpected<Fault>(all.error());
    }
    for (const usage::Spent& one : *all) {
        spent.emplace(one.who, one);
        if (m_deps.table == nullptr) {
            names.push_back(one.who);
        }
    }
    Json list = Json::array();
    for (const std::string& name : names) {
        const Budgets budgets = m_deps.policies.of({}, {}, name, policies[name]).budgets;
        Json one = budgetJson(budgets.projectDay, budgets.projectMonth, spent[name]);
        one["project"] = name;
        list.push_back(std::move(one));
    }
    Json page{{"by", "project"}, {"budgets", std::move(list)}};
    if (names.size() == most) {
        page["next"] = names.back();
    }
    co_return page;
}

net::Awaitable<core::Expected<Dashboard::Places, Fault>> Dashboard::placesOf(std::vector<std::string> users)
{
    if (m_deps.table != nullptr) {
        auto memberships = co_await m_deps.table->ofMembers(std::move(users));
        co_return memberships;
    }
    const auto used = co_await m_book.projectsOf(std::move(users));
    if (!used) {
        co_return Unexpected<Fault>(used.error());
    }
    Places places;
    for (const auto& [user, projects] : *used) {
        for (const std::string& project : projects) {
            places[user].emplace(project, Policy());
        }
    }
    co_return places;
}

net::Awaitable<Dashboard::BudgetPage> Dashboard::userBudgets(std::string after, std::size_t most)
{
    const auto all = co_await m_book.ofCallers(std::move(after), most);
    if (!all) {
        co_return Unexpected<Fault>(all.error());
    }
    std::vector<std::string> users;
    for (const usage::Spent& spent : *all) {
        users.push_back(spent.who);
    }
    auto places = co_await placesOf(std::move(users));
    if (!places) {
        co_return Unexpected<Fault>(places.error());
    }
    Json list = Json::array();
    for (const usage::Spent& spent : *all) {
        const Budgets budgets = m_deps.policies.of(spent.issuer, spent.subject, {}).budgets;
        Json one = budgetJson(budgets.userDay, budgets.userMonth, spent);
        one["user"] = spent.who;
        one["issuer"] = spent.issuer;
        one["subject"] = spent.subject;
        // What a project bounds is all that they spend, wherever that is.
        for (const auto& [project, policy] : (*places)[spent.who]) {
            const Budgets there = m_deps.policies.of(spent.issuer, spent.subject, project, policy).budgets;
            if (there.userDay == budgets.userDay && there.userMonth == budgets.userMonth) {
                continue;
            }
            Json within = budgetJson(there.userDay, there.userMonth, spent);
            within["project"] = project;
            one["projects"].push_back(std::move(within));
        }
        list.push_back(std::move(one));
    }
    Json page{{"by", "user"}, {"budgets", std::move(list)}};
    if (all->size() == most) {
        page["next"] = all->back().who;
    }
    co_return page;
}

net::Awaitable<net::HttpResponse> Dashboard::budgets(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    const auto page = PageQuery::read(request.query, {"after", "by"}, kMostBudgets);
    if (!page) {
        co_return problemResponse(page.error());
    }
    const std::string by = page->text("by").value_or("project");
    if (by != "project" && by != "user") {
        co_return problemResponse({FaultCode::BadRequest, "by has to be project or user", std::nullopt});
    }
    const std::string after = page->text("after").value_or("");
    auto asked = by == "user" ? userBudgets(after, page->limit()) : projectBudgets(after, page->limit());
    const auto found = co_await std::move(asked);
    if (!found) {
        co_return problemResponse(found.error());
    }
    co_return done(*found);
}

} // namespace vivavoce::broker::admin
