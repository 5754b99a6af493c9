#pragma once

#include "core/base/secret.h"

#include <string>
#include <string_view>

namespace vivavoce::core {

/// `application/x-www-form-urlencoded`, some of whose values are secret.
/// Invariant: whatever memory it has used is overwritten before it is given back; who takes the text wipes that.
class FormBody {
public:
    FormBody() = default;
    ~FormBody() { wipeString(m_text); }
    FormBody(const FormBody&) = delete;
    FormBody& operator=(const FormBody&) = delete;

    /// An empty value is left out.
    void add(std::string_view name, std::string_view value);
    void add(std::string_view name, const Secret& value) { add(name, value.reveal()); }
    [[nodiscard]] std::string take() { return std::move(m_text); }

private:
    std::string m_text;
};

} // namespace vivavoce::core
