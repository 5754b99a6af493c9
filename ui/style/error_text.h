#pragma once

#include "core/base/error.h"
#include "core/settings/broker_address.h"
#include "ui/style/enums.h"

#include <QString>

namespace vivavoce::ui {

/// An error in words: what happened and what to do, and the label of the one action that helps most.
struct ErrorText {
    QString sentence;
    /// Empty: there is no button.
    QString actionLabel;
    ErrorAction action = ErrorAction::Nothing;
};

/// Translated anew at each call.
[[nodiscard]] ErrorText errorText(const core::Error& error);
/// For copying and for scripts: "broker.unreachable", with the other side's code where there is one. Never translated.
[[nodiscard]] QString errorCodeText(const core::Error& error);
[[nodiscard]] QString addressFaultText(core::AddressFault fault);

} // namespace vivavoce::ui
