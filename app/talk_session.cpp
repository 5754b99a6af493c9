#include "app/talk_session.h"

#include "core/base/random_id.h"
#include "core/usage/utc_day.h"

#include <algorithm>

namespace vivavoce::app {
namespace {

using core::Error;
namespace notice = core::session_notice;

/// What writes down the user's words; without one there is only half a transcript.
constexpr const char* kTranscriptionModel = "gpt-live-transcribe";
constexpr core::Milliseconds kToolSlack{5'000};
/// Brokers that are still owed something.
constexpr std::size_t kMostAccounts = 4;
/// Nobody who quits waits for longer.
constexpr core::Milliseconds kTellingPatience{1'000};
constexpr core::Milliseconds kTellingInterval{20};

} // namespace

/// What one broker knows us by. Whoever signs in at another one afterwards is none of its business: from then on it is shown what it was
/// shown last.
class TalkSession::BrokersCredential final : public core::CredentialSource {
public:
    BrokersCredential(std::shared_ptr<core::CredentialSource> source, core::Executor& executor)
        : m_source(std::move(source)), m_executor(executor)
    {
    }

    void setCurrent(bool isCurrent) { m_isCurrent = isCurrent; }
    [[nodiscard]] bool isCurrent() const { return m_isCurrent; }
    void forget() { m_shown.reset(); }
    void fetch(core::CredentialCallback done) override
    {
        if (!m_isCurrent) {
            if (m_shown) {
                done(*m_shown);
            } else {
                m_executor.post([done = std::move(done)] {
                    done(core::fail(core::ErrorCode::NotAuthorised, "another broker was chosen"));
                });
            }
            return;
        }
        m_source->fetch([weak = std::weak_ptr<BrokersCredential*>(m_self), done = std::move(done)](
                            const core::Expected<core::CredentialPtr, Error>& credential) {
            const auto self = weak.lock();
            if (self != nullptr && credential && (*self)->m_isCurrent) {
                (*self)->m_shown = *credential;
            }
            done(credential);
        });
    }
    [[nodiscard]] bool replace(const core::CredentialPtr& refused) override
    {
        return m_isCurrent && m_source->replace(refused);
    }

private:
    const std::shared_ptr<core::CredentialSource> m_source;
    core::Executor& m_executor;
    std::optional<core::CredentialPtr> m_shown;
    bool m_isCurrent = true;
    /// What comes late finds nothing here when we are gone.
    std::shared_ptr<BrokersCredential*> m_self = std::make_shared<BrokersCredential*>(this);
};

TalkSession::TalkSession(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_self(std::make_shared<TalkSession*>(this))
{
    m_deps.settings.follow([self = m_self](const core::Settings& settings) {
        if (*self != nullptr) {
            (*self)->followBroker(settings);
            (*self)->followTurns(settings);
        }
    });
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
    m_isEndOwed = true;
    // The last conversation's parts go when nothing of them is on the stack.
    dropSession();
    m_broker = std::make_unique<core::DeferredTokenSource>();
    m_tokens = std::make_unique<core::CachingTokenSource>(*m_broker, m_deps.clock, m_deps.executor);
    const core::Settings& settings = m_deps.settings.current();
    core::SessionOptions options;
    if (settings.profile == core::Profile::Broker) {
        // Our own agent has one.
        options.voice = settings.choice.voice;
    }
    options.transcriptionModel = kTranscriptionModel;
    options.tools = m_deps.tools.begin();
    // They have deadlines of their own; the session's is behind them.
    options.deadlines.tool = m_deps.tools.longest() + kToolSlack;
    // The transcript goes on over conversations.
    options.typedIdPrefix = "typed_" + core::randomId().substr(0, 8) + "_";
    options.maxAttempts = 1 + settings.token.maxRetryAttempts;
    // The services have their own patience; the first token waits for both of them.
    options.deadlines.token += 2 * m_deps.services.patience;
    m_session = std::make_unique<core::SessionRunner>(core::SessionRunner::Dependencies{*m_tokens, m_deps.transports,
        m_deps.voice, m_deps.tools, m_deps.clock, m_deps.executor, *this, std::move(options)});
    if (m_deps.book != nullptr) {
        m_keeper = std::make_unique<core::UsageKeeper>(core::UsageKeeper::Dependencies{*m_deps.book, m_deps.clock,
            settings.profile == core::Profile::Broker ? settings.brokerUrl : std::string(), m_deps.bookFailed});
    }
    watchAllowance();
    followTurns(settings);
    m_session->start();
    // What is said to the agent of this computer is nobody's bill.
    m_usage = nullptr;
    if (!m_allowance->begin()) {
        return;
    }
    if (settings.profile == core::Profile::Broker) {
        dropServices();
        if (const auto used = m_deps.useNetwork(settings.network); !used) {
            m_session->abort(used.error());
            return;
        }
        const Account& account = accountAt(settings.brokerUrl);
        m_usage = account.usage.get();
        useBroker(settings.brokerUrl, account.credential,
            {settings.choice.provider, settings.choice.model, settings.choice.voice, {}, core::projectOf(settings)});
        return;
    }
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
        allowance.monthNanoDollars = std::int64_t{settings.monthLimitCents} * core::kNanoDollarsInACent;
    }
    allowance.silence = std::chrono::minutes{settings.idleMinutes};
    return allowance;
}

void TalkSession::watchAllowance()
{
    core::AllowanceWatch::Dependencies watch{
        m_deps.clock, m_deps.executor, allowance(), [this](Error error) { m_session->abort(std::move(error)); }};
    if (m_deps.book != nullptr) {
        watch.spentThisMonth = [this] {
            return core::spentInMonthOf(*m_deps.book, core::utcDay(m_deps.clock.wallNow()));
        };
    }
    m_allowance = std::make_unique<core::AllowanceWatch>(std::move(watch));
}

void TalkSession::dropSession()
{
    m_allowance.reset();
    m_keeper.reset();
    m_session.reset();
    m_tokens.reset();
    m_broker.reset();
}

void TalkSession::dropServices()
{
    m_address.reset();
    if (m_services == nullptr) {
        return;
    }
    m_ending.push_back(std::move(m_services));
    // It comes from within a child of the services.
    m_ending.back()->end([self = m_self, services = m_ending.back().get(), &executor = m_deps.executor] {
        executor.post([self, services] {
            if (*self != nullptr) {
                std::erase_if((*self)->m_ending, [&](const auto& ending) { return ending.get() == services; });
            }
        });
    });
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

void TalkSession::holdTalk(bool isHeld)
{
    m_isTalkHeld = isHeld;
    if (m_isWanted) {
        m_session->holdTalk(isHeld);
    }
}

void TalkSession::followTurns(const core::Settings& settings)
{
    if (m_isWanted) {
        m_session->makeTurnsByHand(settings.talkMode == core::TalkMode::PushToTalk);
        m_session->holdTalk(m_isTalkHeld);
    }
}

void TalkSession::startServices()
{
    if (m_services != nullptr) {
        // They are on their way, for a conversation that ended before they were there.
        return;
    }
    m_services = std::make_unique<embedded::EmbeddedServices>(m_deps.services);
    const auto later = [this, from = m_services.get()](auto work) {
        // Both callbacks come from within a child of the services, which the work may let go of.
        m_deps.executor.post([self = m_self, from, work = std::move(work)] {
            if (*self != nullptr && (*self)->m_services.get() == from) {
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
    dropServices();
    if (m_isWanted) {
        m_session->abort(error);
    }
}

void TalkSession::useBroker(
    const std::string& url, std::shared_ptr<core::CredentialSource> credential, core::BrokerWishes wishes)
{
    m_broker->become(
        std::make_unique<core::BrokerTokenSource>(core::BrokerTokenSource::Dependencies{m_deps.http, m_deps.clock, url,
            std::move(credential), std::move(wishes), core::randomId(), m_deps.settings.current().token}));
}

TalkSession::Account& TalkSession::accountAt(const std::string& url)
{
    std::erase_if(m_accounts, [&](const Account& each) { return each.brokerUrl != url && each.usage->isDone(); });
    const auto known =
        std::find_if(m_accounts.begin(), m_accounts.end(), [&](const Account& each) { return each.brokerUrl == url; });
    if (known != m_accounts.end()) {
        std::rotate(known, known + 1, m_accounts.end());
        return m_accounts.back();
    }
    if (m_accounts.size() == kMostAccounts) {
        m_accounts.erase(m_accounts.begin());
    }
    auto credential = std::make_shared<BrokersCredential>(m_deps.credential, m_deps.executor);
    auto usage = std::make_unique<core::UsageReporter>(core::UsageReporter::Dependencies{
        m_deps.http, m_deps.clock, m_deps.executor, url, credential, kTranscriptionModel});
    return m_accounts.emplace_back(Account{url, std::move(credential), std::move(usage)});
}

void TalkSession::followBroker(const core::Settings& settings)
{
    for (const Account& account : m_accounts) {
        account.credential->setCurrent(
            settings.profile == core::Profile::Broker && account.brokerUrl == settings.brokerUrl);
    }
}

void TalkSession::forgetUser()
{
    for (const Account& account : m_accounts) {
        // The chosen one hears of the next who signs in; another one that is owed something is still shown who owes it.
        if (account.credential->isCurrent() || account.usage->isDone()) {
            account.credential->forget();
        }
    }
}

void TalkSession::finish(std::function<void()> done)
{
    stop();
    m_finished = std::move(done);
    m_finishBy = m_deps.clock.now() + kTellingPatience;
    finishTelling();
}

void TalkSession::finishTelling()
{
    const bool isTold = std::all_of(
        m_accounts.begin(), m_accounts.end(), [](const Account& account) { return account.usage->isDone(); });
    if ((isTold && !m_isEndOwed) || m_deps.clock.now() >= m_finishBy) {
        // What is written at its end may fail, and somebody is to be there who hears of that.
        m_isWanted = false;
        dropSession();
        std::exchange(m_finished, nullptr)();
        return;
    }
    m_finishing = m_deps.executor.after(kTellingInterval, [this] {
        const auto timer = std::move(m_finishing);
        finishTelling();
    });
}

void TalkSession::sessionTold(const core::SessionNotice& told)
{
    if (m_usage != nullptr) {
        m_usage->told(told);
    }
    // What it asks the book for has to be there.
    if (m_keeper != nullptr) {
        m_keeper->told(told);
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
    if (std::holds_alternative<notice::Ended>(told)) {
        m_isEndOwed = false;
    }
    for (core::ConversationListener* listener : std::vector(m_listeners)) {
        if (std::find(m_listeners.begin(), m_listeners.end(), listener) != m_listeners.end()) {
            listener->conversationTold(told);
        }
    }
}

} // namespace vivavoce::app
