#pragma once

#include <cstddef>
#include <iosfwd>
#include <string_view>

namespace vivavoce::core {

/// A token, key or password in memory.
/// Invariant: the bytes live in pages of their own that are locked against swapping and left out of core dumps where the
/// platform can do that; they are overwritten before the pages are given back, and no page holds two secrets at a time.
/// It cannot be copied or printed, and has no conversion to a string: `reveal` is the one, searchable way out.
/// Threads: [any thread], one owner at a time.
class Secret {
public:
    Secret() = default;
    /// Copies the bytes; wiping the source is the caller's task (see wipe()).
    explicit Secret(std::string_view bytes);
    ~Secret();

    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    /// The bytes, valid while this object lives and is not moved from. Keep no copy longer than the call that needs it.
    [[nodiscard]] std::string_view reveal() const noexcept { return {m_bytes, m_size}; }
    /// Another owner of the same bytes, on purpose and by name.
    [[nodiscard]] Secret clone() const { return Secret(reveal()); }
    /// Compares in a time that depends only on the length.
    [[nodiscard]] bool equals(std::string_view other) const noexcept;

    /// Overwrites memory in a way that the optimiser keeps.
    static void wipe(void* bytes, std::size_t size) noexcept;

private:
    void release() noexcept;

    char* m_bytes = nullptr;
    std::size_t m_size = 0;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

/// Overwrites and empties a string that held a secret on its way.
template <typename String>
void wipeString(String& text) noexcept
{
    Secret::wipe(text.data(), static_cast<std::size_t>(text.size()) * sizeof(text[0]));
    text.clear();
}

} // namespace vivavoce::core
