#include "audio/audio_engine.h"
#include "audio/internal/far_end.h"
#include "core/base/executor.h"
#include "core/base/thread_role.h"

#include <QTest>

#include <thread>

#ifdef Q_OS_UNIX
#include "tests/audio/aborts.h"
#endif

using namespace vivavoce;
using core::ThreadRole;

namespace {

#if defined(Q_OS_UNIX) && !defined(NDEBUG)
/// Nothing that is posted here is run: only the calls count.
class NoExecutor final : public core::Executor {
public:
    void post(std::function<void()>) override {}
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds, std::function<void()>) override
    {
        return nullptr;
    }
};

void askEngineAs(ThreadRole role)
{
    NoExecutor executor;
    audio::AudioEngine engine(executor, [] {
        return core::Expected<std::unique_ptr<audio::AudioBackend>, core::Error>(
            core::fail(core::ErrorCode::SoundFailed, "none is wanted"));
    });
    std::thread([&engine, role] {
        core::threadRole() = role;
        static_cast<void>(engine.isPlaying());
    }).join();
}

void pumpFarEndAs(ThreadRole role)
{
    auto farEnd = audio::FarEnd::create(core::SampleRate{48'000});
    auto canceller = dsp::EchoCanceller::create({});
    audio::rt::SampleRing played(100);
    std::thread([&farEnd, &canceller, &played, role] {
        core::threadRole() = role;
        farEnd->pump(played, &*canceller, [](std::span<const std::int16_t>) {});
    }).join();
}
#endif

} // namespace

/// docs/threads.md says who may call what; in builds with assertions whoever may not is ended.
class ThreadRolesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void role_IsTheThreadsOwn()
    {
        QVERIFY(core::threadRole() == ThreadRole::Unassigned);
        std::thread([] { core::threadRole() = ThreadRole::Worker; }).join();
        QVERIFY(core::threadRole() == ThreadRole::Unassigned);
    }

    void engine_IsTheMainThreads()
    {
#if defined(Q_OS_UNIX) && !defined(NDEBUG)
        QVERIFY(!tests::aborts([] { askEngineAs(ThreadRole::Main); }));
        QVERIFY(tests::aborts([] { askEngineAs(ThreadRole::Worker); }));
        QVERIFY(tests::aborts([] { askEngineAs(ThreadRole::Device); }));
#else
        QSKIP("NOT TESTED: who may call what. This build has no assertions, or no fork");
#endif
    }

    void soundsWay_IsTheWorkers()
    {
#if defined(Q_OS_UNIX) && !defined(NDEBUG)
        QVERIFY(!tests::aborts([] { pumpFarEndAs(ThreadRole::Worker); }));
        QVERIFY(tests::aborts([] { pumpFarEndAs(ThreadRole::Main); }));
        QVERIFY(tests::aborts([] { pumpFarEndAs(ThreadRole::Device); }));
#else
        QSKIP("NOT TESTED: who may call what. This build has no assertions, or no fork");
#endif
    }
};

QTEST_APPLESS_MAIN(ThreadRolesTest)
#include "test_thread_roles.moc"
