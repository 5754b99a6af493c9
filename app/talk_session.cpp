#include "app/talk_session.h"

#include "core/base/random_id.h"

#include <algorithm>

namespace vivavoce::app {
namespace {

using core::Error;
namespace notice = core::session_notice;

/// What writes down the user's words; without one there is only half a transcript.
constexpr const char* kTranscriptionModel = "gpt-live-transcribe";
constexpr core::Milliseconds kToolSlack{5'000};

} // namespace

TalkSession::TalkSession(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_self(std::make_shared<TalkSession*>(this))
{
}

TalkSession::~TalkSession()
{
    *m_self = nullptr;
}

void TalkSession::add(core::ConversationListener& listener)
{
    m_listeners.push_back(&listener);
}

void TalkSession::remove(core::ConversationListener& listener)
{
    std::erase(m_listeners, &listener);
}

void TalkSession::start()
{
    if (std::exchange(m_isWanted, true)) {
        return;
    }
    ++m_generation;
    // The last conversation's parts go when nothing of them is on the stack.
    dropSession();
    m_broker = std::make_unique<core::DeferredTokenSource>();
    m_tokens = std::make_unique<core::CachingTokenSource>(*m_broker, m_deps.clock, m_deps.executor);
    core::SessionOptions options;
    options.transcriptionModel = kTranscriptionModel;
    options.tools = m_deps.tools.begin();
    // They have deadlines of their own; the session's is behind them.
    options.deadlines.tool = m_deps.tools.longest() + kToolSlack;
    // The transcript goes on over conversations.
    options.typedIdPrefix = "typed_" + core::randomId().substr(0, 8) + "_";
    // The services have their own patience; the first token waits for both of them.
    options.deadlines.token += 2 * m_deps.services.patience;
    m_session = std::make_unique<core::SessionRunner>(core::SessionRunner::Dependencies{*m_tokens, m_deps.transports,
        m_deps.voice, m_deps.tools, m_deps.clock, m_deps.executor, *this, std::move(options)});
    m_allowance = std::make_unique<core::AllowanceWatch>(core::AllowanceWatch::Dependencies{
        m_deps.clock, m_deps.executor, allowance(), [this](Error error) { m_session->abort(std::move(error)); }});
    m_session->start();
    const core::Settings& settings = m_deps.settings.current();
    if (settings.profile == core::Profile::Broker) {
        m_services.reset();
        m_address.reset();
        if (const auto used = m_deps.useNetwork(settings.network); !used) {
            m_session->abort(used.error());
            return;
        }
        tellUsageTo(settings.brokerUrl);
        useBroker(settings.brokerUrl, m_deps.credential);
        return;
    }
    // What is said to the agent of this computer is nobody's bill.
    m_usage.reset();
    if (m_address) {
        useBroker(m_address->brokerUrl, std::make_shared<core::LiteralCredential>(m_address->credential));
    } else {
        startServices();
    }
}

core::Allowance TalkSession::allowance() const
{
    const core::Settings& settings = m_deps.settings.current();
    core::Allowance allowance;
    // The agent of this computer costs nothing, whatever it calls itself.
    if (settings.profile == core::Profile::Broker) {
        allowance.nanoDollars = std::int64_t{settings.spendLimitCents} * core::kNanoDollarsInACent;
    }
    allowance.silence = std::chrono::minutes{settings.idleMinutes};
    return allowance;
}

void TalkSession::dropSession()
{
    m_allowance.reset();
    m_session.reset();
    m_tokens.reset();
    m_broker.reset();
}

void TalkSession::stop()
{
    if (m_isWanted) {
        m_session->stop();
    }
}

void TalkSession::say(std::string text)
{
    if (m_isWanted) {
        m_session->say(std::move(text));
    }
}

void TalkSession::interrupt()
{
    if (m_isWanted) {
        m_session->interrupt();
    }
}

void TalkSession::startServices()
{
    if (m_services != nullptr) {
        // They are on their way, for a conversation that ended before they were there.
        return;
    }
    m_services = std::make_unique<embedded::EmbeddedServices>(m_deps.services);
    const auto later = [this](auto work) {
        // Both callbacks come from within a child of the services, which the work may let go of.
        m_deps.executor.post([self = m_self, work = std::move(work)] {
            if (*self != nullptr) {
                work(**self);
            }
        });
    };
    m_services->start(
        [later](core::Expected<embedded::EmbeddedServices::Address, Error> address) {
            later([address = std::move(address)](TalkSession& self) {
                address ? self.servicesFound(*address) : self.servicesFailed(address.error());
            });
        },
        [later](Error error) { later([error = std::move(error)](TalkSession& self) { self.servicesFailed(error); }); });
}

void TalkSession::servicesFound(const embedded::EmbeddedServices::Address& address)
{
    m_address = address;
    if (m_isWanted) {
        useBroker(address.brokerUrl, std::make_shared<core::LiteralCredential>(address.credential));
    }
}

void TalkSession::servicesFailed(const Error& error)
{
    m_services.reset();
    m_address.reset();
    if (m_isWanted) {
        m_session->abort(error);
    }
}

void TalkSession::useBroker(const std::string& url, std::shared_ptr<core::CredentialSource> credential)
{
    m_broker->become(std::make_unique<core::BrokerTokenSource>(core::BrokerTokenSource::Dependencies{
        m_deps.http, m_deps.clock, url, std::move(credential), core::BrokerWishes{}, core::randomId()}));
}

void TalkSession::tellUsageTo(const std::string& url)
{
    if (m_usage != nullptr && m_usageUrl == url) {
        return;
    }
    m_usageUrl = url;
    m_usage = std::make_unique<core::UsageReporter>(core::UsageReporter::Dependencies{
        m_deps.http, m_deps.clock, m_deps.executor, url, m_deps.credential, kTranscriptionModel});
}

void TalkSession::sessionTold(const core::SessionNotice& told)
{
    if (m_usage != nullptr) {
        m_usage->told(told);
    }
    m_allowance->told(told);
    if (std::holds_alternative<notice::Ended>(told)) {
        m_isWanted = false;
        // We stand in the session's own call. Its tokens go with it, before there is another conversation.
        m_deps.executor.post([self = m_self, generation = m_generation] {
            if (*self != nullptr && (*self)->m_generation == generation) {
                (*self)->dropSession();
            }
        });
    }
    tellLater(told);
}

void TalkSession::tellLater(core::SessionNotice told)
{
    m_deps.executor.post([self = m_self, generation = m_generation, told = std::move(told)] {
        if (*self != nullptr && (*self)->m_generation == generation) {
            (*self)->tell(told);
        }
    });
}

void TalkSession::tell(const core::SessionNotice& told)
{
    for (core::ConversationListener* listener : std::vector(m_listeners)) {
        if (std::find(m_listeners.begin(), m_listeners.end(), listener) != m_listeners.end()) {
            listener->conversationTold(told);
        }
    }
}

} // namespace vivavoce::app
