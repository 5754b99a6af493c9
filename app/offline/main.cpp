#include "app/offline/fake_usage_book.h"
#include "app/offline/fakes.h"
#include "app/offline/renderer.h"
#include "app/window.h"

#include <QGuiApplication>
#include <QProcess>

#include <cstdio>

using namespace vivavoce;

namespace {

int usage()
{
    std::fputs(
        "vivavoce-offline: the window on a made-up conversation, for work on the interface.\n\n"
        "  vivavoce-offline                           opens it\n"
        "  vivavoce-offline --render FOLDER [NAME]    draws every page in every state into PNG files, or the one of that name\n",
        stderr);
    return 2;
}

int show()
{
    offline::MemorySettings store({});
    core::LiveSettings settings(store);
    core::SystemClock clock;
    offline::FakeVoice voice;
    offline::FakeDevices devices;
    offline::FakeConversation conversation(voice);
    offline::FakeAccount account;
    offline::FakeHistory history;
    history.fill();
    offline::FakeFiles files;
    offline::FakeApprovals approvals;
    offline::FakeTools tools;
    offline::FakeRecorder recorder;
    offline::FakePlayer player;
    offline::FakeUsageBook book;
    book.fill(clock.wallNow());
    app::Window window({conversation, voice, devices, settings, clock, account, history, files, true, false, {},
        &approvals, &tools, &offline::checkCaFile, &book,
        [&book](const core::UsageQuery& query, const core::BrokerLedger::Done& done) {
            done(book.asABrokerHasIt(query, !query.session));
        },
        &recorder, &player});
    return window.open() ? QGuiApplication::exec() : 2;
}

} // namespace

int main(int argc, char** argv)
{
    const QByteArray mode = argc > 1 ? argv[1] : "";
    const bool isScaled = mode == "--render-scaled";
    if (argc != 1 && (argc < 3 || argc > 4 || (mode != "--render" && !isScaled))) {
        return usage();
    }
    if (isScaled) {
        qputenv("QT_SCALE_FACTOR", "2");
    }
    QGuiApplication app(argc, argv);
    if (argc == 1) {
        return show();
    }
    const QString folder = QString::fromLocal8Bit(argv[2]);
    const QString name = argc == 4 ? QString::fromLocal8Bit(argv[3]) : QString();
    const int code = offline::renderScenes(folder, isScaled, name);
    if (code != 0 || isScaled) {
        return code;
    }
    // The scale is fixed before the application is made.
    QStringList again{QStringLiteral("--render-scaled"), folder};
    again += name.isEmpty() ? QStringList() : QStringList{name};
    return QProcess::execute(QCoreApplication::applicationFilePath(), again);
}
