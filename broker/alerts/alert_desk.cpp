#include "broker/alerts/alert_desk.h"

#include "broker/alerts/budget_alerts.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

constexpr core::Milliseconds kFirstPause{1'000};
constexpr core::Milliseconds kLongestPause{900'000};
constexpr std::chrono::hours kGivenUpAfter{24};
/// In one turn: the others have theirs in a second.
constexpr std::size_t kSpendersAtOnce = 200;
constexpr std::size_t kRaisedAtOnce = 100;
constexpr const char* kProvider = "provider ";
constexpr const char* kAudit = "audit ";
constexpr const char* kErrors = "errors ";

} // namespace

struct AlertDesk::Configured {
    AlertSettings settings;
    std::map<std::string, std::shared_ptr<AlertChannel>> channels;
    std::map<std::string, std::string> kinds;
};

AlertDesk::AlertDesk(AlertSettings settings, Dependencies dependencies) : m_deps(std::move(dependencies))
{
    reconfigure(std::move(settings));
}

void AlertDesk::reconfigure(AlertSettings settings)
{
    auto configured = std::make_shared<Configured>();
    for (const ChannelSettings& channel : settings.channels) {
        configured->channels[channel.name] = makeChannel(channel, {m_deps.fetch, m_deps.clock});
        configured->kinds[channel.name] = textOf(channel.kind);
    }
    configured->settings = std::move(settings);
    // The former channels, which may wait for a thread of theirs, go when nobody waits for the lock.
    std::shared_ptr<const Configured> former = std::move(configured);
    const std::lock_guard lock(m_mutex);
    m_configured.swap(former);
}

std::shared_ptr<const AlertDesk::Configured> AlertDesk::configured() const
{
    const std::lock_guard lock(m_mutex);
    return m_configured;
}

bool AlertDesk::hasChannels() const
{
    return !configured()->channels.empty();
}

std::size_t AlertDesk::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_raised.size();
}

void AlertDesk::raise(AlertKind kind, Severity severity, std::string title, const core::Json& data, std::string mark)
{
    if (!m_isStarted && !hasChannels()) {
        return;
    }
    Draft draft;
    draft.alert.kind = kind;
    draft.alert.severity = severity;
    draft.alert.title = std::move(title);
    draft.alert.data = core::writeJson(data);
    draft.marks.push_back(std::move(mark));
    std::size_t dropped = 0;
    {
        const std::lock_guard lock(m_mutex);
        m_raised.push_back(std::move(draft));
        dropped = dropBeyondBound();
    }
    tellDropped(dropped);
}

std::size_t AlertDesk::dropBeyondBound()
{
    std::size_t dropped = 0;
    for (; m_raised.size() > kMostWaiting; ++dropped) {
        m_raised.pop_front();
    }
    return dropped;
}

void AlertDesk::tellDropped(std::size_t count)
{
    if (count > 0) {
        m_deps.log.write(LogLevel::Error, "alert.dropped", {{"count", count}, {"waiting", kMostWaiting}});
    }
}

Draft AlertDesk::addressed(Draft draft) const
{
    draft.alert.broker = m_deps.broker;
    draft.channels.clear();
    // Held: a reload may replace it meanwhile.
    const auto configured = this->configured();
    for (const ChannelSettings& channel : configured->settings.channels) {
        if (channel.wants(draft.alert.kind)) {
            draft.channels.push_back(channel.name);
        }
    }
    return draft;
}

void AlertDesk::start(net::IoExecutor executor)
{
    m_isStarted = true;
    m_executor = executor;
    m_tasks = std::make_unique<net::TaskGroup>(executor);
}

net::Awaitable<> AlertDesk::turn(Observed observed)
{
    co_await lookAtStates(std::move(observed));
    co_await lookAtBudgets();
    const bool isWritten = co_await writeRaised();
    static_cast<void>(isWritten);
    const std::int64_t today = std::chrono::floor<std::chrono::days>(m_deps.clock.wallNow()).time_since_epoch().count();
    const auto configured = this->configured();
    if (std::exchange(m_forgotOn, today) != today) {
        m_deps.book.forget(configured->settings.kept);
    }
    for (const auto& [name, channel] : configured->channels) {
        if (m_tasks != nullptr && m_busy->insert(name).second && !m_tasks->spawn(*m_executor, deliver(name))) {
            m_busy->erase(name);
        }
    }
}

