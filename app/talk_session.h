#pragma once

#include "app/embedded/embedded_services.h"
#include "core/ports/conversation.h"
#include "core/ports/http_client.h"
#include "core/session/allowance_watch.h"
#include "core/session/session_runner.h"
#include "core/session/usage_reporter.h"
#include "core/settings/live_settings.h"
#include "core/token/broker_token_source.h"
#include "core/token/caching_token_source.h"
#include "core/token/deferred_token_source.h"
#include "core/tools/tool_box.h"
#include "core/usage/usage_keeper.h"

#include <functional>
#include <memory>
#include <vector>

namespace vivavoce::app {

/// A person's conversation over the real parts: starts the services of this computer where the profile asks for them, and a
/// session on them; puts new parts in place for the next conversation. The services outlive a conversation, so that the
/// next one starts at once.
/// Threads: the main thread. Lifetime: its dependencies and listeners outlive it.
class TalkSession final : public core::Conversation, private core::SessionObserver {
public:
    struct Dependencies {
        core::LiveSettings& settings;
        core::VoiceIo& voice;
        core::TransportFactory& transports;
        core::HttpClient& http;
        core::ToolBox& tools;
        const core::Clock& clock;
        core::Executor& executor;
        /// What a remote broker knows us by.
        std::shared_ptr<core::CredentialSource> credential;
        embedded::EmbeddedServices::Options services;
        /// Takes up how a broker is reached; a choice that cannot be followed is why a conversation ends.
        std::function<core::Expected<void, core::Error>(const core::NetworkChoice&)> useNetwork;
        /// Null: what a conversation comes to is not written down, and no month has a limit.
        core::UsageBook* book = nullptr;
        /// Once for each time that writing it down begins to fail.
        std::function<void(const core::Error&)> bookFailed = {};
    };

    explicit TalkSession(Dependencies dependencies);
    ~TalkSession() override;

    void add(core::ConversationListener& listener) override;
    void remove(core::ConversationListener& listener) override;
    void start() override;
    void stop() override;
    void say(std::string text) override;
    void interrupt() override;
    void holdTalk(bool isHeld) override;

    /// Whoever was signed in is not any more: nor is what showed them to a broker kept, but for one that is still told what they owe.
    void forgetUser();
    /// Before the program ends: ends the conversation, and tells its broker what it came to. `done` is called once the listeners have heard of
    /// its end and there is nothing left to tell, or after a second; possibly from within this call. Nothing of the conversation is left then.
    void finish(std::function<void()> done);

private:
    class BrokersCredential;
    /// What is told to one broker.
    struct Account {
        std::string brokerUrl;
        std::shared_ptr<BrokersCredential> credential;
        /// With a broker that is not ours alone; outlives a conversation, whose end it still tells.
        std::unique_ptr<core::UsageReporter> usage;
    };

    void sessionTold(const core::SessionNotice& told) override;
    void replyTook(const core::ReplyLatency&) override {}

    void startServices();
    void servicesFound(const embedded::EmbeddedServices::Address& address);
    void servicesFailed(const core::Error& error);
    void useBroker(
        const std::string& url, std::shared_ptr<core::CredentialSource> credential, core::BrokerWishes wishes = {});
    [[nodiscard]] core::Allowance allowance() const;
    void watchAllowance();
    void dropSession();
    /// They end while other things go on.
    void dropServices();
    /// Makes it where there is none. Of more than a few the oldest is given up.
    Account& accountAt(const std::string& url);
    void followBroker(const core::Settings& settings);
    void followTurns(const core::Settings& settings);
    void finishTelling();
    /// Later, so that no listener is called from within a call.
    void tellLater(core::SessionNotice told);
    void tell(const core::SessionNotice& told);

    Dependencies m_deps;
    std::vector<core::ConversationListener*> m_listeners;
    bool m_isWanted = false;
    /// The listeners have not heard of its end.
    bool m_isEndOwed = false;
    bool m_isTalkHeld = false;
    /// Which conversation this is: what comes late from an earlier one is not told.
    int m_generation = 0;
    std::unique_ptr<embedded::EmbeddedServices> m_services;
    /// Let go of, and not gone yet.
    std::vector<std::unique_ptr<embedded::EmbeddedServices>> m_ending;
    std::optional<embedded::EmbeddedServices::Address> m_address;
    std::unique_ptr<core::DeferredTokenSource> m_broker;
    std::unique_ptr<core::CachingTokenSource> m_tokens;
    /// Where the conversations went, the latest last; what was not told before another one began still is.
    std::vector<Account> m_accounts;
    /// The one of them that hears of this conversation.
    core::UsageReporter* m_usage = nullptr;
    std::unique_ptr<core::SessionRunner> m_session;
    std::unique_ptr<core::AllowanceWatch> m_allowance;
    std::unique_ptr<core::UsageKeeper> m_keeper;
    core::MonotonicTime m_finishBy;
    std::function<void()> m_finished;
    std::unique_ptr<core::Timer> m_finishing;
    /// Posted work finds nothing here when we are gone.
    std::shared_ptr<TalkSession*> m_self;
};

} // namespace vivavoce::app
