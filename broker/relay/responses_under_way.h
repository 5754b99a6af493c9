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
    /// Something else without a name goes to the provider, which may refuse that as well.
    void sentUnnamed();
    /// An error of the provider's about that event of the client's; empty: about one that it does not name, and which may be another one
    /// unless it was the last, or the error is about a response.
    void refused(const std::string& eventId, bool isAboutAResponse);
    /// Of none of them anything will be told.
    void giveUp();

    [[nodiscard]] bool areNone() const { return m_asked.empty() && m_begun.empty(); }
    /// Begun ones, by the provider's name for them.
    [[nodiscard]] const std::deque<std::string>& begun() const { return m_begun; }
    /// How many were asked for and have not begun.
    [[nodiscard]] std::size_t onlyAsked() const { return m_asked.size(); }

private:
    struct Asked {
        std::string name;
        /// Nothing without a name was sent since.
        bool isLast = true;
    };
    std::deque<Asked> m_asked;
    std::deque<std::string> m_begun;
};

} // namespace vivavoce::broker::relay
