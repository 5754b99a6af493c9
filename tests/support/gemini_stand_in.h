#pragma once

#include "core/ports/transport.h"
#include "core/protocol/gemini/client_messages.h"
#include "core/protocol/gemini/server_messages.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// What stands in for Gemini Live: the server without its network. It refuses what Google's is known to refuse, by closing, and says what
/// the test has it say. Sessions can be resumed over another connection of the same stand-in.
class GeminiStandIn {
public:
    /// What a session has heard and said; shared by the connections that go on with it.
    struct Session {
        core::gemini::Setup setup;
        std::vector<core::gemini::Content> history;
        std::vector<std::string> texts;
        std::size_t soundBytes = 0;
        std::size_t heldSoundBytes = 0;
        int activities = 0;
        int streamEnds = 0;
        std::vector<core::gemini::FunctionResponse> answers;
        /// Numbered questions that its model has understood.
        std::set<int> asked;
    };

    /// One connection.
    class Connection {
    public:
        Connection(GeminiStandIn& server, std::function<void(std::string)> say,
            std::function<void(core::TransportClose)> hangUp)
            : m_server(server), m_say(std::move(say)), m_hangUp(std::move(hangUp))
        {
        }

        void heard(std::string_view text);
        void say(const core::gemini::ServerMessage& message);
        void sayText(std::string json) { m_say(std::move(json)); }
        void hangUp(std::uint16_t code, std::string reason);
        void completeSetup();

        // Pieces of what a model does.
        void sound(core::Milliseconds duration);
        void words(const std::string& text);
        void userWords(const std::string& text, bool isLast = false);
        void generationComplete();
        void turnComplete();
        void interrupt();
        /// Sound and words, both of the ends, and what it cost.
        void reply(const std::string& text);
        void call(const std::string& id, const std::string& name, const std::string& args);
        void cancelCall(const std::string& id);
        void usage(std::int64_t textIn, std::int64_t audioIn, std::int64_t audioOut);
        void goAway(core::Milliseconds left);
        /// A handle for the session as it is now.
        std::string handle();

        [[nodiscard]] Session& session() { return *m_session; }
        [[nodiscard]] bool isSetUp() const { return m_isReady; }
        [[nodiscard]] bool isOver() const { return m_isOver; }
        [[nodiscard]] const core::TransportClose& close() const { return m_close; }

    private:
        void on(const core::gemini::Setup& setup);
        void on(const core::gemini::ClientContent& content);
        void on(const core::gemini::RealtimeInput& input);
        void on(const core::gemini::ToolResponse& response);
        void refuse(const std::string& why) { hangUp(1007, why); }

        GeminiStandIn& m_server;
        std::function<void(std::string)> m_say;
        std::function<void(core::TransportClose)> m_hangUp;
        std::shared_ptr<Session> m_session;
        bool m_isReady = false;
        bool m_isOver = false;
        bool m_wantsHistory = false;
        bool m_hasBegun = false;
        bool m_isActive = false;
        std::set<std::string> m_calls;
        core::TransportClose m_close;
    };

    /// Whether a setup is confirmed at once.
    bool confirms = true;
    std::string model = "models/gemini-3.8-live";
    /// Called when something has been heard that a model would answer: typed words, or the answers of functions.
    std::function<void(Connection&)> answer;
    /// Called with what the microphone sends.
    std::function<void(Connection&, const core::Bytes&)> listen;

private:
    std::map<std::string, std::shared_ptr<Session>> m_handles;
};

} // namespace vivavoce::tests
