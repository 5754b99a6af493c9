#include "agent/realtime/utterance.h"

#include "core/base/units.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

/// Longest stretch decoded in one go, so that sessions take turns.
constexpr std::size_t kStepSamples = 16'000;

} // namespace

Utterance::Utterance(ListeningParts parts, Callbacks callbacks)
    : m_parts(std::move(parts)), m_callbacks(std::move(callbacks)), m_lastAudio(m_parts.clock.now())
{
}

void Utterance::accept(std::span<const std::int16_t> samples)
{
    const std::lock_guard lock(m_mutex);
    if (m_isOver || m_isEnded) {
        return;
    }
    m_samples.insert(m_samples.end(), samples.begin(), samples.end());
    m_lastAudio = m_parts.clock.now();
    kick();
}

void Utterance::finish()
{
    const std::lock_guard lock(m_mutex);
    m_isEnded = true;
    kick();
}

void Utterance::cancel()
{
    m_stop.request_stop();
    const std::lock_guard lock(m_mutex);
    m_isOver = true;
    if (!m_isStepping && m_recogniser) {
        m_recogniser->cancel();
        m_recogniser.reset();
    }
}

void Utterance::parkIfIdle()
{
    const std::lock_guard lock(m_mutex);
    const bool isIdle = !m_isEnded && !m_isStepping && m_recogniser && m_parts.clock.now() - m_lastAudio >= kParkAfter;
    if (isIdle) {
        m_recogniser->cancel();
        m_recogniser.reset();
        m_position = 0;
    }
}

/// Starts what can be done next. Called with the mutex held.
void Utterance::kick()
{
    if (m_isOver) {
        return;
    }
    if (!m_recogniser) {
        if (!m_isBorrowing) {
            m_isBorrowing = true;
            if (!m_parts.workers.usher.submit([self = shared_from_this()] { self->borrow(); })) {
                m_isBorrowing = false;
                fail({core::ErrorCode::RateLimited, "the recognisers' queue is full", std::nullopt, {}});
            }
        }
        return;
    }
    if (m_isStepping || (m_position == m_samples.size() && !m_isEnded)) {
        return;
    }
    m_isStepping = true;
    if (!m_parts.workers.cpu.submit([self = shared_from_this()] { self->step(); })) {
        m_isStepping = false;
        fail({core::ErrorCode::RateLimited, "the workers' queue is full", std::nullopt, {}});
    }
}

/// With the mutex held: the callback must not call back, and it does not, as it only posts.
void Utterance::fail(core::Error error)
{
    m_isOver = true;
    m_recogniser.reset();
    m_callbacks.onDone(core::Unexpected<core::Error>(std::move(error)));
}

void Utterance::borrow()
{
    auto lent = m_stop.stop_requested() ? core::fail(core::ErrorCode::Cancelled, "dropped while waiting")
                                        : m_parts.recognisers.borrow(m_stop.get_token());
    core::Expected<void, core::Error> begun;
    if (lent) {
        begun = (*lent)->begin();
    }
    const std::lock_guard lock(m_mutex);
    m_isBorrowing = false;
    if (m_isOver) {
        return;
    }
    if (!lent || !begun) {
        fail(lent ? begun.error() : lent.error());
        return;
    }
    m_recogniser = std::move(*lent);
    m_position = 0;
    kick();
}

void Utterance::step()
{
    std::vector<std::int16_t> chunk;
    {
        const std::lock_guard lock(m_mutex);
        const std::size_t count = m_isOver ? 0 : std::min(kStepSamples, m_samples.size() - m_position);
        const auto from = m_samples.begin() + static_cast<std::ptrdiff_t>(m_position);
        chunk.assign(from, from + static_cast<std::ptrdiff_t>(count));
        m_position += count;
    }
    // Only this step touches the recogniser while m_isStepping is set.
    if (!chunk.empty()) {
        if (auto partial = m_recogniser->accept(chunk); partial && !m_stop.stop_requested()) {
            m_callbacks.onPartial(std::move(*partial));
        }
    }
    std::optional<Recognition> recognition;
    std::unique_lock lock(m_mutex);
    if (!m_isOver && m_isEnded && m_position == m_samples.size()) {
        lock.unlock();
        recognition = m_recogniser->finish();
        lock.lock();
    }
    m_isStepping = false;
    if (m_isOver) {
        m_recogniser->cancel();
        m_recogniser.reset();
        return;
    }
    if (!recognition) {
        kick();
        return;
    }
    m_isOver = true;
    m_recogniser.reset();
    m_samples = {};
    m_callbacks.onDone(std::move(*recognition));
}

} // namespace vivavoce::agent::realtime
