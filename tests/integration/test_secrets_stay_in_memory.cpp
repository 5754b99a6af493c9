#include "core/base/process_memory.h"
#include "core/base/secret.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/process_memory_search.h"
#include "tests/integration/secrets_world.h"
#include "tests/integration/written_files.h"

#include <QCoreApplication>
#include <QFile>
#include <QTemporaryDir>
#include <QTemporaryFile>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>

#include <fcntl.h>
#include <unistd.h>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kHold = "--hold";
constexpr const char* kStartAgain = "--start-again";
constexpr const char* kMarker = "VIVAVOCE_STARTED_AGAIN";

} // namespace

/// A token is in memory only, in core::Secret's pages, for as long as it is needed: shown of real processes from outside.
class TestSecretsStayInMemory : public QObject {
    Q_OBJECT

    /// What a process that holds the bytes looks like from outside.
    class Holder {
    public:
        explicit Holder(const std::string& bytes)
        {
            m_process.start(QCoreApplication::applicationFilePath(), {QString::fromLatin1(kHold)});
            m_process.write(QByteArray::fromStdString(bytes).toBase64() + '\n');
            m_isReady = m_process.waitForStarted() && m_process.waitForReadyRead(20'000);
        }
        ~Holder()
        {
            m_process.closeWriteChannel();
            m_process.waitForFinished();
        }
        Holder(const Holder&) = delete;
        Holder& operator=(const Holder&) = delete;
        [[nodiscard]] bool isReady() const { return m_isReady; }
        [[nodiscard]] qint64 pid() const { return m_process.processId(); }

    private:
        QProcess m_process;
        bool m_isReady = false;
    };

    static QStringList leftIn(const ProcessMemorySearch& search, qint64 pid)
    {
        const auto memory = memoryOf(pid);
        return memory.empty() ? QStringList{QStringLiteral("the memory could not be read")}
                              : ProcessMemorySearch::told(search.findIn(memory));
    }

private Q_SLOTS:
    void initTestCase()
    {
#ifdef VV_SANITIZED
        QSKIP("a sanitizer has a memory allocator of its own: secrets were NOT looked for");
#endif
        Holder other("nothing");
        QVERIFY(other.isReady());
        if (memoryOf(other.pid()).empty() || !LastBreath(other.pid()).isAttached()) {
            QSKIP(
                "the memory of other processes cannot be read here (it needs root or ptrace): secrets were NOT looked for");
        }
    }

    void program_IsStartedAgainOnce_WithFreedMemoryOverwritten_data()
    {
        QTest::addColumn<QString>("tunables");
        QTest::addColumn<QString>("marker");
        QTest::newRow("as usual") << QString() << QString();
        QTest::newRow("with tunables of a person's own") << QStringLiteral("glibc.malloc.arena_max=2") << QString();
        QTest::newRow("with the same ones") << QString::fromStdString(core::tunablesThatWipe({})) << QString();
        QTest::newRow("with a marker that is another's") << QString() << QStringLiteral("1 glibc.malloc.arena_max=2");
        QTest::newRow("with a marker that is none") << QString() << QStringLiteral("yes");
    }
    void program_IsStartedAgainOnce_WithFreedMemoryOverwritten()
    {
        QFETCH(QString, tunables);
        QFETCH(QString, marker);
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const auto& [name, value] : {std::pair(core::kTunablesVariable, tunables), std::pair(kMarker, marker)}) {
            environment.remove(QString::fromLatin1(name));
            if (!value.isEmpty()) {
                environment.insert(QString::fromLatin1(name), value);
            }
        }
        QProcess process;
        process.setProcessEnvironment(environment);
        process.start(
            QCoreApplication::applicationFilePath(), {QString::fromLatin1(kStartAgain), QStringLiteral("x y")});
        QVERIFY(process.waitForStarted());
        const qint64 pid = process.processId();
        QVERIFY(process.waitForFinished());
        const auto told = core::parseJson(process.readAllStandardOutput().trimmed().toStdString());
        QVERIFY(told.has_value());
        QCOMPARE(told->value("name", ""), QCoreApplication::applicationFilePath().toStdString());
        QCOMPARE(told->value("argument", ""), std::string("x y"));
        QCOMPARE(told->value("pid", 0), static_cast<int>(pid));
        QCOMPARE(told->value("tunables", ""), tunables.toStdString());
        QCOMPARE(told->value("marker", "-"), std::string());
        QVERIFY(told->value("isOverwritten", false));
    }

