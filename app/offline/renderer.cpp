#include "app/offline/renderer.h"

#include "app/offline/scenes.h"
#include "app/window.h"

#include <QCursor>
#include <QDir>
#include <QEventLoop>
#include <QImage>
#include <QQuickItem>
#include <QQuickWindow>
#include <QTimer>

#include <algorithm>
#include <cstdio>

namespace vivavoce::offline {
namespace {

/// Long enough for every animation to come to rest, and for the string to show a level.
constexpr int kSettleMs = 450;

void settle(int milliseconds)
{
    QEventLoop loop;
    QTimer::singleShot(milliseconds, &loop, &QEventLoop::quit);
    loop.exec();
}

/// Also a row of a list, which belongs to nobody that `findChild` knows.
QQuickItem* itemOf(QQuickItem* within, const QString& name)
{
    if (within->objectName() == name) {
        return within;
    }
    for (QQuickItem* child : within->childItems()) {
        if (QQuickItem* found = itemOf(child, name)) {
            return found;
        }
    }
    return nullptr;
}

void scrollTo(QQuickWindow* window, const char* name, qreal wanted)
{
    if (auto* area = window->findChild<QQuickItem*>(QLatin1String(name))) {
        const qreal end = area->property("contentHeight").toReal() - area->height();
        area->setProperty("contentY", std::clamp<qreal>(wanted, 0, std::max<qreal>(end, 0)));
    }
}

bool render(const Scene& scene, core::ColourScheme scheme, const QString& file)
{
    core::Settings wanted;
    wanted.profile = core::Profile::ThisComputer;
    wanted.colourScheme = scheme;
    scene.settings(wanted);
    MemorySettings store(wanted);
    core::LiveSettings settings(store);
    core::SystemClock clock;
    FakeVoice voice;
    voice.setSteady(true);
    FakeDevices devices;
    FakeConversation conversation(voice);
    conversation.setQuiet(true);
    FakeAccount account;
    FakeHistory history;
    FakeFiles files;
    FakeApprovals approvals;
    FakeTools tools;
    FakeRecorder recorder;
    FakePlayer player;
    FakeUsageBook book;
    app::Window window({conversation, voice, devices, settings, clock, account, history, files, true, false, {},
        &approvals, &tools, &checkCaFile, &book,
        [&book](const core::UsageQuery& query, const core::BrokerLedger::Done& done) {
            done(book.asABrokerHasIt(query, !query.session));
        },
        &recorder, &player});
    if (!window.open()) {
        return false;
    }
    QQuickWindow* quick = window.quickWindow();
    quick->resize(scene.size);
    quick->requestActivate();
    // Where nothing is under it.
    QCursor::setPos(5000, 5000);
    settle(60);
    scene.arrange({conversation, voice, devices, account, history, approvals, tools,
        [&window](const core::TimerDue& timer) { window.tellTimer(timer); },
        [&window] { window.tellDamagedSettings(QStringLiteral("/home/ada/.config/vivavoce/vivavoce.ini.damaged")); },
        book});
    if (scene.isAccount) {
        QMetaObject::invokeMethod(quick, "showAccount");
    }
    if (scene.isHistory) {
        QMetaObject::invokeMethod(quick, "showHistory");
        settle(kSettleMs);
    }
    if (scene.isUsage) {
        QMetaObject::invokeMethod(quick, "showUsage");
        settle(kSettleMs);
        scrollTo(quick, "usageArea", scene.settingsScroll);
    } else if (scene.settingsScroll >= 0) {
        QMetaObject::invokeMethod(quick, "showSettings");
        settle(kSettleMs);
        scrollTo(quick, "settingsArea", scene.settingsScroll);
    }
    if (auto* item = scene.focus.isEmpty() ? nullptr : quick->findChild<QQuickItem*>(scene.focus)) {
        item->forceActiveFocus(Qt::TabFocusReason);
    }
    for (const auto& [name, text] : scene.typed) {
        if (QQuickItem* item = itemOf(quick->contentItem(), name)) {
            item->setProperty("text", text);
        }
    }
    for (const QString& name : scene.press) {
        if (QQuickItem* item = itemOf(quick->contentItem(), name)) {
            // A switch turns with its click alone where a hand makes that.
            QMetaObject::invokeMethod(item, item->metaObject()->indexOfMethod("flip()") >= 0 ? "flip" : "clicked");
            settle(kSettleMs);
        }
    }
    settle(kSettleMs);
    const QImage picture = quick->grabWindow();
    return !picture.isNull() && picture.save(file);
}

} // namespace

int renderScenes(const QString& folder, bool isScaled, const QString& name)
{
    if (!QDir().mkpath(folder)) {
        std::fprintf(stderr, "%s cannot be made\n", qPrintable(folder));
        return 2;
    }
    const QDir target(folder);
    bool isKnown = name.isEmpty();
    for (const Scene& scene : allScenes()) {
        if (!name.isEmpty() && scene.name != name) {
            continue;
        }
        isKnown = true;
        if (isScaled && !scene.isScaledToo) {
            continue;
        }
        for (const bool isDark : {false, true}) {
            const QString file = scene.name + (isDark ? QStringLiteral("-dark") : QStringLiteral("-light"))
                + (isScaled ? QStringLiteral("@2x.png") : QStringLiteral(".png"));
            if (!render(scene, isDark ? core::ColourScheme::Dark : core::ColourScheme::Light, target.filePath(file))) {
                std::fprintf(stderr, "%s could not be drawn\n", qPrintable(file));
                return 2;
            }
        }
    }
    if (!isKnown) {
        std::fprintf(stderr, "there is no page %s\n", qPrintable(name));
        return 2;
    }
    return 0;
}

} // namespace vivavoce::offline
