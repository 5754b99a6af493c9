#pragma once

#include <QObject>
#include <QtQml/qqmlregistration.h>

/// What QML and C++ both name. In QML: Ui.Listening.
namespace vivavoce::ui {
Q_NAMESPACE
QML_NAMED_ELEMENT(Ui)

/// What goes on, as people see it.
enum class Voice { Idle, Connecting, Reconnecting, Listening, Hearing, Thinking, Tool, Speaking, Muted, Failed };
Q_ENUM_NS(Voice)

/// What a person can do about an error.
enum class ErrorAction { Nothing, Retry, ShowSettings, ShowSoundSettings, ShowNetworkSettings, ShowProject };
Q_ENUM_NS(ErrorAction)

} // namespace vivavoce::ui
