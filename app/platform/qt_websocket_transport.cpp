#include "app/platform/qt_websocket_transport.h"

#include "app/platform/connection_faults.h"
#include "app/platform/loopback.h"
#include "core/base/refused_handshake.h"
#include "core/base/visible_ascii.h"

#include <QNetworkRequest>
#include <QRegularExpression>
#include <QTimer>
#include <QUrl>
#include <QWebSocket>

#include <algorithm>
#include <deque>
#include <optional>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::ErrorCode;

/// Of a peer that answers none: longer than any silence that a session bears.
constexpr std::size_t kMostPings = 64;

/// Of the close codes that Qt takes for invalid and does not tell, others than 1012 to 1014 are hardly ever said: this one stands for them.
constexpr std::uint16_t kTryAgainLater = 1013;

/// The server's goodbye was a close code that Qt does not know, which it tells as a fault of the protocol, with words of its own.
bool isUnknownClose(const QWebSocket& socket)
{
    return socket.closeCode() == QWebSocketProtocol::CloseCodeProtocolError
        && socket.closeReason().startsWith(QStringLiteral("Invalid close code"));
}

/// The status of an HTTP answer that was not 101. Qt 6.4 tells it in the error text alone, so it is looked for there.
std::optional<int> refusedStatus(const QString& errorText)
{
    if (errorText.startsWith(QStringLiteral("QWebSocketPrivate::processHandshake: Unknown error condition"))) {
        // Of that one it has no number.
        constexpr int kBadRequest = 400;
        return kBadRequest;
    }
    static const QRegularExpression number(QStringLiteral("\\b([1-5][0-9]{2})\\b"));
    const auto match = number.match(errorText);
    if (!match.hasMatch()) {
        return std::nullopt;
    }
    return match.captured(1).toInt();
}

/// What came instead of a handshake is none. Qt tells that, too, in words alone.
bool isNoHandshake(const QString& errorText)
{
    return errorText.startsWith(QStringLiteral("Accept-Key")) || errorText.contains(QStringLiteral("handshake request"))
        || errorText.startsWith(QStringLiteral("Header is too large"))
        || errorText.startsWith(QStringLiteral("Invalid parameter"))
        || errorText.startsWith(QStringLiteral("Handshake: Server requests a version"));
}

class QtWebSocketTransport final : public core::Transport {
public:
    QtWebSocketTransport()
    {
        m_handshakeDeadline.setSingleShot(true);
        QObject::connect(&m_handshakeDeadline, &QTimer::timeout, &m_context, [this] { handshakeTimedOut(); });
        QObject::connect(&m_socket, &QWebSocket::connected, &m_context, [this] { opened(); });
        QObject::connect(&m_socket, &QWebSocket::disconnected, &m_context, [this] { disconnected(); });
        QObject::connect(&m_socket, &QWebSocket::textMessageReceived, &m_context, [this](const QString& message) {
            const QByteArray utf8 = message.toUtf8();
            if (m_listener != nullptr) {
                m_listener->textReceived({utf8.constData(), static_cast<std::size_t>(utf8.size())});
            }
        });
        QObject::connect(&m_socket, &QWebSocket::binaryMessageReceived, &m_context, [this](const QByteArray& message) {
            if (m_listener != nullptr) {
                m_listener->binaryReceived({message.constData(), static_cast<std::size_t>(message.size())});
            }
        });
        QObject::connect(&m_socket, &QWebSocket::pong, &m_context,
            [this](quint64, const QByteArray& payload) { pingAnswered(payload); });
        QObject::connect(&m_socket, &QWebSocket::sslErrors, &m_context,
            [this](const QList<QSslError>& errors) { m_tlsErrors = errors; });
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
        QObject::connect(&m_socket, &QWebSocket::errorOccurred, &m_context, [this] { failed(); });
#else
        QObject::connect(
            &m_socket, qOverload<QAbstractSocket::SocketError>(&QWebSocket::error), &m_context, [this] { failed(); });
#endif
    }

    ~QtWebSocketTransport() override
    {
        forgetCredential();
        m_listener = nullptr;
        m_socket.disconnect(&m_context);
        m_socket.abort();
    }

