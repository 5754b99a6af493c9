#pragma once

#include "core/base/error.h"
#include "core/base/secret.h"

#include <functional>
#include <memory>
#include <utility>

namespace vivavoce::core {

using CredentialPtr = std::shared_ptr<const Secret>;
using CredentialCallback = std::function<void(Expected<CredentialPtr, Error>)>;

/// What shows a broker who is asking. Callers cannot tell whether it is a literal or a signed-in user's, which changes.
/// Threads: the executor's own thread. The callback is called exactly once, unless the source is destroyed first; with a credential possibly
/// from within `fetch`, with an error never.
class CredentialSource {
public:
    virtual ~CredentialSource() = default;
    virtual void fetch(CredentialCallback done) = 0;
    /// The broker did not take it. True: the next fetch may bring another one.
    [[nodiscard]] virtual bool replace(const CredentialPtr& refused) = 0;
};

/// Always the same. Null: whoever asks shows nothing.
class LiteralCredential final : public CredentialSource {
public:
    explicit LiteralCredential(CredentialPtr credential) : m_credential(std::move(credential)) {}

    void fetch(CredentialCallback done) override { done(m_credential); }
    [[nodiscard]] bool replace(const CredentialPtr&) override { return false; }

private:
    const CredentialPtr m_credential;
};

} // namespace vivavoce::core
