#pragma once

#include "broker/relay/recent_names.h"
#include "core/base/clock.h"

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
    /// Whoever makes a response says so much sooner.
    static constexpr core::Milliseconds kSlowestBegin{5'000};

    /// The client's response.create goes to the provider. `eventId` is its own, where it has one.
    void asked(std::string_view eventId, core::MonotonicTime now);
    /// Empty: nobody knows what it is called.
    void began(const std::string& id);
    /// One that never began here was asked for; an end without a name is that of the oldest one.
    void ended(const std::string& id);
    /// Something else of the client's goes to the provider, which may refuse that as well.
    void sent(std::string_view eventId, core::MonotonicTime now);
    /// An error of the provider's about the client's event of that name; empty: about one that it does not name. Where it may as well be
    /// about another event, sent before or since, nobody knows whether the response comes: or whoever sends nonsense could ask for one
    /// response after another.
    void refused(const std::string& eventId, bool isAboutAResponse);
    /// Those of which nobody knows, and which have not begun for so long that they never will, are forgotten.
    void forgetRefused(core::MonotonicTime now);
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
        core::MonotonicTime at{};
        /// Nothing else has that name.
        bool isNameItsOwn = true;
        /// The provider has refused something, and that may be it.
        bool isDoubtful = false;
    };
    /// False: it was used before.
    bool use(const std::string& name, core::MonotonicTime now);

    std::deque<Asked> m_asked;
    std::deque<std::string> m_begun;
    RecentNames m_names;
};

} // namespace vivavoce::broker::relay