    void plantedCopy_IsFoundInEachForm()
    {
        ProcessMemorySearch search;
        search.add(QStringLiteral("planted"), makeMarker());
        QVERIFY(search.needles().size() > 20);
        for (const auto& needle : search.needles()) {
            const Holder holder("before" + needle.bytes + "behind");
            QVERIFY(holder.isReady());
            const auto hits = search.findIn(memoryOf(holder.pid()));
            QVERIFY2(std::any_of(hits.begin(), hits.end(),
                         [&](const auto& hit) { return hit.what == needle.what && !hit.isInSecret; }),
                qPrintable(needle.what));
        }
    }

    void fileThatIsWrittenAnywhere_IsSearched()
    {
        WrittenFiles written;
        if (!written.isWatching()) {
            QSKIP(
                "what is written elsewhere than in the home cannot be watched here (it needs root): files are searched there alone");
        }
        MarkerSearch text;
        const std::string secret = makeMarker();
        text.add(QStringLiteral("planted"), secret);
        QTemporaryFile file;
        QVERIFY(file.open());
        file.write("before" + QByteArray::fromStdString(secret) + "behind");
        file.close();
        // Gone before anybody looks.
        QVERIFY(file.remove());
        QVERIFY(!written.findIn({QCoreApplication::applicationPid()}, text).isEmpty());
    }

