#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace vivavoce::broker::relay {

/// A stream's responses that were asked for, or begun, and whose end the provider has not told: what they cost is not known yet.
/// Invariant: at most `kMost` of each kind are remembered.
/// Threads: one at a time.
class ResponsesUnderWay {
public:
    static constexpr std::size_t kMost = 256;

    /// The client's response.create goes to the provider. `eventId` is its own, where it has one.
    void asked(std::string_view eventId);
    /// Empty: nobody knows what it is called.
    void began(const std::string& id);
    /// One that never began here was asked for; an end without a name is that of the oldest one.
    void ended(const std::string& id);
    /// An error of the provider's about that event of the client's; empty: about one that it does not name.
    void refused(const std::string& eventId);

    [[nodiscard]] bool areNone() const { return m_asked.empty() && m_begun.empty(); }
    /// Begun ones, by the provider's name for them.
    [[nodiscard]] const std::deque<std::string>& begun() const { return m_begun; }
    /// How many were asked for and have not begun.
    [[nodiscard]] std::size_t onlyAsked() const { return m_asked.size(); }

private:
    std::deque<std::string> m_asked;
    std::deque<std::string> m_begun;
};

} // namespace vivavoce::broker::relay
