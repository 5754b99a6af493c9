#pragma once

#include "core/base/error.h"
#include "core/settings/broker_address.h"
#include "core/settings/ca_file.h"
#include "core/settings/provider_choice.h"
#include "core/settings/proxy_address.h"
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
/// The same of a conversation with the agent of this computer: no network is involved.
[[nodiscard]] ErrorText errorTextHere(const core::Error& error);
/// Why there was no connection is known: the sentence is the same whoever was to be reached.
[[nodiscard]] bool isOfTheWay(const core::Error& error);
/// For copying and for scripts: "broker.unreachable", with the other side's code where there is one. Never translated.
[[nodiscard]] QString errorCodeText(const core::Error& error);
[[nodiscard]] QString addressFaultText(core::AddressFault fault);
[[nodiscard]] QString proxyFaultText(core::ProxyFault fault);
[[nodiscard]] QString nameFaultText(core::NameFault fault);
[[nodiscard]] QString caFileFaultText(core::CaFileFault fault);

} // namespace vivavoce::ui
