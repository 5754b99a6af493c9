#include "tests/ui/pages_world.h"
#include "tests/ui/screen_reader.h"

#include <QQmlEngine>
#include <QQmlExtensionPlugin>
#include <QtQuickTest>

Q_IMPORT_QML_PLUGIN(Vivavoce_StylePlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_AccountPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_ConversationPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_HistoryPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_SettingsPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_ShellPlugin)
Q_IMPORT_QML_PLUGIN(Vivavoce_UsagePlugin)

/// Gives each tst_*.qml the pages and a world of fakes for them.
class Setup : public QObject {
    Q_OBJECT

public Q_SLOTS:
    void qmlEngineAvailable(QQmlEngine* engine)
    {
        engine->addImportPath(QStringLiteral("qrc:/qt/qml"));
        qmlRegisterSingletonInstance("Vivavoce.Tests", 1, 0, "World", &m_world);
        qmlRegisterSingletonInstance("Vivavoce.Tests", 1, 0, "Reader", &m_reader);
    }

private:
    vivavoce::tests::PagesWorld m_world;
    vivavoce::tests::ScreenReader m_reader;
};

QUICK_TEST_MAIN_WITH_SETUP(pages, Setup)
#include "test_pages.moc"
