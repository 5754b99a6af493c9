#include "core/base/base64.h"
#include "core/base/process_memory.h"
#include "core/base/secret.h"
#include "tests/broker/marker_search.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/process_memory_search.h"
#include "tests/integration/scripted_servers.h"
#include "tests/net/test_server.h"

#include <QCoreApplication>
#include <QFile>
#include <QTemporaryDir>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>

#include <fcntl.h>
#include <unistd.h>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kHold = "--hold";
constexpr const char* kStartAgain = "--start-again";
constexpr const char* kMarker = "VIVAVOCE_STARTED_AGAIN";
constexpr const char* kCreated = R"({"type":"session.created","event_id":"e1","session":{"type":"realtime","id":"s"}})";
constexpr const char* kUpdated = R"({"type":"session.updated","event_id":"e2","session":{"type":"realtime","id":"s"}})";
constexpr std::array kReply{
    R"({"type":"response.output_text.delta","event_id":"e5","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"Hello."})",
    R"({"type":"response.output_text.done","event_id":"e6","response_id":"r","item_id":"i","output_index":0,"content_index":0,"text":"Hello."})",
    R"({"type":"response.done","event_id":"e7","response":{"id":"r","object":"realtime.response","status":"completed","output":[],"usage":{"total_tokens":7,"input_tokens":3,"output_tokens":4}}})"};

std::string base64(const std::string& text)
{
    return core::encodeBase64Url(core::Bytes(text.begin(), text.end()));
}

/// The tokens of one conversation, each told apart from all others.
struct Tokens {
    std::string access = makeMarker();
    std::string refresh = makeMarker();
    std::string device = makeMarker();
    std::string signature = base64(makeMarker());
    std::string session = makeMarker();

    template <typename Search>
    void addTo(Search& search) const
    {
        search.add(QStringLiteral("access token"), access);
        search.add(QStringLiteral("refresh token"), refresh);
        search.add(QStringLiteral("device code"), device);
        search.add(QStringLiteral("ID token"), signature);
        search.add(QStringLiteral("session's token"), session);
    }
};

/// A broker and the issuer that it believes, behind one address: somebody signs in with a code, is given a session, and signs out.
class World {
public:
    explicit World(const std::string& providerUrl)
    {
        net::Router router;
        const auto answer = [&router](const char* method, const char* path, auto make) {
            net::test::addPlain(router, method, path,
                [make](const net::HttpRequest& request) { return net::HttpResponse::json(200, make(request).dump()); });
        };
        answer("GET", "/.well-known/oauth-protected-resource", [this](const auto&) { return place(); });
        answer("GET", "/.well-known/openid-configuration", [this](const auto&) { return issuer(); });
        answer("POST", "/device", [this](const auto&) { return code(); });
        answer("POST", "/token", [this](const auto&) { return user(); });
        answer("POST", "/revoke", [this](const net::HttpRequest& request) {
            revocations += request.body.empty() ? 0 : 1;
            return Json::object();
        });
        answer("POST", "/api/voice-agent/token", [this, providerUrl](const auto&) { return session(providerUrl); });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }

    [[nodiscard]] std::string url() const { return m_server->url(""); }
    const Tokens tokens;
    std::atomic<int> revocations{0};

private:
    [[nodiscard]] Json place() const
    {
        const Json one{{"issuer", url()}, {"client_id", "app"}, {"scope", "voice:mint"}, {"resource", url()}};
        return {{"resource", url()}, {"authorization_servers", Json::array({url()})},
            {"vivavoce_sign_in", Json::array({one})}};
    }
    [[nodiscard]] Json issuer() const
    {
        return {{"issuer", url()}, {"authorization_endpoint", url() + "/auth"}, {"token_endpoint", url() + "/token"},
            {"device_authorization_endpoint", url() + "/device"}, {"revocation_endpoint", url() + "/revoke"},
            {"code_challenge_methods_supported", Json::array({"S256"})}, {"scopes_supported", Json::array({"openid"})}};
    }
    [[nodiscard]] Json code() const
    {
        return {{"device_code", tokens.device}, {"user_code", "WDJB-MJHT"}, {"verification_uri", url() + "/device"},
            {"expires_in", 600}, {"interval", 1}};
    }
    [[nodiscard]] Json user() const
    {
        const Json claims{{"iss", url()}, {"aud", "app"}, {"sub", "ada"}, {"iat", now()}, {"exp", now() + 300}};
        const std::string idToken =
            base64(R"({"alg":"RS256"})") + "." + base64(core::writeJson(claims)) + "." + tokens.signature;
        return {{"access_token", tokens.access}, {"refresh_token", tokens.refresh}, {"id_token", idToken},
            {"token_type", "Bearer"}, {"expires_in", 600}};
    }
    [[nodiscard]] Json session(const std::string& providerUrl) const
    {
        return {{"token", tokens.session}, {"tokenType", "Bearer"}, {"sessionId", "voice_1_x"}, {"expiresIn", 60},
            {"expiresAt", "2031-01-01T00:01:00Z"}, {"refreshAfter", "2031-01-01T00:00:48Z"}, {"provider", "openai"},
            {"model", "m"}, {"transport", "direct"},
            {"connect",
                {{"url", providerUrl}, {"auth", "bearer"}, {"dialect", "openai-ga"},
                    {"audio", {{"encoding", "pcm16"}, {"rate", 24000}}}}},
            {"limits", Json::object()}};
    }
    static std::int64_t now()
    {
        return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    }

