#include "tests/broker/marker_search.h"

#include <QByteArray>
#include <QRandomGenerator>

#include <fstream>
#include <iterator>

namespace vivavoce::tests {
namespace {

/// A part that nobody would write by chance.
constexpr std::size_t kTelling = 12;

/// Base64 of the secret behind `before` other bytes: those of its digits that hang on nothing but the secret.
std::string base64Within(const std::string& secret, std::size_t before, QByteArray::Base64Options options)
{
    const std::string text = std::string(before, 'x') + secret;
    const std::string digits = QByteArray::fromStdString(text).toBase64(options).toStdString();
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t end = text.size() * 8 / 6;
    return digits.substr(first, end - first);
}

/// As nlohmann and others write it; `escapesSlash` as some do.
std::string jsonOf(const std::string& secret, bool escapesSlash)
{
    std::string text;
    for (const char c : secret) {
        text += c == '"' || c == '\\' || (c == '/' && escapesSlash) ? std::string("\\") + c : std::string(1, c);
    }
    return text;
}

} // namespace

std::string makeMarker()
{
    std::string marker = "mk-";
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int i = 0; i < 14; ++i) {
        marker += letters.at(QRandomGenerator::global()->bounded(static_cast<quint32>(letters.size())));
    }
    marker += "\"/%+\\?";
    for (int i = 0; i < 14; ++i) {
        marker += letters.at(QRandomGenerator::global()->bounded(static_cast<quint32>(letters.size())));
    }
    return marker;
}

void MarkerSearch::add(QString name, std::string secret)
{
    m_secrets.emplace_back(std::move(name), std::move(secret));
}

std::vector<MarkerSearch::Form> MarkerSearch::formsOf(const std::string& secret)
{
    const QByteArray bytes = QByteArray::fromStdString(secret);
    std::vector<Form> forms{
        {QStringLiteral("itself"), secret},
        {QStringLiteral("its beginning"), secret.substr(0, kTelling)},
        {QStringLiteral("its end"), secret.substr(secret.size() - kTelling)},
        {QStringLiteral("percent-encoded"), bytes.toPercentEncoding().toStdString()},
        {QStringLiteral("JSON"), jsonOf(secret, false)},
        {QStringLiteral("JSON with slashes escaped"), jsonOf(secret, true)},
        {QStringLiteral("hexadecimal"), bytes.toHex().toStdString()},
        {QStringLiteral("upper-case hexadecimal"), bytes.toHex().toUpper().toStdString()},
    };
    for (std::size_t before = 0; before < 3; ++before) {
        forms.emplace_back(QStringLiteral("base64"), base64Within(secret, before, QByteArray::Base64Encoding));
        forms.emplace_back(QStringLiteral("base64url"), base64Within(secret, before, QByteArray::Base64UrlEncoding));
    }
    return forms;
}

QStringList MarkerSearch::findIn(const QString& place, const std::string& bytes) const
{
    QStringList found;
    for (const auto& [name, secret] : m_secrets) {
        for (const auto& [form, text] : formsOf(secret)) {
            if (bytes.find(text) != std::string::npos) {
                found.append(name + QStringLiteral(" as ") + form + QStringLiteral(" in ") + place);
            }
        }
    }
    return found;
}

QStringList MarkerSearch::findInFolder(const std::filesystem::path& folder) const
{
    QStringList found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            found += findIn(QString::fromStdString(entry.path().filename().string()), bytesOf(entry.path()));
        }
    }
    return found;
}

QStringList MarkerSearch::missedIn(const std::string& bytes) const
{
    QStringList missed;
    for (const auto& [name, secret] : m_secrets) {
        for (const auto& [form, text] : formsOf(secret)) {
            MarkerSearch one;
            one.add(name, secret);
            const QString wanted = name + QStringLiteral(" as ") + form + QStringLiteral(" in it");
            const std::size_t half = bytes.size() / 2;
            if (!one.findIn(QStringLiteral("it"), bytes.substr(0, half) + text + bytes.substr(half)).contains(wanted)) {
                missed.append(wanted);
            }
        }
    }
    return missed;
}

std::string bytesOf(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

} // namespace vivavoce::tests
