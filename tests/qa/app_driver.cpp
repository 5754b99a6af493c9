#include "tests/qa/app_driver.h"

#include <QAbstractItemModel>
#include <QMetaProperty>

#include <utility>

namespace vivavoce::tests {
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

} // namespace

AppDriver::AppDriver() : m_isOpen(m_app.open())
{
    if (m_isOpen) {
        m_app.quickWindow()->requestActivate();
        m_isOpen = QTest::qWaitForWindowExposed(m_app.quickWindow());
    }
}

QQuickItem* AppDriver::find(const QString& name) const
{
    return m_isOpen ? findIn(m_app.quickWindow()->contentItem(), name) : nullptr;
}

bool AppDriver::click(const QString& name)
{
    // What has just come may still be on its way to its place: it is clicked at once it has stayed there for two looks.
    QPoint center(-1, -1);
    const bool isStill = QTest::qWaitFor(
        [&] {
            const QQuickItem* const item = find(name);
            // Between two pages a StackView takes no clicks.
            const QQuickItem* const pages = find(QStringLiteral("pages"));
            const bool isTurning = pages != nullptr && pages->property("busy").toBool();
            if (item == nullptr || !item->isEnabled() || isTurning) {
                return false;
            }
            m_app.quickWindow()->grabWindow();
            const QPoint now = item->mapToScene({item->width() / 2, item->height() / 2}).toPoint();
            return std::exchange(center, now) == now;
        },
        5'000);
    if (!isStill) {
        return false;
    }
    QTest::mouseClick(m_app.quickWindow(), Qt::LeftButton, {}, center);
    return true;
}

bool AppDriver::type(const QString& name, const QString& text)
{
    if (!click(name)) {
        return false;
    }
    for (const QChar c : text) {
        QTest::keyClick(m_app.quickWindow(), c.toLatin1());
    }
    return true;
}

void AppDriver::press(Qt::Key key)
{
    QTest::keyClick(m_app.quickWindow(), key);
}

void AppDriver::hold(Qt::Key key)
{
    QTest::keyPress(m_app.quickWindow(), key);
}

void AppDriver::letGo(Qt::Key key)
{
    QTest::keyRelease(m_app.quickWindow(), key);
}

QString AppDriver::text(const QString& name) const
{
    const QQuickItem* const item = find(name);
    return item == nullptr ? QString() : item->property("text").toString();
}

QList<AppDriver::Line> AppDriver::transcript() const
{
    QList<Line> lines;
    const QQuickItem* const view = find(QStringLiteral("transcript"));
    const auto* const model = view == nullptr ? nullptr : view->property("model").value<QAbstractItemModel*>();
    if (model == nullptr) {
        return lines;
    }
    const QHash<int, QByteArray> names = model->roleNames();
    for (int row = 0; row < model->rowCount(); ++row) {
        const auto value = [&](const char* role) { return model->index(row, 0).data(names.key(role)); };
        lines.append({value("isUser").toBool() ? QStringLiteral("You") : QStringLiteral("Agent"),
            value("words").toString(), value("isFinal").toBool(), value("wasInterrupted").toBool()});
    }
    return lines;
}

std::optional<AppDriver::Line> AppDriver::lastLine(const QString& speaker) const
{
    std::optional<Line> last;
    for (const Line& line : transcript()) {
        if (line.speaker == speaker && line.isFinal) {
            last = line;
        }
    }
    return last;
}

bool AppDriver::waitForState(const QString& state, int milliseconds)
{
    return QTest::qWaitFor([&] { return this->state() == state; }, milliseconds);
}

bool AppDriver::waitForLine(const QString& speaker, const QString& words, int milliseconds)
{
    return QTest::qWaitFor(
        [&] {
            for (const Line& line : transcript()) {
                if (line.speaker == speaker && line.isFinal && line.text.contains(words)) {
                    return true;
                }
            }
            return false;
        },
        milliseconds);
}

void AppDriver::screenshot(const QString& file) const
{
    m_app.quickWindow()->grabWindow().save(file);
}

} // namespace vivavoce::tests