    void open(const core::TransportTarget& target, core::TransportListener& listener) override
    {
        m_listener = &listener;
        const QUrl url(QString::fromStdString(target.url), QUrl::StrictMode);
        const bool isPlain = url.scheme() == QStringLiteral("ws");
        if (!url.isValid() || url.host().isEmpty() || (!isPlain && url.scheme() != QStringLiteral("wss"))) {
            endLater({ErrorCode::BadConfiguration, "not a ws or wss address", std::nullopt, {}});
            return;
        }
        if (isPlain && !isLoopback(url)) {
            endLater({ErrorCode::InsecureUrl, "plain ws is only for this computer", std::nullopt, {}});
            return;
        }
        if (target.credential != nullptr && !core::isVisibleAscii(target.credential->reveal())) {
            endLater({ErrorCode::BadConfiguration, "the credential holds what no header takes", std::nullopt, {}});
            return;
        }
        m_socket.setMaxAllowedIncomingMessageSize(target.maxMessageBytes);
        m_socket.setMaxAllowedIncomingFrameSize(target.maxMessageBytes);
        m_maxMessageBytes = target.maxMessageBytes;
        // The default splits a message into frames of 512 KiB; peers with the fault that Qt itself has would choke on the parts.
        m_socket.setOutgoingFrameSize(QWebSocket::maxOutgoingFrameSize());
        m_handshakeDeadline.start(target.timeout);
        m_socket.open(request(url, target));
    }

    void send(std::string_view message) override
    {
        if (m_isOpen) {
            m_sent += message.size();
            m_socket.sendTextMessage(QString::fromUtf8(message.data(), static_cast<qsizetype>(message.size())));
        }
    }

    void ping() override
    {
        if (m_isOpen) {
            if (m_pings.size() == kMostPings) {
                m_pings.pop_front();
            }
            m_pings.push_back({++m_pingCount, m_sent});
            m_socket.ping(QByteArray::number(static_cast<qulonglong>(m_pingCount)));
        }
    }

    void close(std::uint16_t code, std::string_view reason) override
    {
        m_socket.close(static_cast<QWebSocketProtocol::CloseCode>(code),
            QString::fromUtf8(reason.data(), static_cast<qsizetype>(reason.size())));
    }

    [[nodiscard]] std::size_t bufferedBytes() const override
    {
        // Qt's bytesToWrite() knows of what TLS has not encrypted yet, and of nothing behind that.
        return m_arePingsAnswered ? m_sent - m_acknowledged : static_cast<std::size_t>(m_socket.bytesToWrite());
    }

private:
    QNetworkRequest request(const QUrl& url, const core::TransportTarget& target)
    {
        QNetworkRequest result(url);
        if (target.credential == nullptr) {
            return result;
        }
        const std::string_view secret = target.credential->reveal();
        const auto header = [&](const char* name, QByteArray value) {
            m_credentialField = value.append(secret.data(), static_cast<qsizetype>(secret.size()));
            result.setRawHeader(name, m_credentialField);
        };
        switch (target.auth) {
        case core::AuthStyle::Bearer:
            header("Authorization", "Bearer ");
            break;
        case core::AuthStyle::Token:
            header("Authorization", "Token ");
            break;
        case core::AuthStyle::ApiKeyHeader:
            header("api-key", {});
            break;
        case core::AuthStyle::Subprotocol:
            header("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.");
            break;
        case core::AuthStyle::None:
            break;
        }
        return result;
    }

    /// QWebSocket keeps the request while it lives, and never looks at it again after the handshake. The bytes of a field are shared with us.
    void forgetCredential()
    {
        auto* const bytes = const_cast<char*>(m_credentialField.constData()); // NOLINT
        core::Secret::wipe(bytes, static_cast<std::size_t>(m_credentialField.size()));
        m_credentialField = QByteArray();
    }

    void opened()
    {
        m_handshakeDeadline.stop();
        forgetCredential();
        m_isOpen = true;
        if (m_listener != nullptr) {
            m_listener->transportOpened();
        }
    }

