#pragma once

#include "app/embedded/child_process.h"
#include "core/base/error.h"
#include "core/base/secret.h"

#include <QString>

#include <functional>
#include <memory>
#include <string>

namespace vivavoce::embedded {

/// "This computer": our own broker and offline agent as children on loopback ports, with credentials made for this launch.
/// Lifetime: both end with this object, and with this process however it ends.
/// Threads: the thread that made it.
class EmbeddedServices {
public:
    struct Address {
        std::string brokerUrl;
        /// What the broker knows us by.
        std::shared_ptr<const core::Secret> credential;
    };
    using Ready = std::function<void(core::Expected<Address, core::Error>)>;
    using Died = std::function<void(core::Error)>;

    /// The folder that holds `vivavoce-broker` and `vivavoce-agent`; extra arguments for the agent, such as `--chat-url`.
    struct Options {
        QString programFolder;
        QStringList agentArguments;
        core::Milliseconds patience{15'000};
    };

    explicit EmbeddedServices(Options options);
    ~EmbeddedServices();

    /// Starts the agent, then the broker that mints at it. One of the two callbacks ends it.
    void start(Ready ready, Died died);
    /// Ends both without waiting: `gone` is called once there is neither, never from within this call. The callbacks of the start are called no
    /// more.
    void end(std::function<void()> gone);
    /// Where either program is missing: which one, in words for `doctor`. Empty: both are there.
    [[nodiscard]] static QString missingProgram(const QString& programFolder);

private:
    void startBroker(const std::string& agentUrl);
    [[nodiscard]] QString program(const char* name) const;
    void refuse(core::Error error);

    Options m_options;
    Ready m_ready;
    Died m_died;
    std::function<void()> m_gone;
    int m_ending = 0;
    std::shared_ptr<const core::Secret> m_brokerCredential;
    core::Secret m_agentCredential;
    std::unique_ptr<ChildProcess> m_agent;
    std::unique_ptr<ChildProcess> m_broker;
};

} // namespace vivavoce::embedded
