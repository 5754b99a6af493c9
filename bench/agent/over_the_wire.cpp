#include "bench/agent/over_the_wire.h"

#include "audio/dsp/resampler.h"
#include "core/base/json.h"
#include "core/base/pcm.h"
#include "core/base/units.h"
#include "net/timer.h"
#include "net/websocket_client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>

namespace vivavoce::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPiece{20};
constexpr std::size_t kPieceSamples = 480;
constexpr std::chrono::seconds kPatience{15};
/// Less is the silence at the end of a recording.
constexpr int kAudible = 300;

/// The agent as a child, until this goes.
class RunningAgent {
public:
    explicit RunningAgent(const std::string& program)
    {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) {
            return;
        }
        m_child = ::fork();
        if (m_child == 0) {
            ::dup2(ends[1], STDOUT_FILENO);
            ::execl(program.c_str(), program.c_str(), "--listen", "127.0.0.1:0", nullptr);
            ::_exit(127);
        }
        ::close(ends[1]);
        std::string line;
        for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) {
            line += c;
        }
        ::close(ends[0]);
        if (const auto told = core::parseJson(line); told && told->is_object()) {
            m_url = told->value("url", "");
        }
    }
    ~RunningAgent()
    {
        if (m_child > 0) {
            ::kill(m_child, SIGTERM);
            ::waitpid(m_child, nullptr, 0);
        }
    }
    RunningAgent(const RunningAgent&) = delete;
    RunningAgent& operator=(const RunningAgent&) = delete;

    /// "http://127.0.0.1:40123"; empty where it did not start.
    [[nodiscard]] const std::string& url() const { return m_url; }
    [[nodiscard]] std::string memory() const
    {
        std::ifstream status("/proc/" + std::to_string(m_child) + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) {
                return line.substr(line.find_first_not_of(" \t", 6));
            }
        }
        return {};
    }

private:
    pid_t m_child = -1;
    std::string m_url;
};

/// One question after the other in one session.
class Asker {
public:
    Asker(boost::asio::io_context& io, const RunningAgent& agent, const std::vector<Utterance>& questions)
        : m_timer(io), m_agent(agent), m_questions(questions)
    {
    }

    net::Awaitable<> run()
    {
        net::WebSocketRequest request;
        request.url = "ws" + m_agent.url().substr(4) + "/v1/realtime?model=gpt-realtime";
        request.headers.add("Authorization", "Bearer bench");
        auto opened = co_await net::openWebSocket(std::move(request));
        if (!opened) {
            co_return;
        }
        m_socket = std::move(*opened);
        boost::asio::co_spawn(m_timer.get_executor(), listen(), boost::asio::detached);
        for (const Utterance& question : m_questions) {
            co_await ask(question);
        }
        figures.memory = m_agent.memory();
        co_await m_socket->close(1000, "");
    }

    WireFigures figures;

private:
    net::Awaitable<> listen()
    {
        for (;;) {
            const auto message = co_await m_socket->read();
            if (!message) {
                co_return;
            }
            const auto event = core::parseJson(message->data);
            const std::string type = event && event->is_object() ? event->value("type", "") : std::string();
            if (type == "response.output_audio.delta" && !m_firstSound) {
                m_firstSound = Clock::now();
            }
            m_isDone = m_isDone || type == "response.done";
        }
    }

    net::Awaitable<> ask(const Utterance& question)
    {
        auto up = dsp::Resampler::create(core::kSpeechRate, core::kRealtimeRate);
        std::vector<std::int16_t> voice = up->process(question.samples);
        const auto last = std::find_if(
            voice.rbegin(), voice.rend(), [](std::int16_t sample) { return std::abs(int{sample}) > kAudible; });
        voice.erase(last.base(), voice.end());
        const std::size_t pieces = voice.size() / kPieceSamples + 1;
        voice.resize(pieces * kPieceSamples);
        m_firstSound.reset();
        m_isDone = false;
        const auto start = Clock::now();
        const auto spoken = start + kPiece * static_cast<std::int64_t>(pieces);
        const std::vector<std::int16_t> silence(kPieceSamples);
        for (std::size_t piece = 0; !m_isDone && Clock::now() < spoken + kPatience; ++piece) {
            const auto samples = piece < pieces ? std::span(voice).subspan(piece * kPieceSamples, kPieceSamples)
                                                : std::span<const std::int16_t>(silence);
            co_await append(samples);
            m_timer.expires_at(start + kPiece * static_cast<std::int64_t>(piece + 1));
            co_await m_timer.async_wait(net::useAwaitable);
        }
        if (m_firstSound) {
            figures.replyMs.push_back(std::chrono::duration<double, std::milli>(*m_firstSound - spoken).count());
        }
    }

    net::Awaitable<> append(std::span<const std::int16_t> samples)
    {
        const core::Json event{
            {"type", "input_audio_buffer.append"}, {"audio", core::encodeBase64(core::pcmBytes(samples))}};
        // Into a variable: see net/awaitable.h.
        [[maybe_unused]] const bool isSent = co_await m_socket->send(event.dump());
    }

    net::Timer m_timer;
    const RunningAgent& m_agent;
    const std::vector<Utterance>& m_questions;
    std::unique_ptr<net::WebSocketSession> m_socket;
    std::optional<Clock::time_point> m_firstSound;
    bool m_isDone = false;
};

} // namespace

std::optional<WireFigures> askOverTheWire(const std::string& program, const std::vector<Utterance>& questions)
{
    const RunningAgent agent(program);
    if (agent.url().empty()) {
        return std::nullopt;
    }
    boost::asio::io_context io(1);
    Asker asker(io, agent, questions);
    boost::asio::co_spawn(io, asker.run(), boost::asio::detached);
    io.run();
    return asker.figures.replyMs.empty() ? std::nullopt : std::optional(std::move(asker.figures));
}

} // namespace vivavoce::bench
