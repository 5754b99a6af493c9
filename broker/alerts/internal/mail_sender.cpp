#include "broker/alerts/internal/mail_sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

constexpr std::size_t kMostWaiting = 4;
constexpr int kLookEveryMs = 1'000;

// Both kinds of handles are void to the compiler.
struct EasyFreed {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiFreed {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListFreed {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What curl reads of.
struct Source {
    std::string_view left;
};

std::size_t give(char* buffer, std::size_t size, std::size_t count, void* source)
{
    std::string_view& left = static_cast<Source*>(source)->left;
    const std::size_t given = std::min(left.size(), size * count);
    std::memcpy(buffer, left.data(), given);
    left.remove_prefix(given);
    return given;
}

MailSender::Sent meaningOf(CURLcode code, long response)
{
    using core::ErrorCode;
    constexpr long kLowestFault = 400;
    switch (code) {
    case CURLE_OK:
        return {};
    case CURLE_OPERATION_TIMEDOUT:
        return core::fail(ErrorCode::Timeout, "the mail server took too long");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return core::fail(ErrorCode::ProviderUnreachable, "the mail server could not be reached");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
        return core::fail(ErrorCode::ProviderUnreachable, "there is no TLS with the mail server that can be trusted");
    case CURLE_LOGIN_DENIED:
        return core::fail(ErrorCode::NotAuthorised, "the mail server does not take user and password");
    default:
        break;
    }
    if (response < kLowestFault) {
        return core::fail(ErrorCode::ProviderUnreachable, "the connection with the mail server broke off");
    }
    core::Error error{ErrorCode::ProviderFailed, {}, std::nullopt, std::to_string(response)};
    error.detail = "the mail server answered " + error.foreignCode;
    return core::Unexpected<core::Error>(std::move(error));
}

} // namespace

class MailSender::Worker {
public:
    Worker() : m_multi(curl_multi_init()), m_thread([this] { run(); }) {}
    ~Worker()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_isStopping = true;
        }
        m_wake.notify_all();
        curl_multi_wakeup(m_multi.get());
        m_thread.join();
        for (Job& job : m_jobs) {
            job.done(
                core::fail(core::ErrorCode::Cancelled, "the broker is going down, or its configuration has changed"));
        }
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void add(Mail mail, std::function<void(Sent)> done)
    {
        {
            const std::lock_guard lock(m_mutex);
            if (m_jobs.size() < kMostWaiting) {
                m_jobs.push_back({std::move(mail), std::move(done)});
                done = nullptr;
            }
        }
        if (done) {
            done(core::fail(core::ErrorCode::RateLimited, "too many mails wait"));
        }
        m_wake.notify_all();
    }

private:
    struct Job {
        Mail mail;
        std::function<void(Sent)> done;
    };

    void run()
    {
        while (true) {
            std::unique_lock lock(m_mutex);
            m_wake.wait(lock, [this] { return m_isStopping || !m_jobs.empty(); });
            if (m_isStopping) {
                return;
            }
            Job job = std::move(m_jobs.front());
            m_jobs.pop_front();
            lock.unlock();
            job.done(sent(job.mail));
        }
    }

    Sent sent(const Mail& mail)
    {
        const std::unique_ptr<CURL, EasyFreed> easy(curl_easy_init());
        if (easy == nullptr || m_multi == nullptr) {
            return core::fail(core::ErrorCode::Internal, "libcurl does not start");
        }
        CURL* const curl = easy.get();
        std::unique_ptr<curl_slist, ListFreed> recipients;
        for (const std::string& one : mail.to) {
            curl_slist* const longer = curl_slist_append(recipients.get(), one.c_str());
            static_cast<void>(recipients.release());
            recipients.reset(longer);
        }
        Source source{mail.message};
        std::string password(mail.password == nullptr ? std::string_view() : mail.password->reveal());
        curl_easy_setopt(curl, CURLOPT_URL, mail.url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        // What the environment says of proxies is not for mail.
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_USE_SSL, mail.needsTls ? CURLUSESSL_ALL : CURLUSESSL_NONE);
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
        if (!mail.caFile.empty()) {
            curl_easy_setopt(curl, CURLOPT_CAINFO, mail.caFile.c_str());
        }
        if (!mail.user.empty()) {
            curl_easy_setopt(curl, CURLOPT_USERNAME, mail.user.c_str());
            curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
        }
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail.from.c_str());
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, &give);
        curl_easy_setopt(curl, CURLOPT_READDATA, &source);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(mail.timeout.count()));
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
        // Who ends does not wait for a name server that does not answer.
        curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
        core::wipeString(password);
        return transferred(curl);
    }

    Sent transferred(CURL* curl)
    {
        curl_multi_add_handle(m_multi.get(), curl);
        CURLcode code = CURLE_OK;
        bool isOver = false;
        while (!isOver && !m_isStopping) {
            int running = 0;
            curl_multi_perform(m_multi.get(), &running);
            int left = 0;
            const CURLMsg* const message = curl_multi_info_read(m_multi.get(), &left);
            if (message != nullptr && message->msg == CURLMSG_DONE) {
                code = message->data.result;
                isOver = true;
            } else {
                curl_multi_poll(m_multi.get(), nullptr, 0, kLookEveryMs, nullptr);
            }
        }
        long response = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response);
        curl_multi_remove_handle(m_multi.get(), curl);
        if (!isOver) {
            return core::fail(core::ErrorCode::Cancelled, "the broker is going down, or its configuration has changed");
        }
        return meaningOf(code, response);
    }

    const std::unique_ptr<CURLM, MultiFreed> m_multi;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Job> m_jobs;
    std::atomic<bool> m_isStopping{false};
    /// Last: it uses the others.
    std::thread m_thread;
};

MailSender::MailSender()
{
    // Before there are threads that use it; once.
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(started);
    m_worker = std::make_unique<Worker>();
}

MailSender::~MailSender() = default;

void MailSender::send(Mail mail, std::function<void(Sent)> done)
{
    m_worker->add(std::move(mail), std::move(done));
}

} // namespace vivavoce::broker::alerts
