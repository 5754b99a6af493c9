#pragma once

#include "core/base/executor.h"
#include "core/ports/transport.h"
#include "core/session/gemini/gemini_translator.h"

#include <deque>
#include <memory>
#include <string>

namespace vivavoce::core {

/// Gemini Live over any transport, for a session that speaks OpenAI Realtime: the translator's I/O.
/// Lifetime: the executor outlives it. Threads: the executor's own thread.
class GeminiTransport final : public Transport, private TransportListener {
public:
    struct Dependencies {
        std::unique_ptr<Transport> inner;
        Executor& executor;
        /// Shared: a connection that was let go of may still hear something.
        std::shared_ptr<GeminiMemory> memory;
        TakesTime takesTime{};
    };

    GeminiTransport(Dependencies dependencies, std::string model)
        : m_deps(std::move(dependencies)), m_translator(std::move(model), *m_deps.memory, m_deps.takesTime)
    {
    }

    void open(const TransportTarget& target, TransportListener& listener) override;
    void send(std::string_view message) override;
    void close(std::uint16_t code, std::string_view reason) override { m_deps.inner->close(code, reason); }
    void ping() override { m_deps.inner->ping(); }
    [[nodiscard]] std::size_t bufferedBytes() const override { return m_deps.inner->bufferedBytes(); }

private:
    void transportOpened() override;
    void textReceived(std::string_view message) override;
    /// Gemini sends its JSON in binary frames; a client takes both.
    void binaryReceived(std::string_view message) override { textReceived(message); }
    void pingAnswered(std::uint64_t ping) override;
    void transportClosed(const TransportClose& close) override;
    void transportFailed(const Error& error) override;

    void sendAll(const GeminiTranslator::Steps& steps);
    /// What the session is to hear, now that nobody of it waits for us to come back.
    void tellAll(GeminiTranslator::Steps steps);
    void tellLate();

    Dependencies m_deps;
    GeminiTranslator m_translator;
    TransportListener* m_listener = nullptr;
    /// Answers to what the session has said: it is never called from within its own call.
    std::deque<GeminiTranslator::Steps> m_late;
    /// What was posted finds nothing here when we are gone.
    std::shared_ptr<GeminiTransport*> m_self = std::make_shared<GeminiTransport*>(this);
};

} // namespace vivavoce::core
