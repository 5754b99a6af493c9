#pragma once

#include "core/base/error.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// What is wrong with a configuration: all of it, one line each, and never a secret's value.
/// Invariant: one problem a key and place, and a hundred at most; what a file repeats without end is not repeated.
class Problems {
public:
    enum class Severity {
        /// Works, but somebody should look at it.
        Warning,
        /// Works, but others on this computer can read a secret: a fault to check-config, a warning at the start.
        Exposure,
        /// Nothing starts with it.
        Fault,
    };
    struct Problem {
        Severity severity = Severity::Fault;
        std::string key;
        /// "tokens.duration has to be from 10 to 7200 (line 7)".
        std::string text;
    };

    /// Where a key was said: "line 7", "JWT_SECRET". Problems that are found later tell it.
    void setOrigin(std::string_view key, std::string origin) { m_origins[std::string(key)] = std::move(origin); }
    /// Empty where it was not said. What a table of a list lacks is where that table is.
    [[nodiscard]] std::string originOf(std::string_view key) const;

    void add(std::string_view key, std::string_view what, Severity severity = Severity::Fault);
    /// An error whose text is whole by itself.
    void add(std::string_view key, const core::Error& error);
    /// A problem of a place that is no key's origin.
    void addAt(std::string_view key, std::string_view what, const std::string& place);

    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] bool hasFault() const { return count(Severity::Fault) > 0; }
    [[nodiscard]] std::size_t count(Severity severity) const;
    [[nodiscard]] const std::vector<Problem>& all() const { return m_problems; }
    /// The first fault, for whoever can tell only one. There has to be one.
    [[nodiscard]] core::Error firstFault() const;

private:
    void insert(Severity severity, std::string_view key, std::string text, const std::string& place);

    std::map<std::string, std::string, std::less<>> m_origins;
    std::vector<Problem> m_problems;
};

} // namespace vivavoce::broker
