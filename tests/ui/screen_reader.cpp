#include "tests/ui/screen_reader.h"

#include <QAccessible>
#include <QQuickItem>
#include <QQuickWindow>

namespace vivavoce::tests {
namespace {

QAccessibleInterface* nodeOf(QQuickItem* item)
{
    return QAccessible::queryAccessibleInterface(item);
}

void collect(QAccessibleInterface* node, QStringList& names)
{
    for (int i = 0; i < node->childCount(); ++i) {
        QAccessibleInterface* child = node->child(i);
        if (child == nullptr || child->state().invisible) {
            continue;
        }
        if (const QString name = child->text(QAccessible::Name); !name.isEmpty()) {
            names << name;
        }
        collect(child, names);
    }
}

} // namespace

ScreenReader::ScreenReader()
{
    // The templates tell of themselves only where somebody listens.
    QAccessible::setActive(true);
}

QStringList ScreenReader::actions(QQuickItem* item) const
{
    QAccessibleInterface* node = nodeOf(item);
    return node != nullptr && node->actionInterface() != nullptr ? node->actionInterface()->actionNames()
                                                                 : QStringList();
}

bool ScreenReader::act(QQuickItem* item, const QString& action) const
{
    if (!actions(item).contains(action)) {
        return false;
    }
    nodeOf(item)->actionInterface()->doAction(action);
    return true;
}

bool ScreenReader::isChecked(QQuickItem* item) const
{
    QAccessibleInterface* node = nodeOf(item);
    return node != nullptr && node->state().checked;
}

QString ScreenReader::description(QQuickItem* item) const
{
    QAccessibleInterface* node = nodeOf(item);
    return node != nullptr ? node->text(QAccessible::Description) : QString();
}

QString ScreenReader::name(QQuickItem* item) const
{
    QAccessibleInterface* node = nodeOf(item);
    return node != nullptr ? node->text(QAccessible::Name) : QString();
}

QStringList ScreenReader::names(QQuickItem* item) const
{
    QStringList found;
    if (QAccessibleInterface* node = QAccessible::queryAccessibleInterface(item->window())) {
        collect(node, found);
    }
    return found;
}

} // namespace vivavoce::tests
