#include "broker/auth/internal/good_signatures.h"

#include <openssl/sha.h>

#include <string>
#include <utility>

namespace vivavoce::broker::auth {
namespace {

/// With its older half a few hundred KiB.
constexpr std::size_t kMostYounger = 4'096;

} // namespace

GoodSignatures::Mark GoodSignatures::markOf(std::string_view message, std::span<const std::uint8_t> signature)
{
    std::string both = std::to_string(message.size()) + ' ';
    both += message;
    both.append(signature.begin(), signature.end());
    Mark mark{};
    const void* const bytes = both.data();
    SHA256(static_cast<const unsigned char*>(bytes), both.size(), mark.data());
    return mark;
}

bool GoodSignatures::has(const Mark& mark)
{
    const std::lock_guard lock(m_mutex);
    return m_younger.contains(mark) || m_older.contains(mark);
}

void GoodSignatures::add(const Mark& mark)
{
    const std::lock_guard lock(m_mutex);
    if (m_younger.size() >= kMostYounger) {
        m_older = std::exchange(m_younger, {});
    }
    m_younger.insert(mark);
}

} // namespace vivavoce::broker::auth
