#include "tests/support/scripted_transports.h"

#include "core/protocol/openai/codec.h"

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

/// Both ends of a connection; it is gone when either has let go.
struct ScriptedTransports::Line {
    TransportListener* listener = nullptr;
    Ear provider;
};

class ScriptedTransports::Wire final : public Transport {
public:
    Wire(ScriptedTransports& all, std::shared_ptr<Line> line) : m_all(all), m_line(std::move(line)) {}

    void open(const TransportTarget& target, TransportListener& listener) override
    {
        m_line->listener = &listener;
        const bool isAdmitted =
            m_all.m_admits(target.credential == nullptr ? std::string_view() : target.credential->reveal());
        later([this, isAdmitted](Line& line) {
            if (!isAdmitted) {
                ++m_all.refused;
                std::exchange(line.listener, nullptr)
                    ->transportFailed({ErrorCode::ProviderRefused, "HTTP 401", std::nullopt, "401"});
                return;
            }
            line.provider = m_all.m_provider(mouth());
            line.listener->transportOpened();
        });
    }
    void send(std::string_view message) override
    {
        later([text = std::string(message)](Line& line) {
            if (line.provider) {
                line.provider(text);
            }
        });
    }
    void close(std::uint16_t code, std::string_view reason) override
    {
        later([close = TransportClose{code, std::string(reason)}](Line& line) {
            line.provider = nullptr;
            std::exchange(line.listener, nullptr)->transportClosed(close);
        });
    }
    void ping() override
    {
        later([number = ++m_pings](Line& line) { line.listener->pingAnswered(number); });
    }
    [[nodiscard]] std::size_t bufferedBytes() const override { return 0; }

private:
    void later(std::function<void(Line&)> work) { post(m_all.m_executor, m_line, std::move(work)); }

    static void post(Executor& executor, const std::weak_ptr<Line>& there, std::function<void(Line&)> work)
    {
        executor.post([there, work = std::move(work)] {
            if (const auto line = there.lock(); line != nullptr && line->listener != nullptr) {
                work(*line);
            }
        });
    }

    [[nodiscard]] Mouth mouth()
    {
        // It may speak when the connection is gone already.
        const auto tell = [&executor = m_all.m_executor, there = std::weak_ptr(m_line)](
                              std::function<void(Line&)> work) { post(executor, there, std::move(work)); };
        Mouth mouth;
        mouth.text = [tell](std::string text) {
            tell([text = std::move(text)](Line& line) { line.listener->textReceived(text); });
        };
        mouth.binary = [tell](std::string text) {
            tell([text = std::move(text)](Line& line) { line.listener->binaryReceived(text); });
        };
        mouth.hangUp = [tell](TransportClose close) {
            tell([close = std::move(close)](Line& line) {
                line.provider = nullptr;
                std::exchange(line.listener, nullptr)->transportClosed(close);
            });
        };
        return mouth;
    }

    ScriptedTransports& m_all;
    std::shared_ptr<Line> m_line;
    std::uint64_t m_pings = 0;
};

ScriptedTransports::ScriptedTransports(
    Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log, Admits admits)
    : m_executor(executor),
      m_provider([&executor, &log, options](Mouth mouth) -> Ear {
          const openai::Dialect dialect = quirksOf(options.kind).dialect;
          const auto session = std::make_shared<ScriptedSession>(
              executor, options, log, [dialect, say = std::move(mouth.text)](const openai::ServerEvent& event) {
                  say(openai::encode(event, dialect));
              });
          return [session](std::string_view message) { session->hear(message); };
      }),
      m_admits(std::move(admits))
{
}

std::unique_ptr<Transport> ScriptedTransports::create()
{
    std::erase_if(m_lines, [](const auto& line) { return line.expired(); });
    const auto line = std::make_shared<Line>();
    m_lines.push_back(line);
    return std::make_unique<Wire>(*this, line);
}

void ScriptedTransports::drop()
{
    for (const auto& weak : std::vector(m_lines)) {
        if (const auto line = weak.lock(); line != nullptr && line->listener != nullptr) {
            line->provider = nullptr;
            std::exchange(line->listener, nullptr)->transportClosed({1006, {}});
        }
    }
}

int ScriptedTransports::open() const
{
    return static_cast<int>(std::count_if(m_lines.begin(), m_lines.end(), [](const auto& weak) {
        const auto line = weak.lock();
        return line != nullptr && line->listener != nullptr;
    }));
}

} // namespace vivavoce::tests
