#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::broker::alerts {

struct Mail {
    /// "smtp://mail.example:587", "smtps://mail.example:465".
    std::string url;
    /// STARTTLS, or nothing is sent.
    bool needsTls = true;
    std::string caFile;
    /// Both or none.
    std::string user;
    std::shared_ptr<const core::Secret> password;
    std::string from;
    std::vector<std::string> to;
    std::string message;
    core::Milliseconds timeout{10'000};
};

/// Mails by libcurl on a thread of its own. At most four wait: one more is refused at once.
/// Threads: [any thread]; `done` is called on its thread, or at once.
class MailSender {
public:
    using Sent = core::Expected<void, core::Error>;

    MailSender();
    /// What is under way is cut off.
    ~MailSender();
    MailSender(const MailSender&) = delete;
    MailSender& operator=(const MailSender&) = delete;

    /// Errors: ProviderUnreachable, Timeout, NotAuthorised, ProviderFailed, RateLimited (too many wait), Cancelled.
    void send(Mail mail, std::function<void(Sent)> done);

private:
    class Worker;
    std::unique_ptr<Worker> m_worker;
};

} // namespace vivavoce::broker::alerts