net::Awaitable<bool> AlertDesk::write(std::vector<Draft> drafts)
{
    std::vector<Draft> addressedOnes;
    addressedOnes.reserve(drafts.size());
    for (Draft& draft : drafts) {
        addressedOnes.push_back(addressed(std::move(draft)));
    }
    const auto added = co_await m_deps.book.add(std::move(addressedOnes));
    if (!added) {
        co_return false;
    }
    for (const Alert& alert : *added) {
        m_deps.metrics.alertRaised(textOf(alert.kind));
        m_deps.log.write(LogLevel::Warning, "alert.raised",
            {{"id", alert.id}, {"kind", textOf(alert.kind)}, {"severity", textOf(alert.severity)}});
    }
    co_return true;
}

net::Awaitable<bool> AlertDesk::writeRaised()
{
    std::vector<Draft> some;
    {
        const std::lock_guard lock(m_mutex);
        while (!m_raised.empty() && some.size() < kRaisedAtOnce) {
            some.push_back(std::move(m_raised.front()));
            m_raised.pop_front();
        }
    }
    if (some.empty()) {
        co_return false;
    }
    const bool isWritten = co_await write(some);
    std::size_t dropped = 0;
    if (!isWritten) {
        const std::lock_guard lock(m_mutex);
        m_raised.insert(m_raised.begin(), some.begin(), some.end());
        dropped = dropBeyondBound();
    }
    tellDropped(dropped);
    co_return isWritten;
}

net::Awaitable<> AlertDesk::lookAtStates(Observed observed)
{
    const auto configured = this->configured();
    const AlertSettings& settings = configured->settings;
    const auto now = m_deps.clock.now();
    std::map<std::string, Draft> drafts;
    const auto draftFor = [&](const std::string& subject, bool isFine) {
        Draft draft;
        draft.subject = subject;
        draft.isFine = isFine;
        Alert& alert = draft.alert;
        alert.severity = isFine ? Severity::Info : Severity::Critical;
        core::Json data = core::Json::object();
        if (subject.starts_with(kProvider)) {
            const std::string name = subject.substr(std::string_view(kProvider).size());
            alert.kind = isFine ? AlertKind::ProviderUp : AlertKind::ProviderDown;
            alert.title = "Provider " + name + (isFine ? " answers again" : " is down: no session of its can begin");
            data["provider"] = name;
        } else if (subject.starts_with(kAudit)) {
            alert.kind = isFine ? AlertKind::AuditRecovered : AlertKind::AuditFailing;
            alert.title = isFine ? "The audit is written again" : "The audit cannot be written: nothing is minted";
        } else {
            alert.kind = isFine ? AlertKind::ErrorsNormal : AlertKind::ErrorsHigh;
            alert.title = std::to_string(m_errors.failures()) + " of " + std::to_string(m_errors.answers())
                + " answers in " + std::to_string(settings.errorWindow.count())
                + " minutes were faults of the broker's";
            data["answers"] = m_errors.answers();
            data["failures"] = m_errors.failures();
        }
        alert.data = core::writeJson(data);
        return draft;
    };
    for (const auto& [name, isFine] : observed.providers) {
        m_states.see(kProvider + name, isFine, now);
    }
    m_states.see(kAudit + m_deps.broker, observed.isAuditWorking, now);
    ErrorShare::Settings share;
    share.percent = settings.errorPercent;
    share.window = settings.errorWindow;
    const auto areFew = m_errors.look(observed.answers, observed.failures, now, share);
    if (areFew && settings.errorPercent > 0) {
        m_states.see(kErrors + m_deps.broker, *areFew, now);
    }
    for (const auto& [subject, isFine] : m_states.due(now, settings.settle)) {
        std::vector<Draft> one{draftFor(subject, isFine)};
        const bool isWritten = co_await write(std::move(one));
        if (!isWritten) {
            co_return;
        }
        m_states.told(subject, isFine);
    }
}

