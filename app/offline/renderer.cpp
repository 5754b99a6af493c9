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
    FakeApprovals approvals;
    FakeTools tools;
    app::Window window({conversation, voice, devices, settings, clock, account, true, false, {}, &approvals, &tools});
    if (!window.open()) {
        return false;
    }
    QQuickWindow* quick = window.quickWindow();
    quick->resize(scene.size);
    quick->requestActivate();
    // Where nothing is under it.
    QCursor::setPos(5000, 5000);
    settle(60);
    scene.arrange({conversation, voice, devices, account, approvals, tools,
        [&window](const core::TimerDue& timer) { window.tellTimer(timer); }});
    if (scene.isAccount) {
        QMetaObject::invokeMethod(quick, "showAccount");
    }
    if (scene.settingsScroll >= 0) {
        QMetaObject::invokeMethod(quick, "showSettings");
        settle(kSettleMs);
        if (auto* area = quick->findChild<QQuickItem*>(QStringLiteral("settingsArea"))) {
            const qreal end = area->property("contentHeight").toReal() - area->height();
            area->setProperty("contentY", std::min<qreal>(scene.settingsScroll, std::max<qreal>(end, 0)));
        }
    }
    if (auto* item = scene.focus.isEmpty() ? nullptr : quick->findChild<QQuickItem*>(scene.focus)) {
        item->forceActiveFocus(Qt::TabFocusReason);
    }
    for (const QString& name : scene.press) {
        if (auto* item = quick->findChild<QQuickItem*>(name)) {
            QMetaObject::invokeMethod(item, "clicked");
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
