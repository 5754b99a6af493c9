#include "broker/limits/redis_limit_store.h"

#include "broker/limits/internal/caller_pseudonyms.h"
#include "broker/limits/internal/redis_scripts.h"
#include "broker/limits/internal/redis_worker.h"
#include "net/pending_value.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Expected;
using core::Unexpected;
using std::chrono::ceil;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::size_t kShortestKey = 32;
constexpr std::size_t kTakeAnswer = 6;
constexpr std::size_t kBlockItems = 5;

std::string micros(core::Milliseconds duration)
{
    return std::to_string(microseconds(duration).count());
}

std::string millis(core::Milliseconds duration)
{
    return std::to_string(duration.count());
}

Unexpected<StoreDown> unexpectedAnswer()
{
    return Unexpected<StoreDown>(StoreDown{"Redis' answer makes no sense"});
}

bool areIntegers(const std::vector<RedisValue>& values)
{
    return std::all_of(
        values.begin(), values.end(), [](const RedisValue& value) { return value.kind == RedisValue::Kind::Integer; });
}

Expected<Decision, StoreDown> decisionOf(const RedisValue& value, std::size_t limit)
{
    if (value.items.size() != kTakeAnswer || !areIntegers(value.items)) {
        return unexpectedAnswer();
    }
    const auto at = [&](std::size_t i) { return value.items[i].integer; };
    Decision decision;
    decision.verdict = at(0) == 0 ? Decision::Verdict::Admitted
        : at(0) == 1              ? Decision::Verdict::OverLimit
                                  : Decision::Verdict::Blocked;
    decision.limit = limit;
    decision.remaining = limit - std::min(limit, static_cast<std::size_t>(std::max<std::int64_t>(at(1), 0)));
    if (decision.verdict == Decision::Verdict::Blocked) {
        decision.remaining = 0;
    }
    decision.secondsToReset = ceil<seconds>(microseconds(at(2))).count();
    decision.isNewBlock = at(3) == 1;
    decision.blockLevel = static_cast<int>(at(4));
    decision.blockLength = core::Milliseconds(at(5));
    return decision;
}

class RedisLimitStoreOnWorker final : public RedisLimitStore {
public:
    RedisLimitStoreOnWorker(Settings settings, Log& log)
        : m_names(settings.key),
          m_prefix(settings.prefix),
          m_deadline(settings.deadline),
          m_worker(std::make_unique<RedisWorker>(std::move(settings.address), workerSettings(settings),
              std::vector{kTakeScript, kLookScript, kBlocksScript, kLiftScript}, log))
    {
        if (!settings.formerKey.empty()) {
            m_formerNames.emplace(settings.formerKey);
        }
    }

    net::Awaitable<Expected<Decision, StoreDown>> take(const Bucket& bucket, LimitSubject subject) override
    {
        const bool answers = !subject.offender.empty();
        if (m_formerNames && answers) {
            auto before = co_await lookAs(*m_formerNames, bucket, subject);
            if (!before || before->verdict == Decision::Verdict::Blocked) {
                co_return before;
            }
        }
        const std::string offender = answers ? m_names.of("offender", subject.offender) : std::string();
        const std::string window = windowKey(m_names, bucket, subject);
        const Penalty& penalty = bucket.penalty;
        const std::size_t limit = bucket.maxRequests;
        RedisWorker::Job job;
        job.script = kTakeScript;
        job.keys = {window, window + ":told", penaltyKey(offender), violationsKey(offender), blocksKey()};
        job.arguments = {std::to_string(limit), micros(bucket.window), offender, std::to_string(penalty.violations),
            millis(penalty.firstBlock), millis(penalty.longestBlock), millis(penalty.forgottenAfter), bucket.name,
            answers ? m_names.seal(subject.offender) : std::string()};
        auto value = co_await ask(std::move(job));
        if (!value) {
            co_return Unexpected<StoreDown>(std::move(value.error()));
        }
        co_return decisionOf(*value, limit);
    }

    net::Awaitable<Expected<Decision, StoreDown>> look(const Bucket& bucket, LimitSubject subject) override
    {
        if (m_formerNames && !subject.offender.empty()) {
            auto before = co_await lookAs(*m_formerNames, bucket, subject);
            if (!before || before->verdict == Decision::Verdict::Blocked) {
                co_return before;
            }
        }
        auto decision = co_await lookAs(m_names, bucket, std::move(subject));
        co_return decision;
    }

