#include "ui/style/error_text.h"

#include "core/ports/connection_fault.h"
#include "core/ports/history_fault.h"
#include "core/ports/recording_fault.h"
#include "core/session/allowance_watch.h"
#include "core/token/project_fault.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <string_view>

namespace vivavoce::ui {
namespace {

using core::ErrorCode;

struct Row {
    ErrorCode code;
    const char* sentence;
    ErrorAction action;
};

constexpr const char* kContext = "ErrorText";

// clang-format off
constexpr std::array kRows{
    Row{ErrorCode::BadUsage, QT_TRANSLATE_NOOP("ErrorText", "That cannot be done this way. Start again from the settings."), ErrorAction::ShowSettings},
    Row{ErrorCode::BadConfiguration, QT_TRANSLATE_NOOP("ErrorText", "A setting does not fit. Have a look at the settings."), ErrorAction::ShowSettings},
    Row{ErrorCode::InputUnreadable, QT_TRANSLATE_NOOP("ErrorText", "The recording cannot be read. Check that it is still there."), ErrorAction::Nothing},
    Row{ErrorCode::InputNotAudio, QT_TRANSLATE_NOOP("ErrorText", "This file holds no sound that we know. Try a WAV file."), ErrorAction::Nothing},
    Row{ErrorCode::InputEmpty, QT_TRANSLATE_NOOP("ErrorText", "The recording is empty. Choose another one."), ErrorAction::Nothing},
    Row{ErrorCode::InputNoSpeech, QT_TRANSLATE_NOOP("ErrorText", "No speech was heard. Check the microphone and try again."), ErrorAction::ShowSoundSettings},
    Row{ErrorCode::OutputUnwritable, QT_TRANSLATE_NOOP("ErrorText", "This could not be saved. Check that the disk has room and may be written to."), ErrorAction::Nothing},
    Row{ErrorCode::BrokerUnreachable, QT_TRANSLATE_NOOP("ErrorText", "The broker does not answer. Check the network and its address, then try again."), ErrorAction::Retry},
    Row{ErrorCode::BrokerMalformed, QT_TRANSLATE_NOOP("ErrorText", "Something else answers at the broker's address. Check the address."), ErrorAction::ShowSettings},
    Row{ErrorCode::BrokerFailed, QT_TRANSLATE_NOOP("ErrorText", "The broker has trouble of its own. Try again in a moment."), ErrorAction::Retry},
    Row{ErrorCode::NotAuthorised, QT_TRANSLATE_NOOP("ErrorText", "The broker does not know you. Check your access, then try again."), ErrorAction::ShowSettings},
    Row{ErrorCode::ProviderUnknown, QT_TRANSLATE_NOOP("ErrorText", "Your broker has no such provider. Name another one in the settings, or none: then the broker decides."), ErrorAction::ShowSettings},
    Row{ErrorCode::ChoiceRefused, QT_TRANSLATE_NOOP("ErrorText", "The provider does not take this model, voice or address. Choose others, or ask whoever runs your broker."), ErrorAction::ShowSettings},
    Row{ErrorCode::ChoiceNotAllowed, QT_TRANSLATE_NOOP("ErrorText", "Your broker does not allow this provider, model or voice. Choose others, or ask whoever runs it."), ErrorAction::ShowSettings},
    Row{ErrorCode::RateLimited, QT_TRANSLATE_NOOP("ErrorText", "That was a lot at once. Wait a moment, then try again."), ErrorAction::Retry},
    Row{ErrorCode::TokenExpired, QT_TRANSLATE_NOOP("ErrorText", "Your access ran out before it was renewed. Connect again to go on."), ErrorAction::Retry},
    Row{ErrorCode::InsecureUrl, QT_TRANSLATE_NOOP("ErrorText", "That address is not encrypted. Use one that starts with https."), ErrorAction::ShowSettings},
    Row{ErrorCode::ProviderUnreachable, QT_TRANSLATE_NOOP("ErrorText", "The voice service cannot be reached. Check the network, then try again."), ErrorAction::Retry},
    Row{ErrorCode::ProviderRefused, QT_TRANSLATE_NOOP("ErrorText", "The voice service turned the connection down. Ask whoever runs your broker."), ErrorAction::Retry},
    Row{ErrorCode::ProviderSilent, QT_TRANSLATE_NOOP("ErrorText", "The voice service has gone quiet. Connect again to go on."), ErrorAction::Retry},
    Row{ErrorCode::ProviderMalformed, QT_TRANSLATE_NOOP("ErrorText", "The voice service said something we do not understand. Try again, or look for an update."), ErrorAction::Retry},
    Row{ErrorCode::ProviderMessageTooBig, QT_TRANSLATE_NOOP("ErrorText", "The voice service sent more than we can take. Try again with a shorter request."), ErrorAction::Retry},
    Row{ErrorCode::ProviderClosed, QT_TRANSLATE_NOOP("ErrorText", "The voice service ended the connection. Connect again to go on."), ErrorAction::Retry},
    Row{ErrorCode::ProviderFailed, QT_TRANSLATE_NOOP("ErrorText", "The voice service has trouble of its own. Try again in a moment."), ErrorAction::Retry},
    Row{ErrorCode::ProviderQuota, QT_TRANSLATE_NOOP("ErrorText", "The voice service's allowance is used up. Ask whoever pays for it."), ErrorAction::Nothing},
    Row{ErrorCode::SessionExpired, QT_TRANSLATE_NOOP("ErrorText", "This conversation has reached its longest time. Start a new one to go on."), ErrorAction::Retry},
    Row{ErrorCode::SessionEnded, QT_TRANSLATE_NOOP("ErrorText", "Whoever runs your broker has ended this conversation. Ask them, or start a new one."), ErrorAction::Retry},
    Row{ErrorCode::BudgetExhausted, QT_TRANSLATE_NOOP("ErrorText", "A spending limit is reached: the one in your settings, or one that whoever runs your broker has set."), ErrorAction::ShowSettings},
    Row{ErrorCode::ToolFailed, QT_TRANSLATE_NOOP("ErrorText", "A tool did not work. The conversation goes on; ask again if you need it."), ErrorAction::Nothing},
    Row{ErrorCode::ToolArguments, QT_TRANSLATE_NOOP("ErrorText", "The agent asked for a tool in a way that the tool does not understand. The conversation goes on."), ErrorAction::Nothing},
    Row{ErrorCode::ToolDenied, QT_TRANSLATE_NOOP("ErrorText", "A tool was not allowed to run. The conversation goes on."), ErrorAction::Nothing},
    Row{ErrorCode::ChildNotStarted, QT_TRANSLATE_NOOP("ErrorText", "The agent on this computer did not start. Try again, or install Vivavoce anew."), ErrorAction::Retry},
    Row{ErrorCode::ChildDied, QT_TRANSLATE_NOOP("ErrorText", "The agent on this computer has stopped. Start it again to go on."), ErrorAction::Retry},
    Row{ErrorCode::SoundFailed, QT_TRANSLATE_NOOP("ErrorText", "The sound does not work. Check that a microphone and a loudspeaker are connected."), ErrorAction::ShowSoundSettings},
    Row{ErrorCode::SoundNoMicrophone, QT_TRANSLATE_NOOP("ErrorText", "No microphone can be used. Connect one, or type meanwhile."), ErrorAction::ShowSoundSettings},
    Row{ErrorCode::SoundNoLoudspeaker, QT_TRANSLATE_NOOP("ErrorText", "No loudspeaker can be used. Connect one, or read the replies meanwhile."), ErrorAction::ShowSoundSettings},
    Row{ErrorCode::Timeout, QT_TRANSLATE_NOOP("ErrorText", "That took too long. Check the network, then try again."), ErrorAction::Retry},
    Row{ErrorCode::Cancelled, QT_TRANSLATE_NOOP("ErrorText", "Nobody has said anything for a while, so it was ended. Start again when you like."), ErrorAction::Retry},
    Row{ErrorCode::AlreadyRunning, QT_TRANSLATE_NOOP("ErrorText", "Vivavoce is already open. Look for its other window."), ErrorAction::Nothing},
    Row{ErrorCode::NoDisplay, QT_TRANSLATE_NOOP("ErrorText", "There is no screen to show a window on. Use vivavoce-cli here."), ErrorAction::Nothing},
    Row{ErrorCode::HistoryFailed, QT_TRANSLATE_NOOP("ErrorText", "What is kept on this computer cannot be read or written just now. Check that the disk has room."), ErrorAction::Nothing},
    Row{ErrorCode::RecordingFailed, QT_TRANSLATE_NOOP("ErrorText", "The sound is not recorded any more: the disk is full or too slow. The conversation goes on."), ErrorAction::Nothing},
    Row{ErrorCode::Internal, QT_TRANSLATE_NOOP("ErrorText", "Something went wrong on our side. Try again; the code helps us to find it."), ErrorAction::Retry},
};

namespace fault = core::connection_fault;

struct FaultRow {
    std::string_view fault;
    const char* sentence;
    ErrorAction action;
};

constexpr std::array kFaults{
    FaultRow{fault::kProxyUnreachable, QT_TRANSLATE_NOOP("ErrorText", "Your proxy does not answer. Check its address, or do without it."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kProxyNotFound, QT_TRANSLATE_NOOP("ErrorText", "The name of your proxy is not known here, or it does not know the other one. Check both addresses."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kProxyPassword, QT_TRANSLATE_NOOP("ErrorText", "Your proxy asks for a password, which Vivavoce cannot give. Use another one, or none."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kProxyRefused, QT_TRANSLATE_NOOP("ErrorText", "Your proxy does not let this through. Ask whoever runs it, or use another one, or none."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kCertificateUntrusted, QT_TRANSLATE_NOOP("ErrorText", "Nobody that is trusted here has signed the certificate. If you trust its authority, name its file."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kCertificateExpired, QT_TRANSLATE_NOOP("ErrorText", "The certificate has run out, or the clock of this computer is wrong. Check the clock."), ErrorAction::Retry},
    FaultRow{fault::kCertificateElsewhere, QT_TRANSLATE_NOOP("ErrorText", "The certificate is for another address. Check the address, or ask whoever runs the broker."), ErrorAction::ShowSettings},
    FaultRow{fault::kProxyChoice, QT_TRANSLATE_NOOP("ErrorText", "The proxy that is set is none that can be used. Check its address."), ErrorAction::ShowNetworkSettings},
    FaultRow{fault::kCaFileChoice, QT_TRANSLATE_NOOP("ErrorText", "The file of authorities cannot be used. Name another one, or none."), ErrorAction::ShowNetworkSettings},
};

constexpr std::array kHistoryFaults{
    FaultRow{core::history_fault::kDamaged, QT_TRANSLATE_NOOP("ErrorText", "What is kept on this computer is damaged and cannot be read."), ErrorAction::Nothing},
    FaultRow{core::history_fault::kSetAside, QT_TRANSLATE_NOOP("ErrorText", "What was kept here was damaged. It is set aside, and what is said now goes into a new file."), ErrorAction::Nothing},
};

constexpr std::array kRecordingFaults{
    FaultRow{core::recording_fault::kFormat, QT_TRANSLATE_NOOP("ErrorText", "The sound is not recorded: this computer does not write Ogg Opus. Choose WAV in the settings."), ErrorAction::ShowSettings},
    FaultRow{core::recording_fault::kPlace, QT_TRANSLATE_NOOP("ErrorText", "The sound is not recorded: its file cannot be made. Check that its folder can be written to."), ErrorAction::Nothing},
};

constexpr std::array kProjectFaults{
    FaultRow{core::project_fault::kNeeded, QT_TRANSLATE_NOOP("ErrorText", "Your broker asks which project this is for. Name the one that its operator gave you."), ErrorAction::ShowProject},
    FaultRow{core::project_fault::kNotAllowed, QT_TRANSLATE_NOOP("ErrorText", "This project is not one of yours. Check its name, or ask whoever runs your broker."), ErrorAction::ShowProject},
};
constexpr FaultRow kUnknownMonth{core::kUnknownMonth, QT_TRANSLATE_NOOP("ErrorText", "What this month has come to cannot be read. Delete the figures, or take away the limit of a month."), ErrorAction::ShowSettings};
// clang-format on

template <typename Rows>
const FaultRow* find(const Rows& rows, const std::string& fault)
{
    const auto* const row =
        std::find_if(rows.begin(), rows.end(), [&](const FaultRow& each) { return each.fault == fault; });
    return row != rows.end() ? row : nullptr;
}

/// Null: there is none. What others call their own faults is no word of ours.
const FaultRow* faultOf(const core::Error& error)
{
    const bool isOurs = error.code == ErrorCode::BrokerUnreachable || error.code == ErrorCode::ProviderUnreachable
        || error.code == ErrorCode::BadConfiguration;
    return isOurs ? find(kFaults, error.foreignCode) : nullptr;
}

const FaultRow* keepingFaultOf(const core::Error& error)
{
    return error.code == ErrorCode::RecordingFailed ? find(kRecordingFaults, error.foreignCode)
        : error.code == ErrorCode::HistoryFailed    ? find(kHistoryFaults, error.foreignCode)
                                                    : nullptr;
}

const FaultRow* projectFaultOf(const core::Error& error)
{
    const bool isOurs = error.code == ErrorCode::ChoiceNotAllowed || error.code == ErrorCode::NotAuthorised;
    return isOurs ? find(kProjectFaults, error.foreignCode) : nullptr;
}

constexpr bool rowsInOrder()
{
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].code) != i) {
            return false;
        }
    }
    return kRows.size() == static_cast<std::size_t>(ErrorCode::Internal) + 1;
}
static_assert(rowsInOrder(), "one row per code, in the order of the enum");

QString translated(const char* text)
{
    return QCoreApplication::translate(kContext, text);
}

QString label(ErrorAction action)
{
    switch (action) {
    case ErrorAction::Nothing:
        return {};
    case ErrorAction::Retry:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Try again"));
    case ErrorAction::ShowSettings:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Open settings"));
    case ErrorAction::ShowSoundSettings:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Open sound settings"));
    case ErrorAction::ShowNetworkSettings:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Open network settings"));
    case ErrorAction::ShowProject:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Name the project"));
    }
    return {};
}

} // namespace

ErrorText errorText(const core::Error& error)
{
    for (const FaultRow* const known : {faultOf(error), keepingFaultOf(error), projectFaultOf(error)}) {
        if (known != nullptr) {
            return {translated(known->sentence), label(known->action), known->action};
        }
    }
    if (error.code == ErrorCode::BadConfiguration && error.foreignCode == kUnknownMonth.fault) {
        return {translated(kUnknownMonth.sentence), label(kUnknownMonth.action), kUnknownMonth.action};
    }
    const Row& row = kRows[static_cast<std::size_t>(error.code)];
    return {translated(row.sentence), label(row.action), row.action};
}

ErrorText errorTextHere(const core::Error& error)
{
    const bool isSilent = error.code == ErrorCode::Timeout || error.code == ErrorCode::BrokerUnreachable
        || error.code == ErrorCode::ProviderUnreachable;
    if (!isSilent || faultOf(error) != nullptr) {
        return errorText(error);
    }
    return {translated(QT_TRANSLATE_NOOP("ErrorText",
                "The agent on this computer does not answer. If it stays so, close Vivavoce and open it again.")),
        label(ErrorAction::Retry), ErrorAction::Retry};
}

bool isOfTheWay(const core::Error& error)
{
    return faultOf(error) != nullptr;
}

QString errorCodeText(const core::Error& error)
{
    const std::string_view code = core::codeText(error.code);
    QString text = QString::fromUtf8(code.data(), static_cast<qsizetype>(code.size()));
    if (!error.foreignCode.empty()) {
        text += QStringLiteral(" (%1)").arg(QString::fromStdString(error.foreignCode));
    }
    return text;
}

QString addressFaultText(core::AddressFault fault)
{
    switch (fault) {
    case core::AddressFault::Empty:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "Type the address of your broker."));
    case core::AddressFault::NotAnAddress:
        return translated(
            QT_TRANSLATE_NOOP("ErrorText", "That is not an address. It looks like https://voice.example"));
    case core::AddressFault::Insecure:
        return translated(
            QT_TRANSLATE_NOOP("ErrorText", "Only https is safe here. http works for this computer alone."));
    case core::AddressFault::TooMuch:
        return translated(
            QT_TRANSLATE_NOOP("ErrorText", "Leave out what follows ? or #, and names or passwords before @."));
    }
    return {};
}

