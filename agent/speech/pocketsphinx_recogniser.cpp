#include "agent/speech/pocketsphinx_recogniser.h"

#include "agent/speech/sphinx_decoder.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace vivavoce::agent::speech {

struct PocketsphinxPool::State {
    explicit State(RecogniserSettings wanted) : settings(std::move(wanted)) {}

    const RecogniserSettings settings;
    std::mutex mutex;
    std::condition_variable_any returned;
    std::vector<std::unique_ptr<SphinxDecoder>> free;
    std::size_t made = 0;
};

namespace {

/// A decoder on loan. Gives it back when destroyed.
class LentRecogniser final : public Recogniser {
public:
    LentRecogniser(std::unique_ptr<SphinxDecoder> decoder, std::function<void(std::unique_ptr<SphinxDecoder>)> giveBack)
        : m_decoder(std::move(decoder)), m_giveBack(std::move(giveBack))
    {
    }
    ~LentRecogniser() override
    {
        m_decoder->cancel();
        m_giveBack(std::move(m_decoder));
    }
    LentRecogniser(const LentRecogniser&) = delete;
    LentRecogniser& operator=(const LentRecogniser&) = delete;

    core::Expected<void, core::Error> begin() override { return m_decoder->begin(); }
    std::optional<std::string> accept(std::span<const std::int16_t> samples) override
    {
        return m_decoder->accept(samples);
    }
    Recognition finish() override { return m_decoder->finish(); }
    void cancel() override { m_decoder->cancel(); }

private:
    std::unique_ptr<SphinxDecoder> m_decoder;
    std::function<void(std::unique_ptr<SphinxDecoder>)> m_giveBack;
};

} // namespace

PocketsphinxPool::PocketsphinxPool(std::shared_ptr<State> state) : m_state(std::move(state)) {}
PocketsphinxPool::~PocketsphinxPool() = default;

core::Expected<std::unique_ptr<PocketsphinxPool>, core::Error> PocketsphinxPool::create(RecogniserSettings settings)
{
    auto state = std::make_shared<State>(std::move(settings));
    auto first = SphinxDecoder::create(state->settings);
    if (!first) {
        return core::Unexpected<core::Error>(first.error());
    }
    state->free.push_back(std::move(*first));
    state->made = 1;
    return std::unique_ptr<PocketsphinxPool>(new PocketsphinxPool(std::move(state)));
}

core::Expected<std::unique_ptr<Recogniser>, core::Error> PocketsphinxPool::borrow(std::stop_token stop)
{
    const auto lend = [state = m_state](std::unique_ptr<SphinxDecoder> decoder) -> std::unique_ptr<Recogniser> {
        return std::make_unique<LentRecogniser>(std::move(decoder), [state](std::unique_ptr<SphinxDecoder> back) {
            const std::lock_guard lock(state->mutex);
            state->free.push_back(std::move(back));
            state->returned.notify_one();
        });
    };
    std::unique_lock lock(m_state->mutex);
    const bool mayMake = m_state->free.empty() && m_state->made < m_state->settings.maxDecoders;
    if (mayMake) {
        ++m_state->made;
        lock.unlock();
        auto decoder = SphinxDecoder::create(m_state->settings);
        if (decoder) {
            return lend(std::move(*decoder));
        }
        lock.lock();
        --m_state->made;
    }
    if (!m_state->returned.wait(lock, stop, [this] { return !m_state->free.empty(); })) {
        return core::fail(core::ErrorCode::Cancelled, "nobody waits for it any more");
    }
    std::unique_ptr<SphinxDecoder> decoder = std::move(m_state->free.back());
    m_state->free.pop_back();
    lock.unlock();
    return lend(std::move(decoder));
}

} // namespace vivavoce::agent::speech