    net::Awaitable<Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost) override
    {
        RedisWorker::Job job;
        job.script = kBlocksScript;
        job.keys = {blocksKey()};
        job.arguments = {std::to_string(atMost), penaltyKey({})};
        auto value = co_await ask(std::move(job));
        if (!value) {
            co_return Unexpected<StoreDown>(std::move(value.error()));
        }
        std::vector<Block> result;
        for (std::size_t i = 0; i + kBlockItems <= value->items.size(); i += kBlockItems) {
            const RedisValue* const item = &value->items[i];
            // Whoever cannot be named here was blocked by brokers with another key.
            result.push_back({nameOf(item[0].text), item[1].text, static_cast<int>(item[2].integer),
                core::Milliseconds(item[3].integer), core::Milliseconds(item[4].integer)});
        }
        co_return result;
    }

    net::Awaitable<Expected<bool, StoreDown>> lift(std::string offender) override
    {
        auto lifted = co_await liftAs(m_names, offender);
        if (lifted && m_formerNames) {
            const auto before = co_await liftAs(*m_formerNames, offender);
            if (!before) {
                co_return before;
            }
            lifted = *lifted || *before;
        }
        co_return lifted;
    }

    [[nodiscard]] StoreHealth health() const override { return m_worker->isUp() ? StoreHealth::Ok : StoreHealth::Down; }

private:
    [[nodiscard]] static RedisWorker::Settings workerSettings(const Settings& settings)
    {
        RedisWorker::Settings worker;
        worker.deadline = settings.deadline;
        worker.longestPause = settings.longestPause;
        worker.maxQueued = settings.maxQueued;
        worker.probeKey = settings.prefix + "probe";
        return worker;
    }

    net::Awaitable<Expected<Decision, StoreDown>> lookAs(
        const CallerPseudonyms& names, const Bucket& bucket, LimitSubject subject)
    {
        const std::string offender = subject.offender.empty() ? std::string() : names.of("offender", subject.offender);
        const std::size_t limit = bucket.maxRequests;
        RedisWorker::Job job;
        job.script = kLookScript;
        job.keys = {windowKey(names, bucket, subject), penaltyKey(offender)};
        job.arguments = {std::to_string(limit), micros(bucket.window), offender};
        auto value = co_await ask(std::move(job));
        if (!value) {
            co_return Unexpected<StoreDown>(std::move(value.error()));
        }
        co_return decisionOf(*value, limit);
    }

    net::Awaitable<Expected<bool, StoreDown>> liftAs(const CallerPseudonyms& names, std::string offender)
    {
        const std::string name = names.of("offender", offender);
        RedisWorker::Job job;
        job.script = kLiftScript;
        job.keys = {penaltyKey(name), violationsKey(name), blocksKey()};
        job.arguments = {name};
        auto value = co_await ask(std::move(job));
        if (!value) {
            co_return Unexpected<StoreDown>(std::move(value.error()));
        }
        co_return value->integer == 1;
    }

    [[nodiscard]] std::string nameOf(const std::string& sealed) const
    {
        auto name = m_names.unseal(sealed);
        if (!name && m_formerNames) {
            name = m_formerNames->unseal(sealed);
        }
        return name.value_or("?");
    }

    [[nodiscard]] std::string windowKey(
        const CallerPseudonyms& names, const Bucket& bucket, const LimitSubject& subject) const
    {
        return m_prefix + "window:" + bucket.name + ":" + names.of(bucket.name, subject.quota);
    }
    [[nodiscard]] std::string penaltyKey(const std::string& name) const { return m_prefix + "penalty:" + name; }
    [[nodiscard]] std::string violationsKey(const std::string& name) const { return m_prefix + "violations:" + name; }
    [[nodiscard]] std::string blocksKey() const { return m_prefix + "blocks"; }

    net::Awaitable<RedisWorker::Answer> ask(RedisWorker::Job job)
    {
        const auto executor = co_await boost::asio::this_coro::executor;
        const auto pending = std::make_shared<net::PendingValue<RedisWorker::Answer>>(executor, m_deadline);
        const net::Pending::Waiter waiter(*pending);
        job.deadline = std::chrono::steady_clock::now() + m_deadline;
        job.done = [pending](RedisWorker::Answer answer) { pending->complete(std::move(answer)); };
        if (auto refused = m_worker->submit(std::move(job))) {
            co_return Unexpected<StoreDown>(std::move(*refused));
        }
        co_await pending->wait();
        auto answer = pending->take();
        if (!answer) {
            co_return Unexpected<StoreDown>(StoreDown{"Redis did not answer in time"});
        }
        co_return std::move(*answer);
    }

    const CallerPseudonyms m_names;
    std::optional<CallerPseudonyms> m_formerNames;
    const std::string m_prefix;
    const core::Milliseconds m_deadline;
    /// Last: its thread ends before anything else goes.
    std::unique_ptr<RedisWorker> m_worker;
};

} // namespace

Expected<std::unique_ptr<RedisLimitStore>, core::Error> RedisLimitStore::create(Settings settings, Log& log)
{
    if (settings.key.size() < kShortestKey) {
        return core::fail(
            core::ErrorCode::BadConfiguration, "the key for callers' names in Redis has to have 32 bytes");
    }
    return std::make_unique<RedisLimitStoreOnWorker>(std::move(settings), log);
}

} // namespace vivavoce::broker
