// What a frame costs with a long transcript: processor time of the whole process between two frames of the real window, drawn by
// Qt Quick's software backend, while something changes in each.
#include "app/offline/fakes.h"
#include "app/window.h"

#include <QGuiApplication>
#include <QQuickItem>
#include <QQuickWindow>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

using namespace vivavoce;
namespace notice = core::session_notice;

namespace {

constexpr int kItems = 10'000;
constexpr int kFrames = 300;
/// While what came before settles.
constexpr int kWarmUp = 60;
constexpr double kAgreedMs = 8;

double processorMs()
{
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void enter(offline::FakeConversation& conversation, int number, const std::string& text, bool isFinal)
{
    const bool isUser = number % 2 == 0;
    conversation.tell(notice::TranscriptChanged{core::ConversationEntry{
        "i" + std::to_string(number), isUser ? core::Speaker::User : core::Speaker::Assistant, text, isFinal, false}});
}

std::string words(int number)
{
    return number % 2 == 0
        ? "Tell me more about that."
        : "Gladly. The first part is about how the string is made, the second about how it is tuned, and the last about "
          "who plays it.";
}

/// Draws frames with `change` before each; what they cost. False: it does not keep what was agreed.
bool measure(QQuickWindow& window, const char* name, const std::function<void(int)>& change)
{
    std::vector<double> costs;
    int frame = 0;
    double before = 0;
    QEventLoop loop;
    const auto step = [&] {
        change(frame);
        window.update();
    };
    const auto connection = QObject::connect(
        &window, &QQuickWindow::frameSwapped, &loop,
        [&] {
            const double now = processorMs();
            if (frame > kWarmUp) {
                costs.push_back(now - before);
            }
            before = now;
            if (++frame > kFrames + kWarmUp) {
                loop.quit();
                return;
            }
            step();
        },
        Qt::QueuedConnection);
    step();
    loop.exec();
    QObject::disconnect(connection);
    std::sort(costs.begin(), costs.end());
    const double p95 = costs[costs.size() * 95 / 100];
    std::printf("%-28s %8.2f %8.2f %8.2f\n", name, costs[costs.size() / 2], p95, costs.back());
    return p95 <= kAgreedMs;
}

} // namespace

int main(int argc, char** argv)
{
    qputenv("QT_QUICK_BACKEND", "software");
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    const QGuiApplication app(argc, argv);
    core::Settings wanted;
    wanted.profile = core::Profile::ThisComputer;
    offline::MemorySettings store(wanted);
    core::LiveSettings settings(store);
    core::SystemClock clock;
    offline::FakeVoice voice;
    offline::FakeDevices devices;
    offline::FakeConversation conversation(voice);
    conversation.setQuiet(true);
    offline::FakeAccount account;
    offline::FakeHistory history;
    offline::FakeFiles files;
    app::Window window({conversation, voice, devices, settings, clock, account, history, files});
    if (!window.open()) {
        return 2;
    }
    window.quickWindow()->resize(1'120, 760);
    conversation.tell(notice::PhaseChanged{core::Phase::Live});
    for (int number = 0; number < kItems; ++number) {
        enter(conversation, number, words(number), true);
    }
    conversation.tell(notice::ActivityChanged{core::Activity::Speaking});
    auto* const transcript = window.quickWindow()->findChild<QQuickItem*>(QStringLiteral("transcript"));
    if (transcript == nullptr) {
        std::fputs("vivavoce-bench-ui: the window has no transcript\n", stderr);
        return 2;
    }
    std::printf("%-28s %8s %8s %8s   (ms of processor time a frame, %d items; agreed: p95 <= %.0f)\n", "", "p50", "p95",
        "most", kItems, kAgreedMs);
    bool isKept = measure(*window.quickWindow(), "the string alone", [](int) {});
    int number = kItems;
    std::string reply;
    isKept &= measure(*window.quickWindow(), "a reply that grows", [&](int frame) {
        // A word every other frame, and a new pair of lines now and then.
        if (frame % 60 == 0) {
            enter(conversation, number, reply, true);
            number += 2;
            reply.clear();
        }
        reply += frame % 2 == 0 ? "word " : "";
        enter(conversation, number + 1, reply, false);
    });
    isKept &= measure(*window.quickWindow(), "new lines", [&](int) {
        ++number;
        enter(conversation, number, words(number), true);
    });
    isKept &= measure(*window.quickWindow(), "scrolling",
        [&](int) { transcript->setProperty("contentY", transcript->property("contentY").toReal() - 40); });
    return isKept ? 0 : 1;
}
