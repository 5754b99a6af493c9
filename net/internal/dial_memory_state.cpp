#include "net/internal/dial_memory_state.h"

#include <ctime>
#include <system_error>
#include <utility>

namespace vivavoce::net {
namespace {

/// A certificate that is not trusted any more is good for no longer than that.
constexpr std::chrono::seconds kSessionsHold{3'600};

/// What a context knows of who made it. A connection may outlive both.
struct Owner {
    std::weak_ptr<DialMemory::State> state;
    std::string caFile;
};

void freeOwner(
    void* /*parent*/, void* owner, CRYPTO_EX_DATA* /*all*/, int /*index*/, long /*number*/, void* /*pointer*/)
{
    delete static_cast<Owner*>(owner);
}

int ownerIndex()
{
    static const int index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, &freeOwner);
    return index;
}

Owner* ownerOf(const SSL* connection)
{
    return static_cast<Owner*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), ownerIndex()));
}

/// 1: the session is ours now.
int keepSession(SSL* connection, SSL_SESSION* session)
{
    const Owner* const owner = ownerOf(connection);
    const auto state = owner == nullptr ? nullptr : owner->state.lock();
    // An address has none: its certificates are shown each time.
    const char* const host = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (state == nullptr || host == nullptr) {
        return 0;
    }
    state->keep(owner->caFile, host, session);
    return 1;
}

/// Of the system's own store, which has no one file, and of a file that is not there: the beginning of time.
std::filesystem::file_time_type changeOf(const std::string& caFile)
{
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(caFile, error);
    return error ? std::filesystem::file_time_type::min() : changed;
}

/// Makes room for one more.
template <typename Map>
void bound(Map& map)
{
    while (map.size() >= DialMemory::State::kMost) {
        map.erase(map.begin());
    }
}

} // namespace

DialMemory::DialMemory() : m_state(std::make_shared<State>()) {}

DialMemory::~DialMemory() = default;

std::size_t DialMemory::resumed() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->resumptions;
}

core::Expected<std::shared_ptr<ssl::context>, core::Error> DialMemory::State::context(const TlsTrust& trust)
{
    const auto changedAt = changeOf(trust.extraCaFile);
    const std::lock_guard lock(mutex);
    const auto found = contexts.find(trust.extraCaFile);
    if (found != contexts.end() && found->second.changedAt == changedAt) {
        return found->second.context;
    }
    auto made = makeClientTls(trust);
    if (!made) {
        // A file that is just being replaced is no reason to trust nobody.
        return found == contexts.end() ? made : found->second.context;
    }
    // Who is not trusted any more is not to go on from where they were.
    std::erase_if(sessions, [&](const auto& session) { return session.first.first == trust.extraCaFile; });
    SSL_CTX* const native = (*made)->native_handle();
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    auto owner = std::make_unique<Owner>(Owner{weak_from_this(), trust.extraCaFile});
    if (SSL_CTX_set_ex_data(native, ownerIndex(), owner.get()) == 1) {
        // freeOwner's from now on.
        static_cast<void>(owner.release());
        SSL_CTX_sess_set_new_cb(native, &keepSession);
    }
    if (found == contexts.end()) {
        bound(contexts);
    }
    contexts[trust.extraCaFile] = {*made, changedAt};
    return made;
}

void DialMemory::State::keep(const std::string& caFile, const std::string& host, SSL_SESSION* session)
{
    const std::lock_guard lock(mutex);
    const std::pair key{caFile, host};
    if (!sessions.contains(key)) {
        bound(sessions);
    }
    sessions[key].reset(session);
}

void DialMemory::State::offer(SSL* connection, const std::string& host)
{
    const Owner* const owner = ownerOf(connection);
    if (owner == nullptr) {
        return;
    }
    const std::lock_guard lock(mutex);
    const auto found = sessions.find({owner->caFile, host});
    if (found == sessions.end()) {
        return;
    }
    if (std::time(nullptr) - SSL_SESSION_get_time(found->second.get()) > kSessionsHold.count()) {
        sessions.erase(found);
    } else {
        SSL_set_session(connection, found->second.get());
    }
}

void DialMemory::State::shaken(SSL* connection)
{
    const std::lock_guard lock(mutex);
    resumptions += SSL_session_reused(connection) == 1 ? 1 : 0;
}

DialMemory::State::Endpoints DialMemory::State::addresses(const std::string& authority, Time now)
{
    const std::lock_guard lock(mutex);
    const auto found = known.find(authority);
    if (found == known.end()) {
        return {};
    }
    if (found->second.until <= now) {
        known.erase(found);
        return {};
    }
    return found->second.endpoints;
}

void DialMemory::State::remember(const std::string& authority, Endpoints endpoints, Time now)
{
    const std::lock_guard lock(mutex);
    if (!known.contains(authority)) {
        bound(known);
    }
    known[authority] = {std::move(endpoints), now + kAddressesHold};
}

void DialMemory::State::forget(const std::string& authority)
{
    const std::lock_guard lock(mutex);
    known.erase(authority);
}

} // namespace vivavoce::net