net::Awaitable<> AlertDesk::lookAtBudgets()
{
    const auto spenders = m_deps.spending->take(kSpendersAtOnce);
    if (spenders.empty()) {
        co_return;
    }
    std::vector<usage::Account> accounts;
    std::set<std::pair<std::string, std::string>> refusing;
    for (const SpendingWatch::Spender& spender : spenders) {
        accounts.push_back(spender.account);
        for (const std::string& period : spender.exhausted) {
            const bool isProject = period.starts_with("project");
            refusing.emplace(period, isProject ? spender.account.project : spender.account.caller);
        }
    }
    const auto standings = co_await m_deps.ledger.standings(std::move(accounts));
    bool isWritten = standings.has_value();
    if (isWritten) {
        std::vector<Draft> drafts;
        for (const usage::BudgetStanding& standing : *standings) {
            const bool isRefusing = refusing.count({standing.period, standing.who}) > 0;
            addBudgetDrafts(standing, isRefusing, configured()->settings.thresholds, drafts);
        }
        if (!drafts.empty()) {
            isWritten = co_await write(std::move(drafts));
        }
    }
    if (!isWritten) {
        m_deps.spending->giveBack(spenders);
    }
}

net::Awaitable<> AlertDesk::deliver(std::string channel)
{
    /// However this ends, be it with the context, when the desk is gone.
    struct Free {
        std::shared_ptr<std::set<std::string>> busy;
        const std::string& name;
        ~Free() { busy->erase(name); }
    };
    const Free free{m_busy, channel};
    bool isMore = true;
    while (isMore) {
        isMore = co_await deliverNext(channel);
    }
}

net::Awaitable<bool> AlertDesk::deliverNext(const std::string& channel)
{
    const auto configured = this->configured();
    const auto known = configured->channels.find(channel);
    if (known == configured->channels.end()) {
        co_return false;
    }
    const auto errand = co_await m_deps.book.take(channel);
    if (!errand || !*errand) {
        co_return false;
    }
    const Alert& alert = (*errand)->alert;
    const int attempts = (*errand)->attempts;
    const auto sent = co_await known->second->send(alert);
    const std::string& kind = configured->kinds.at(channel);
    AlertBook::Outcome outcome;
    outcome.isSent = sent.has_value();
    if (sent) {
        m_deps.metrics.alertAttempted(kind, "sent");
        m_deps.log.write(
            LogLevel::Info, "alert.sent", {{"id", alert.id}, {"channel", channel}, {"attempts", attempts}});
    } else {
        const core::WallTime now = m_deps.clock.wallNow();
        const bool isOver = now - alert.at >= kGivenUpAfter;
        const ChannelFault fault = channelFaultOf(sent.error());
        outcome.reason = writeChannelFault(fault);
        if (!isOver) {
            outcome.next = now + pauseAfter(attempts, m_deps.random());
        }
        m_deps.metrics.alertAttempted(kind, isOver ? "given_up" : "failed");
        core::Json fields{{"id", alert.id}, {"channel", channel}, {"attempts", attempts}, {"code", fault.reason},
            {"detail", sent.error().detail}};
        if (fault.status != 0) {
            fields["status"] = fault.status;
        }
        m_deps.log.write(LogLevel::Warning, isOver ? "alert.given_up" : "alert.not_sent", fields);
    }
    const bool isSent = outcome.isSent;
    const auto settled = co_await m_deps.book.settle(alert.id, channel, attempts, std::move(outcome));
    co_return settled.has_value() && isSent;
}

net::Awaitable<> AlertDesk::stop(core::Milliseconds deadline)
{
    if (m_tasks != nullptr) {
        m_tasks->cancel();
        const bool areOver = co_await m_tasks->join(deadline);
        static_cast<void>(areOver);
    }
    bool isMore = true;
    while (isMore) {
        isMore = co_await writeRaised();
    }
}

core::Milliseconds pauseAfter(int attempts, double random)
{
    core::Milliseconds pause = kFirstPause;
    for (int i = 1; i < attempts && pause < kLongestPause; ++i) {
        pause *= 2;
    }
    pause = std::min(pause, kLongestPause);
    // From half of it to all of it, so that brokers that failed together do not come again together.
    return core::Milliseconds(
        pause.count() / 2 + static_cast<std::int64_t>(random * static_cast<double>(pause.count()) / 2));
}

} // namespace vivavoce::broker::alerts
