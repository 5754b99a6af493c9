#include "agent/realtime/client_secrets.h"

#include "core/base/random_id.h"
#include "core/base/secret.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <utility>

namespace vivavoce::agent::realtime {

ClientSecrets::ClientSecrets(std::function<std::int64_t()> now) : m_now(std::move(now))
{
    // Without random bytes every secret could be guessed: there is nothing sensible to go on with.
    if (RAND_bytes(m_key.data(), static_cast<int>(m_key.size())) != 1) {
        std::abort();
    }
}

ClientSecrets::~ClientSecrets()
{
    core::Secret::wipe(m_key.data(), m_key.size());
}

ClientSecrets::Hash ClientSecrets::hash(std::string_view value) const
{
    Hash result{};
    unsigned int size = 0;
    const void* const bytes = value.data();
    HMAC(EVP_sha256(), m_key.data(), static_cast<int>(m_key.size()), static_cast<const unsigned char*>(bytes),
        value.size(), result.data(), &size);
    return result;
}

std::optional<ClientSecrets::Minted> ClientSecrets::mint(std::int64_t lifeSeconds, core::openai::Session session)
{
    const std::int64_t now = m_now();
    Minted minted{"ek_" + core::randomId() + core::randomId(), now + lifeSeconds};
    const Hash key = hash(minted.value);
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_entries, [now](const auto& entry) { return entry.second.expiresAt <= now; });
    if (m_entries.size() >= kMaxLive) {
        return std::nullopt;
    }
    m_entries.emplace(key, Entry{minted.expiresAt, std::move(session)});
    return minted;
}

std::optional<core::openai::Session> ClientSecrets::sessionOf(std::string_view value) const
{
    const Hash key = hash(value);
    const std::lock_guard lock(m_mutex);
    const auto it = m_entries.find(key);
    if (it == m_entries.end() || it->second.expiresAt <= m_now()) {
        return std::nullopt;
    }
    return it->second.session;
}

std::size_t ClientSecrets::live() const
{
    const std::lock_guard lock(m_mutex);
    return m_entries.size();
}

} // namespace vivavoce::agent::realtime
