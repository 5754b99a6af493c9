#pragma once

#include "core/base/error.h"

#include <functional>
#include <optional>
#include <string>

namespace vivavoce::core {

/// How far signing in has come.
struct SignInStatus {
    enum class Stage {
        SignedOut,
        /// The broker and the issuer are asked where to go.
        Preparing,
        WaitingForBrowser,
        /// For somebody who types `userCode` at `verificationUrl`, on whichever device.
        WaitingForDevice,
        Exchanging,
        SignedIn,
        Failed,
    };

    Stage stage = Stage::SignedOut;
    /// Of whoever is signed in.
    std::string name;
    std::string userCode;
    std::string verificationUrl;
    /// The same with the code in it; empty where there is none.
    std::string completeUrl;
    /// Why it has failed, or why nobody is signed in any more.
    std::optional<Error> error;
    /// The issuer knows of signing in with another device. Told from WaitingForBrowser on.
    bool offersDevice = false;
    /// It has failed because no browser opens here, and the issuer offers nothing else.
    bool isBrowserMissing = false;
};

/// Port: who talks, as a broker's issuer knows them. It shows no token to anybody.
/// Threads: the executor's own thread.
class Account {
public:
    enum class Way { Browser, Device };
    /// Told of each change; possibly from within a call. It lives as long as the account changes.
    using Follower = std::function<void(const SignInStatus&)>;

    virtual ~Account() = default;
    virtual void follow(Follower follower) = 0;
    [[nodiscard]] virtual const SignInStatus& status() const = 0;
    /// Nothing where somebody is signed in, or signing in.
    virtual void start(Way way) = 0;
    /// The browser once more, while it is waited for: its window was lost.
    virtual void openAgain() = 0;
    virtual void cancel() = 0;
    virtual void signOut() = 0;
};

} // namespace vivavoce::core
