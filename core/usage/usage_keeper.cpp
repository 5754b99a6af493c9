#include "core/usage/usage_keeper.h"

#include "core/base/random_id.h"
#include "core/usage/utc_day.h"

#include <utility>

namespace vivavoce::core {
namespace {

namespace notice = session_notice;

/// Whoever holds the file, holds up the main thread at each try.
constexpr std::chrono::seconds kPause{5};
constexpr std::size_t kMostWaiting = 1'000;

/// A server that names nothing tells nothing twice.
std::string partOf(const char* kind, const std::string& id)
{
    return kind + (id.empty() ? randomId() : id);
}

} // namespace

Expected<std::int64_t, Error> spentInMonthOf(UsageBook& book, const std::string& day)
{
    UsageQuery query;
    query.from = firstOfMonth(day);
    query.to = day;
    const auto sums = book.sums(query);
    if (!sums) {
        return Unexpected<Error>(sums.error());
    }
    return sums->empty() ? 0 : sums->front().figures.nanoDollars;
}

UsageKeeper::~UsageKeeper()
{
    countTime();
    addConnection();
    write(true);
}

void UsageKeeper::told(const SessionNotice& told)
{
    if (const auto* token = std::get_if<notice::TokenChanged>(&told)) {
        tokenChanged(*token);
    } else if (const auto* phase = std::get_if<notice::PhaseChanged>(&told)) {
        phaseChanged(phase->phase);
        write(false);
    } else if (const auto* reply = std::get_if<notice::ReplyUsage>(&told)) {
        replyCame(*reply);
    } else if (const auto* words = std::get_if<notice::TranscriptionUsage>(&told)) {
        wordsCame(*words);
    } else if (std::holds_alternative<notice::Ended>(told)) {
        phaseChanged(Phase::Ended);
        write(true);
    }
}

void UsageKeeper::tokenChanged(const notice::TokenChanged& changed)
{
    if (changed.news != TokenNews::Acquired && changed.news != TokenNews::Refreshed) {
        return;
    }
    countTime();
    if (changed.sessionId != m_session) {
        addConnection();
        m_connected.clear();
        m_session = changed.sessionId;
    }
    m_model = changed.model.empty() ? m_model : changed.model;
}

void UsageKeeper::phaseChanged(Phase phase)
{
    const bool isLive = phase == Phase::Live;
    if (isLive == m_isLive) {
        return;
    }
    countTime();
    m_isLive = isLive;
    m_countedUntil = m_deps.clock.now();
    if (!isLive) {
        addConnection();
    }
}

void UsageKeeper::replyCame(const notice::ReplyUsage& reply)
{
    UsageRecord told = record(partOf("reply ", reply.responseId), m_model);
    told.figures.turns = reply.isTurn ? 1 : 0;
    told.figures.tokens = UsageTally::of(reply.usage).clamped();
    const PriceRow* const price = priceOf(m_model);
    if (price != nullptr) {
        told.figures.nanoDollars = price->costOf(reply.usage);
        told.pricesFrom = price->from;
    } else if (!m_deps.broker.empty() && !told.figures.tokens.isEmpty()) {
        told.figures.unpriced = 1;
    }
    add(std::move(told));
    countTime();
    addConnection();
    write(false);
}

void UsageKeeper::wordsCame(const notice::TranscriptionUsage& words)
{
    UsageRecord told = record(partOf("words ", words.itemId), words.model);
    told.figures.transcription = TranscriptionTally::of(words.usage).clamped();
    const PriceRow* const price = priceOf(words.model);
    const auto cost = price == nullptr ? std::nullopt : price->costOf(words.usage);
    if (cost) {
        told.figures.nanoDollars = *cost;
        told.pricesFrom = price->from;
    } else if (!m_deps.broker.empty() && !told.figures.transcription.isEmpty()) {
        told.figures.unpriced = 1;
    }
    add(std::move(told));
    write(false);
}

void UsageKeeper::countTime()
{
    const MonotonicTime now = m_deps.clock.now();
    if (m_isLive && now > m_countedUntil) {
        // Each part of it belongs to its own day, and has the price of that.
        eachUtcDay(m_deps.clock.wallNow(), std::chrono::duration_cast<WallTime::duration>(now - m_countedUntil),
            [this](const std::string& day, Milliseconds time) {
                m_connected[day] += time;
                m_grown.insert(day);
            });
    }
    m_countedUntil = now;
}

void UsageKeeper::addConnection()
{
    for (const std::string& day : std::exchange(m_grown, {})) {
        const Milliseconds time = m_connected[day];
        UsageRecord told = record("connection " + day, m_model);
        told.day = day;
        told.figures.connected = time;
        const PriceRow* const price = m_deps.broker.empty() ? nullptr : m_deps.prices.find(m_model, day);
        if (price != nullptr && price->minute > 0) {
            told.figures.nanoDollars = price->costOf(time);
            told.pricesFrom = price->from;
        }
        add(std::move(told));
    }
}

const PriceRow* UsageKeeper::priceOf(const std::string& model) const
{
    return m_deps.broker.empty() ? nullptr : m_deps.prices.find(model, m_deps.clock.wallNow());
}

UsageRecord UsageKeeper::record(std::string part, std::string model) const
{
    UsageRecord made;
    made.session = m_session;
    made.part = std::move(part);
    made.day = utcDay(m_deps.clock.wallNow());
    made.broker = m_deps.broker;
    made.model = std::move(model);
    return made;
}

void UsageKeeper::add(UsageRecord record)
{
    std::erase_if(
        m_waiting, [&](const UsageRecord& each) { return each.session == record.session && each.part == record.part; });
    m_waiting.push_back(std::move(record));
    if (m_waiting.size() > kMostWaiting) {
        m_waiting.pop_front();
    }
}

void UsageKeeper::write(bool isLast)
{
    if (m_waiting.empty() || (!isLast && m_deps.clock.now() < m_notBefore)) {
        return;
    }
    const auto written = m_deps.book.put({m_waiting.begin(), m_waiting.end()});
    if (written) {
        m_waiting.clear();
        m_isFailing = false;
        return;
    }
    m_notBefore = m_deps.clock.now() + kPause;
    if (!std::exchange(m_isFailing, true) && m_deps.failed) {
        m_deps.failed(written.error());
    }
}

} // namespace vivavoce::core