QString proxyFaultText(core::ProxyFault fault)
{
    switch (fault) {
    case core::ProxyFault::NotAnAddress:
        return translated(QT_TRANSLATE_NOOP("ErrorText",
            "That is not the address of a proxy. It looks like http://proxy.example:3128 or socks5://proxy.example:1080"));
    case core::ProxyFault::HasCredentials:
        return translated(QT_TRANSLATE_NOOP(
            "ErrorText", "Leave out names and passwords before @: a proxy that asks for them cannot be used."));
    }
    return {};
}

QString nameFaultText(core::NameFault fault)
{
    switch (fault) {
    case core::NameFault::Odd:
        return translated(QT_TRANSLATE_NOOP("ErrorText",
            "That is not a name: it holds a blank, or something else than plain letters, digits and signs."));
    case core::NameFault::TooLong:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "That name is too long: brokers take up to 128 characters."));
    case core::NameFault::Secret:
        return translated(QT_TRANSLATE_NOOP(
            "ErrorText", "That is a key or a token, which does not belong here. A project has a short name."));
    }
    return {};
}

QString caFileFaultText(core::CaFileFault fault)
{
    switch (fault) {
    case core::CaFileFault::Unreadable:
        return translated(
            QT_TRANSLATE_NOOP("ErrorText", "This file cannot be read. Check that it is there, and that you may."));
    case core::CaFileFault::Empty:
        return translated(QT_TRANSLATE_NOOP("ErrorText", "This file is empty. Ask for it once more."));
    case core::CaFileFault::NotPem:
        return translated(QT_TRANSLATE_NOOP(
            "ErrorText", "This file holds no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----."));
    case core::CaFileFault::Expired:
        return translated(QT_TRANSLATE_NOOP(
            "ErrorText", "What this file holds has run out, or the clock of this computer is wrong."));
    }
    return {};
}

} // namespace vivavoce::ui
