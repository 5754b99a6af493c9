#include <QGenericPlugin>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QQuickItem>
#include <QQuickWindow>
#include <QSocketNotifier>
#include <QStringList>
#include <QTimer>

#include <cstdio>

#include <unistd.h>

namespace {

QQuickItem* findIn(QQuickItem* item, const QString& name)
{
    if (item == nullptr || !item->isVisible()) {
        return nullptr;
    }
    if (item->objectName() == name) {
        return item;
    }
    const QList<QQuickItem*> children = item->childItems();
    for (QQuickItem* child : children) {
        if (QQuickItem* found = findIn(child, name)) {
            return found;
        }
    }
    return nullptr;
}

QQuickItem* find(const QString& name)
{
    const QWindowList windows = QGuiApplication::topLevelWindows();
    for (QWindow* window : windows) {
        auto* const quick = qobject_cast<QQuickWindow*>(window);
        if (QQuickItem* found = quick == nullptr ? nullptr : findIn(quick->contentItem(), name)) {
            return found;
        }
    }
    return nullptr;
}

} // namespace

/// Somebody at the window of a program that knows nothing of it. Each line of its standard input is done as soon as it can be, and told on
/// standard output: `press NAME`, `write NAME WORDS`, `await NAME`, `reads NAME WORDS`, `escape` (the key), `keep HEX` (bytes that then lie
/// about in memory).
class WindowDriver : public QObject {
    Q_OBJECT

public:
    WindowDriver()
    {
        connect(&m_input, &QSocketNotifier::activated, this, [this] { read(); });
        connect(&m_again, &QTimer::timeout, this, [this] { go(); });
        m_again.start(50);
    }

private:
    void read()
    {
        char bytes[4096];
        const ssize_t size = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (size <= 0) {
            m_input.setEnabled(false);
            return;
        }
        m_text.append(bytes, size);
        for (qsizetype end = m_text.indexOf('\n'); end >= 0; end = m_text.indexOf('\n')) {
            m_lines.append(QString::fromUtf8(m_text.left(end)));
            m_text.remove(0, end + 1);
        }
    }
    void go()
    {
        while (!m_lines.isEmpty() && isDone(m_lines.first())) {
            std::printf("%s\n", qPrintable(m_lines.takeFirst()));
            std::fflush(stdout);
        }
    }
    bool isDone(const QString& line)
    {
        const QString verb = line.section(QLatin1Char(' '), 0, 0);
        const QString name = line.section(QLatin1Char(' '), 1, 1);
        const QString words = line.section(QLatin1Char(' '), 2);
        if (verb == QLatin1String("keep")) {
            m_kept = QByteArray::fromHex(name.toLatin1());
            return true;
        }
        if (verb == QLatin1String("escape")) {
            const QWindowList windows = QGuiApplication::topLevelWindows();
            QKeyEvent key(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
            return !windows.isEmpty() && QCoreApplication::sendEvent(windows.first(), &key);
        }
        QQuickItem* const item = find(name);
        // Between two pages a StackView takes no clicks.
        const QQuickItem* const pages = find(QStringLiteral("pages"));
        if (item == nullptr || !item->isEnabled() || (pages != nullptr && pages->property("busy").toBool())) {
            return false;
        }
        if (verb == QLatin1String("press")) {
            QMetaObject::invokeMethod(item, "clicked");
        } else if (verb == QLatin1String("write")) {
            item->setProperty("text", words);
        }
        return verb != QLatin1String("reads") || item->property("text").toString().startsWith(words);
    }

    QSocketNotifier m_input{STDIN_FILENO, QSocketNotifier::Read};
    QTimer m_again;
    QByteArray m_text;
    QStringList m_lines;
    QByteArray m_kept;
};

class WindowDriverPlugin : public QGenericPlugin {
    Q_OBJECT
    Q_PLUGIN_METADATA(IID QGenericPluginFactoryInterface_iid FILE "window_driver.json")

public:
    QObject* create(const QString&, const QString&) override { return new WindowDriver; }
};

#include "window_driver.moc"
