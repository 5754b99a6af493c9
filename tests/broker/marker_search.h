#pragma once

#include <QString>
#include <QStringList>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// A secret that nothing else looks like, with characters in it that programs write in other ways: quotes, slashes, percent signs.
/// Visible ASCII, one word.
[[nodiscard]] std::string makeMarker();

/// Looks for secrets in all the forms that programs write text in: as they are, percent-encoded, as JSON, in hexadecimal digits, in base64 and
/// base64url at any place of a longer text, and cut off.
class MarkerSearch {
public:
    /// What `bytes` are found as.
    using Form = std::pair<QString, std::string>;

    void add(QString name, std::string secret);
    /// "key as base64 in log", for each that is there.
    [[nodiscard]] QStringList findIn(const QString& place, const std::string& bytes) const;
    /// In all files below it.
    [[nodiscard]] QStringList findInFolder(const std::filesystem::path& folder) const;
    /// What this search would not find although it is there: each secret in each form, in the midst of `bytes`.
    [[nodiscard]] QStringList missedIn(const std::string& bytes) const;

    [[nodiscard]] static std::vector<Form> formsOf(const std::string& secret);

private:
    std::vector<std::pair<QString, std::string>> m_secrets;
};

/// Empty where it cannot be read.
[[nodiscard]] std::string bytesOf(const std::filesystem::path& file);

} // namespace vivavoce::tests
