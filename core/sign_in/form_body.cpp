#include "core/sign_in/form_body.h"

#include "core/base/percent.h"

namespace vivavoce::core {

void FormBody::add(std::string_view name, std::string_view value)
{
    if (value.empty()) {
        return;
    }
    constexpr std::size_t kLongestEncoded = 3;
    const std::size_t needed = m_text.size() + name.size() + kLongestEncoded * value.size() + 2;
    if (needed > m_text.capacity()) {
        // By hand: a string that grows leaves its old bytes as they are.
        std::string larger;
        larger.reserve(2 * needed);
        larger += m_text;
        wipeString(m_text);
        m_text = std::move(larger);
    }
    if (!m_text.empty()) {
        m_text += '&';
    }
    m_text += name;
    m_text += '=';
    for (const char& c : value) {
        m_text += percentEncoded({&c, 1});
    }
}

} // namespace vivavoce::core
