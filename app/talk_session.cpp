#include "app/talk_session.h"

#include "core/base/random_id.h"

#include <algorithm>

namespace vivavoce::app {
namespace {

using core::Error;
namespace notice = core::session_notice;

/// What writes down the user's words; without one there is only half a transcript.
constexpr const char* kTranscriptionModel = "gpt-transcribe";

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
    m_heldTexts.clear();
    // The last conversation's parts go when nothing of them is on the stack.
    m_session.reset();
    m_tokens.reset();
    tellLater(notice::PhaseChanged{core::Phase::FetchingToken});
    const core::Settings& settings = m_deps.settings.current();
    if (settings.profile == core::Profile::Broker) {
        m_services.reset();
        m_address.reset();
        converse(settings.brokerUrl, m_deps.credential);
    } else if (m_address) {
        converse(m_address->brokerUrl, m_address->credential);
    } else {
        startServices();
    }
}

void TalkSession::stop()
{
    if (!m_isWanted) {
        return;
    }
    if (m_session != nullptr) {
        m_session->stop();
    } else {
        end(std::nullopt);
    }
}

void TalkSession::say(std::string text)
{
    if (m_session != nullptr && m_isWanted) {
        m_session->say(std::move(text));
    } else if (m_isWanted) {
        m_heldTexts.push_back(std::move(text));
    }
}

void TalkSession::interrupt()
{
    if (m_session != nullptr) {
        m_session->interrupt();
    }
}

void TalkSession::startServices()
{
    m_services = std::make_unique<embedded::EmbeddedServices>(m_deps.services);
    const auto later = [this](auto work) {
        // Both callbacks come from within a child of the services, which the work may let go of.
        m_deps.executor.post([self = m_self, generation = m_generation, work = std::move(work)] {
            if (*self != nullptr) {
                work(**self, generation == (*self)->m_generation);
            }
        });
    };
    m_services->start(
        [later](core::Expected<embedded::EmbeddedServices::Address, Error> address) {
            later([address = std::move(address)](TalkSession& self, bool isCurrent) {
                if (!address) {
                    self.m_services.reset();
                    if (isCurrent && self.m_isWanted) {
                        self.end(address.error());
                    }
                    return;
                }
                self.m_address = *address;
                if (isCurrent && self.m_isWanted) {
                    self.converse(address->brokerUrl, address->credential);
                }
            });
        },
        [later](
            Error error) { later([error = std::move(error)](TalkSession& self, bool) { self.servicesDied(error); }); });
}

void TalkSession::servicesDied(const Error& error)
{
    m_services.reset();
    m_address.reset();
    if (m_session != nullptr && m_isWanted) {
        m_session->abort(error);
    } else if (m_isWanted) {
        end(error);
    }
}

void TalkSession::converse(const std::string& brokerUrl, std::shared_ptr<const core::Secret> credential)
{
    m_broker = std::make_unique<core::BrokerTokenSource>(core::BrokerTokenSource::Dependencies{
        m_deps.http, m_deps.clock, brokerUrl, std::move(credential), core::BrokerWishes{}, core::randomId()});
    m_tokens = std::make_unique<core::CachingTokenSource>(*m_broker, m_deps.clock, m_deps.executor);
    core::SessionOptions options;
    options.transcriptionModel = kTranscriptionModel;
    // The transcript goes on over conversations.
    options.typedIdPrefix = "typed_" + core::randomId().substr(0, 8) + "_";
    m_session = std::make_unique<core::SessionRunner>(core::SessionRunner::Dependencies{*m_tokens, m_deps.transports,
        m_deps.voice, m_deps.tools, m_deps.clock, m_deps.executor, *this, std::move(options)});
    m_session->start();
    for (std::string& text : std::exchange(m_heldTexts, {})) {
        m_session->say(std::move(text));
    }
}

void TalkSession::sessionTold(const core::SessionNotice& told)
{
    if (std::holds_alternative<notice::Ended>(told)) {
        m_isWanted = false;
    }
    tellLater(told);
}

void TalkSession::end(std::optional<Error> error)
{
    m_isWanted = false;
    tellLater(notice::Ended{std::move(error)});
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
