#pragma once

#include "core/base/base64.h"
#include "tests/broker/marker_search.h"
#include "tests/integration/scripted_servers.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QProcessEnvironment>
#include <QString>
#include <QStringList>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

inline constexpr const char* kCreated =
    R"({"type":"session.created","event_id":"e1","session":{"type":"realtime","id":"s"}})";
inline constexpr const char* kUpdated =
    R"({"type":"session.updated","event_id":"e2","session":{"type":"realtime","id":"s"}})";
inline constexpr std::array kReply{
    R"({"type":"response.output_text.delta","event_id":"e5","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"Hello."})",
    R"({"type":"response.output_text.done","event_id":"e6","response_id":"r","item_id":"i","output_index":0,"content_index":0,"text":"Hello."})",
    R"({"type":"response.done","event_id":"e7","response":{"id":"r","object":"realtime.response","status":"completed","output":[],"usage":{"total_tokens":7,"input_tokens":3,"output_tokens":4}}})"};

inline std::string base64(const std::string& text)
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
            return core::Json::object();
        });
        answer("POST", "/api/voice-agent/token", [this, providerUrl](const auto&) { return session(providerUrl); });
        m_server = std::make_unique<net::test::TestServer>(std::move(router));
    }

    [[nodiscard]] std::string url() const { return m_server->url(""); }
    const Tokens tokens;
    std::atomic<int> revocations{0};

private:
    [[nodiscard]] core::Json place() const
    {
        const core::Json one{{"issuer", url()}, {"client_id", "app"}, {"scope", "voice:mint"}, {"resource", url()}};
        return {{"resource", url()}, {"authorization_servers", core::Json::array({url()})},
            {"vivavoce_sign_in", core::Json::array({one})}};
    }
    [[nodiscard]] core::Json issuer() const
    {
        return {{"issuer", url()}, {"authorization_endpoint", url() + "/auth"}, {"token_endpoint", url() + "/token"},
            {"device_authorization_endpoint", url() + "/device"}, {"revocation_endpoint", url() + "/revoke"},
            {"code_challenge_methods_supported", core::Json::array({"S256"})},
            {"scopes_supported", core::Json::array({"openid"})}};
    }
    [[nodiscard]] core::Json code() const
    {
        return {{"device_code", tokens.device}, {"user_code", "WDJB-MJHT"}, {"verification_uri", url() + "/device"},
            {"expires_in", 600}, {"interval", 1}};
    }
    [[nodiscard]] core::Json user() const
    {
        const core::Json claims{{"iss", url()}, {"aud", "app"}, {"sub", "ada"}, {"iat", now()}, {"exp", now() + 300}};
        const std::string idToken =
            base64(R"({"alg":"RS256"})") + "." + base64(core::writeJson(claims)) + "." + tokens.signature;
        return {{"access_token", tokens.access}, {"refresh_token", tokens.refresh}, {"id_token", idToken},
            {"token_type", "Bearer"}, {"expires_in", 600}};
    }
    [[nodiscard]] core::Json session(const std::string& providerUrl) const
    {
        return {{"token", tokens.session}, {"tokenType", "Bearer"}, {"sessionId", "voice_1_x"}, {"expiresIn", 60},
            {"expiresAt", "2031-01-01T00:01:00Z"}, {"refreshAfter", "2031-01-01T00:00:48Z"}, {"provider", "openai"},
            {"model", "m"}, {"transport", "direct"},
            {"connect",
                {{"url", providerUrl}, {"auth", "bearer"}, {"dialect", "openai-ga"},
                    {"audio", {{"encoding", "pcm16"}, {"rate", 24000}}}}},
            {"limits", core::Json::object()}};
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

inline QProcessEnvironment environmentIn(const QString& home)
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

inline std::string procFile(qint64 pid, const char* name)
{
    return bytesOf("/proc/" + std::to_string(pid) + "/" + name);
}

inline std::vector<qint64> childrenOf(qint64 pid)
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
inline QStringList openFiles(const std::string& process, const std::string& home)
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

inline QStringList filesOutside(qint64 pid, const std::string& home)
{
    QStringList files = openFiles(std::to_string(pid), home);
    // Inherited from whoever runs the tests, as CTest's own log is.
    for (const QString& ours : openFiles("self", home)) {
        files.removeAll(ours);
    }
    return files;
}

} // namespace vivavoce::tests