    void signedInConversation_LeavesNothingAnywhere()
    {
        QTemporaryDir home;
        PatientProvider provider;
        World world(provider.url());
        WrittenFiles written;
        ProcessMemorySearch memory;
        MarkerSearch text;
        world.tokens.addTo(memory);
        world.tokens.addTo(text);
        CliRun cli({QStringLiteral("talk"), QStringLiteral("--broker"), QString::fromStdString(world.url()),
                       QStringLiteral("--sign-in"), QStringLiteral("--no-browser"), QStringLiteral("--text"),
                       QStringLiteral("hello"), QStringLiteral("--timeout"), QStringLiteral("90")},
            environmentIn(home.path()));
        QVERIFY2(QTest::qWaitFor([&] { return provider.isAsked(); }, 30'000), cli.output().constData());
        QCOMPARE(provider.authorization().toStdString(), "Bearer " + world.tokens.session);

        const qint64 pid = cli.process().processId();
        const auto hits = memory.findIn(memoryOf(pid));
        const auto inSecret = [&](const QString& what) {
            return std::any_of(
                hits.begin(), hits.end(), [&](const auto& hit) { return hit.isInSecret && hit.what == what; });
        };
        QVERIFY(inSecret(QStringLiteral("session's token as itself")));
        QVERIFY(inSecret(QStringLiteral("refresh token as itself")));
        QCOMPARE(ProcessMemorySearch::told(ProcessMemorySearch::outsideSecrets(hits)), QStringList());
        for (const char* file : {"cmdline", "environ"}) {
            QVERIFY(!procFile(pid, file).empty());
            QCOMPARE(text.findIn(QString::fromLatin1(file), procFile(pid, file)), QStringList());
        }
        QCOMPARE(filesOutside(pid, home.path().toStdString()), QStringList());

        LastBreath last(pid);
        QVERIFY(last.isAttached());
        provider.reply();
        QVERIFY2(last.waitFor(30'000), cli.output().right(700).constData());
        QCOMPARE(world.revocations.load(), 1);
        QCOMPARE(leftIn(memory, pid), QStringList());
        QCOMPARE(text.findIn(QStringLiteral("output"), cli.output().toStdString()), QStringList());
        QCOMPARE(text.findIn(QStringLiteral("log"), cli.process().readAllStandardError().toStdString()), QStringList());
        QCOMPARE(text.findInFolder(home.path().toStdString()), QStringList());
        QCOMPARE(written.findIn({pid}, text), QStringList());
    }

    /// With its own broker and agent nobody outside knows the secrets: they are taken from where they may be.
    void conversationOnThisComputer_LeavesNothingAnywhere()
    {
        QTemporaryDir home;
        WrittenFiles written;
        CliRun cli(
            {QStringLiteral("talk"), QStringLiteral("--in"),
                qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/resources/recordings/question.wav"),
                QStringLiteral("--turns"), QStringLiteral("2"), QStringLiteral("--timeout"), QStringLiteral("60")},
            environmentIn(home.path()));
        QVERIFY2(
            QTest::qWaitFor([&] { return !cli.finalTexts("assistant").empty(); }, 40'000), cli.output().constData());
        const qint64 pid = cli.process().processId();
        // It would end by itself once everything is answered, and on a busy machine we look for longer.
        ::kill(static_cast<int>(pid), SIGSTOP);
        std::vector<qint64> family = childrenOf(pid);
        QCOMPARE(family.size(), std::size_t{2});
        family.push_back(pid);
        ProcessMemorySearch search;
        MarkerSearch text;
        for (const std::string& secret : secretsIn(memoryOf(pid))) {
            search.add(QStringLiteral("secret"), secret);
            text.add(QStringLiteral("secret"), secret);
        }
        QVERIFY(!search.needles().empty());
        std::vector<std::unique_ptr<LastBreath>> ends;
        for (const qint64 one : family) {
            auto outside = ProcessMemorySearch::outsideSecrets(search.findIn(memoryOf(one)));
            // docs/security.md: a server keeps the head of a request while it serves it. As many ends of secrets as whole ones of those.
            const auto inHeads = std::erase_if(outside, [&](const auto& hit) {
                return one != pid && hit.before.ends_with("Bearer ") && !hit.what.contains(QStringLiteral("beginning"));
            });
            std::erase_if(outside, [&](const auto& hit) { return one != pid && hit.before.ends_with("Bearer "); });
            const auto endings = std::count_if(outside.begin(), outside.end(),
                [](const auto& hit) { return hit.what.endsWith(QStringLiteral("its end")); });
            if (one != pid && endings == static_cast<std::ptrdiff_t>(inHeads)) {
                std::erase_if(outside, [](const auto& hit) { return hit.what.endsWith(QStringLiteral("its end")); });
            }
            QCOMPARE(ProcessMemorySearch::told(outside), QStringList());
            for (const char* file : {"cmdline", "environ"}) {
                QCOMPARE(text.findIn(QString::fromLatin1(file), procFile(one, file)), QStringList());
            }
            QCOMPARE(filesOutside(one, home.path().toStdString()), QStringList());
            if (one == pid) {
                ::kill(static_cast<int>(pid), SIGCONT);
            }
            ends.push_back(std::make_unique<LastBreath>(one));
            QVERIFY(ends.back()->isAttached());
        }
        ::kill(static_cast<int>(pid), SIGINT);
        // Whoever comes to its end is looked at and let go at once: the parent waits for its children, and not for long.
        std::map<qint64, std::vector<MemoryPiece>> left;
        QVERIFY2(QTest::qWaitFor(
                     [&] {
                         for (std::size_t i = 0; i < ends.size(); ++i) {
                             if (ends[i] != nullptr && ends[i]->hasCome()) {
                                 left[family[i]] = memoryOf(family[i]);
                                 ends[i].reset();
                             }
                         }
                         return left.size() == ends.size();
                     },
                     30'000),
            cli.output().right(700).constData());
        for (const auto& [one, memory] : left) {
            QVERIFY(!memory.empty());
            QCOMPARE(ProcessMemorySearch::told(search.findIn(memory)), QStringList());
        }
        QCOMPARE(text.findIn(QStringLiteral("output"), cli.output().toStdString()), QStringList());
        QCOMPARE(text.findInFolder(home.path().toStdString()), QStringList());
        QCOMPARE(written.findIn(family, text), QStringList());
    }
};

/// Keeps what it is told, for the search to find.
static int hold()
{
    std::string line;
    std::getline(std::cin, line);
    const std::string held = QByteArray::fromBase64(QByteArray::fromStdString(line)).toStdString();
    core::Secret::wipe(line.data(), line.size());
    std::cout << "held " << held.size() << std::endl;
    std::getline(std::cin, line);
    return 0;
}

/// Tells what has become of it.
static int startAgain(char** argv)
{
    core::wipeFreedMemory(argv);
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    // All that is needed is there before: nothing takes the place of what is freed.
    std::string found(64, '\0');
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    auto block = std::make_unique<std::string>(found.size(), '~');
    const auto address = reinterpret_cast<std::uintptr_t>(block->data());
    block.reset();
    const ssize_t size = ::pread(memory, found.data(), found.size(), static_cast<off_t>(address));
    // The allocator keeps pointers there, and one of their bytes may be anything.
    const bool isOverwritten = size == static_cast<ssize_t>(found.size()) && found.find("~~~~") == std::string::npos;
    std::cout << core::writeJson(
        {{"name", argv[0]}, {"argument", argv[2]}, {"pid", ::getpid()}, {"tunables", variable(core::kTunablesVariable)},
            {"marker", variable(kMarker)}, {"isOverwritten", isOverwritten}})
              << std::endl;
    return 0;
}

int main(int argc, char** argv)
{
    if (argc == 3 && std::string_view(argv[1]) == kStartAgain) {
        return startAgain(argv);
    }
    if (argc == 2 && std::string_view(argv[1]) == kHold) {
        return hold();
    }
    const QCoreApplication app(argc, argv);
    TestSecretsStayInMemory test;
    return QTest::qExec(&test, argc, argv);
}

#include "test_secrets_stay_in_memory.moc"