    std::unique_ptr<net::test::TestServer> m_server;
};

/// Speaks up to where the reply is awaited, and ends the conversation when told to.
class PatientProvider {
public:
    PatientProvider()
        : m_provider([this](QWebSocket& socket) { begin(socket); },
            [this](QWebSocket& socket, const QString& message) { hear(socket, message); })
    {
    }
    [[nodiscard]] std::string url() const { return m_provider.url().toStdString(); }
    [[nodiscard]] bool isAsked() const { return m_isAsked; }
    [[nodiscard]] QByteArray authorization() const { return m_provider.authorization(); }
    void reply()
    {
        for (const char* event : kReply) {
            m_socket->sendTextMessage(QString::fromUtf8(event));
        }
    }

private:
    void begin(QWebSocket& socket)
    {
        m_socket = &socket;
        socket.sendTextMessage(QString::fromUtf8(kCreated));
    }
    void hear(QWebSocket& socket, const QString& message)
    {
        if (message.contains(QStringLiteral("\"session.update\""))) {
            socket.sendTextMessage(QString::fromUtf8(kUpdated));
        } else if (message.contains(QStringLiteral("\"response.create\""))) {
            socket.sendTextMessage(QStringLiteral(
                R"({"type":"response.created","event_id":"e3","response":{"id":"r","object":"realtime.response","status":"in_progress","output":[]}})"));
            m_isAsked = true;
        }
    }

    QWebSocket* m_socket = nullptr;
    bool m_isAsked = false;
    ScriptedProvider m_provider;
};

QProcessEnvironment environmentIn(const QString& home)
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* name :
        {"HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
        environment.insert(QString::fromLatin1(name), home);
    }
    // As in a release (cmake/hardening.cmake): binding a function at its first call saves the processor's wide registers on the stack, with
    // whatever was last copied through them.
    environment.insert(QStringLiteral("LD_BIND_NOW"), QStringLiteral("1"));
    return environment;
}

std::string procFile(qint64 pid, const char* name)
{
    return bytesOf("/proc/" + std::to_string(pid) + "/" + name);
}

std::vector<qint64> childrenOf(qint64 pid)
{
    const std::string task = "task/" + std::to_string(pid) + "/children";
    std::vector<qint64> children;
    for (const QString& word : QString::fromStdString(procFile(pid, task.c_str())).split(QLatin1Char(' '))) {
        if (!word.isEmpty()) {
            children.push_back(word.toLongLong());
        }
    }
    return children;
}

/// Files that the process has open and that lie elsewhere than in `home`, where all is searched.
QStringList openFiles(const std::string& process, const std::string& home)
{
    QStringList files;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + process + "/fd")) {
        std::error_code error;
        const auto target = std::filesystem::read_symlink(entry.path(), error);
        const bool isFile = std::filesystem::is_regular_file(entry.path(), error);
        const auto mode = std::filesystem::symlink_status(entry.path(), error).permissions();
        const bool isWritten = (mode & std::filesystem::perms::owner_write) != std::filesystem::perms::none;
        if (isFile && isWritten && !target.string().starts_with(home)) {
            files.append(QString::fromStdString(target.string()));
        }
    }
    return files;
}

QStringList filesOutside(qint64 pid, const std::string& home)
{
    QStringList files = openFiles(std::to_string(pid), home);
    // Inherited from whoever runs the tests, as CTest's own log is.
    for (const QString& ours : openFiles("self", home)) {
        files.removeAll(ours);
    }
    return files;
}

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

    void signedInConversation_LeavesNothingAnywhere()
    {
        QTemporaryDir home;
        PatientProvider provider;
        World world(provider.url());
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
    }

    /// With its own broker and agent nobody outside knows the secrets: they are taken from where they may be.
    void conversationOnThisComputer_LeavesNothingAnywhere()
    {
        QTemporaryDir home;
        CliRun cli(
            {QStringLiteral("talk"), QStringLiteral("--in"),
                qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/resources/recordings/question.wav"),
                QStringLiteral("--turns"), QStringLiteral("2"), QStringLiteral("--timeout"), QStringLiteral("60")},
            environmentIn(home.path()));
        QVERIFY2(
            QTest::qWaitFor([&] { return !cli.finalTexts("assistant").empty(); }, 40'000), cli.output().constData());
        const qint64 pid = cli.process().processId();
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
