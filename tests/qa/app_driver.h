#pragma once

#include "app/application.h"

#include <QQuickItem>
#include <QQuickWindow>
#include <QString>
#include <QTest>

#include <optional>

namespace vivavoce::tests {

/// The real application, driven as a person would: finds controls by their objectName, clicks and types, and reads what is
/// shown. Every wait runs the event loop and ends as soon as it can.
class AppDriver {
public:
    /// Opens the window.
    AppDriver();

    [[nodiscard]] bool isOpen() const { return m_isOpen; }
    /// A visible control; null where there is none.
    [[nodiscard]] QQuickItem* find(const QString& name) const;
    [[nodiscard]] bool isShown(const QString& name) const { return find(name) != nullptr; }
    /// False: there is nothing to click at.
    [[nodiscard]] bool click(const QString& name);
    [[nodiscard]] bool type(const QString& name, const QString& text);
    void press(Qt::Key key);
    void hold(Qt::Key key);
    void letGo(Qt::Key key);
    /// The `text` of a control.
    [[nodiscard]] QString text(const QString& name) const;
    /// The words under the string.
    [[nodiscard]] QString state() const { return text(QStringLiteral("stateText")); }

    struct Line {
        QString speaker;
        QString text;
        bool isFinal = false;
        bool wasInterrupted = false;
    };
    [[nodiscard]] QList<Line> transcript() const;
    /// The last line of that speaker that is complete.
    [[nodiscard]] std::optional<Line> lastLine(const QString& speaker) const;

    bool waitForState(const QString& state, int milliseconds = 20'000);
    /// Until a complete line of that speaker holds these words.
    bool waitForLine(const QString& speaker, const QString& words, int milliseconds = 20'000);
    void screenshot(const QString& file) const;

private:
    app::Application m_app;
    bool m_isOpen;
};

} // namespace vivavoce::tests