    void pingAnswered(const QByteArray& payload)
    {
        // RFC 6455 §5.5.3: only the latest of several pings has to be answered, and there are answers that nobody asked for.
        const auto ping = std::find_if(m_pings.begin(), m_pings.end(),
            [number = payload.toULongLong()](const Ping& one) { return one.number == number; });
        if (ping == m_pings.end()) {
            return;
        }
        m_arePingsAnswered = true;
        m_acknowledged = ping->sentBefore;
        const std::uint64_t number = ping->number;
        m_pings.erase(m_pings.begin(), ping + 1);
        if (m_listener != nullptr) {
            m_listener->pingAnswered(number);
        }
    }

    void disconnected()
    {
        if (!m_isOpen) {
            // Before the handshake a bare disconnect is what a peer that hangs up looks like; where nobody listens the error comes next.
            endLater({ErrorCode::ProviderUnreachable, "the server hung up during the handshake", std::nullopt, {}});
            return;
        }
        m_isOpen = false;
        if (m_socket.closeCode() == QWebSocketProtocol::CloseCodeTooMuchData) {
            end({ErrorCode::ProviderMessageTooBig,
                "a message was longer than " + std::to_string(m_maxMessageBytes) + " bytes", std::nullopt, {}});
            return;
        }
        if (auto* listener = std::exchange(m_listener, nullptr)) {
            if (isUnknownClose(m_socket)) {
                listener->transportClosed({kTryAgainLater, "or 1012 or 1014: it is busy, or starts anew"});
                return;
            }
            const std::string reason = m_socket.closeReason().toStdString();
            auto code = static_cast<std::uint16_t>(m_socket.closeCode());
            if (m_isBroken && code == QWebSocketProtocol::CloseCodeNormal && reason.empty()) {
                // Nobody has said goodbye: what Qt tells is its default.
                code = QWebSocketProtocol::CloseCodeAbnormalDisconnection;
            }
            listener->transportClosed({code, reason});
        }
    }

    void failed()
    {
        if (m_isOpen) {
            // `disconnected` follows with the close code.
            m_isBroken = true;
            return;
        }
        const QString errorText = m_socket.errorString();
        if (isNoHandshake(errorText)) {
            end({ErrorCode::ProviderMalformed, "the server's answer to the WebSocket handshake is not one",
                std::nullopt, {}});
            return;
        }
        const auto status = refusedStatus(errorText);
        if (status && m_socket.error() != QAbstractSocket::HostNotFoundError) {
            end({core::codeOfRefusedHandshake(*status),
                "the server answered the handshake with HTTP " + std::to_string(*status), std::nullopt,
                std::to_string(*status)});
            return;
        }
        end({ErrorCode::ProviderUnreachable, errorText.toStdString(), std::nullopt,
            faultOf(m_socket.error(), errorText, m_tlsErrors)});
    }

    void handshakeTimedOut()
    {
        end({ErrorCode::Timeout, "no answer to the WebSocket handshake", std::nullopt, {}});
        m_socket.abort();
    }

    void end(const Error& error)
    {
        m_handshakeDeadline.stop();
        forgetCredential();
        m_isOpen = false;
        if (auto* listener = std::exchange(m_listener, nullptr)) {
            listener->transportFailed(error);
        }
    }

    void endLater(const Error& error)
    {
        QTimer::singleShot(0, &m_context, [this, error] { end(error); });
    }

    struct Ping {
        std::uint64_t number;
        std::size_t sentBefore;
    };

    core::TransportListener* m_listener = nullptr;
    bool m_isOpen = false;
    /// It ended of an error of the network.
    bool m_isBroken = false;
    std::size_t m_maxMessageBytes = 0;
    std::size_t m_sent = 0;
    std::size_t m_acknowledged = 0;
    std::uint64_t m_pingCount = 0;
    /// Not every peer answers them.
    bool m_arePingsAnswered = false;
    /// Not answered yet.
    std::deque<Ping> m_pings;
    /// What shows who we are, until it has.
    QByteArray m_credentialField;
    QList<QSslError> m_tlsErrors;
    QWebSocket m_socket;
    QTimer m_handshakeDeadline;
    // Last, so that it goes first: nothing is delivered to a half-destroyed object.
    QObject m_context;
};

} // namespace

std::unique_ptr<core::Transport> QtWebSocketFactory::create()
{
    return std::make_unique<QtWebSocketTransport>();
}

} // namespace vivavoce::platform
