#include "app/platform/qt_http_client.h"

#include "app/platform/connection_faults.h"
#include "app/platform/loopback.h"
#include "core/base/visible_ascii.h"

#include <QIODevice>
#include <QNetworkAccessManager>
#include <QNetworkCookie>
#include <QNetworkCookieJar>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QPointer>
#include <QSslConfiguration>
#include <QTimer>
#include <QUrl>

#include <algorithm>
#include <utility>

namespace vivavoce::platform {
namespace {

using core::Error;
using core::ErrorCode;
using core::HttpClient;

/// Keeps no cookies: a broker that sets one gets nothing back.
class NoCookies final : public QNetworkCookieJar {
public:
    [[nodiscard]] QList<QNetworkCookie> cookiesForUrl(const QUrl&) const override { return {}; }
    bool setCookiesFromUrl(const QList<QNetworkCookie>&, const QUrl&) override { return false; }
};

/// A body that is sent once. Qt sends a request again, up to three times, where a connection ends before the answer: the broker may have
/// obeyed it by then, and would mint again, or take a renewal for theft. Whoever asks decides about that.
class BodySentOnce final : public QIODevice {
public:
    explicit BodySentOnce(QByteArray body) : m_body(std::move(body)) { open(ReadOnly | Unbuffered); }

    [[nodiscard]] qint64 size() const override { return m_body.size(); }
    bool seek(qint64 position) override { return position >= pos() && QIODevice::seek(position); }
    bool reset() override { return pos() == 0; }

private:
    qint64 readData(char* to, qint64 most) override
    {
        const qint64 size = std::min(most, m_body.size() - pos());
        std::copy_n(m_body.constData() + pos(), size, to);
        return size;
    }
    qint64 writeData(const char*, qint64) override { return -1; }

    QByteArray m_body;
};

std::string text(const QString& s)
{
    return s.toStdString();
}

/// One request. Deletes nothing that Qt still uses; `finish` runs at most once.
class QtHttpCall final : public core::HttpCall {
public:
    QtHttpCall(HttpClient::Callback done, std::size_t maxBodyBytes)
        : m_done(std::move(done)), m_maxBodyBytes(maxBodyBytes)
    {
    }

    ~QtHttpCall() override { dropReply(); }

    void refuse(Error error)
    {
        QObject::connect(
            &m_deadline, &QTimer::timeout, &m_deadline, [this, error] { finish(core::Unexpected<Error>(error)); });
        m_deadline.setSingleShot(true);
        m_deadline.start(0);
    }

    void watch(QNetworkReply* reply, core::Milliseconds timeout)
    {
        m_reply = reply;
        QObject::connect(&m_deadline, &QTimer::timeout, &m_deadline, [this, timeout] {
            finish(core::fail(ErrorCode::Timeout, "no answer within " + std::to_string(timeout.count()) + " ms"));
        });
        m_deadline.setSingleShot(true);
        m_deadline.start(timeout);
        QObject::connect(reply, &QNetworkReply::sslErrors, &m_deadline,
            [this](const QList<QSslError>& errors) { m_tlsErrors = errors; });
        QObject::connect(reply, &QNetworkReply::readyRead, &m_deadline, [this] { checkSize(); });
        QObject::connect(reply, &QNetworkReply::finished, &m_deadline, [this] { complete(); });
    }

private:
    void checkSize()
    {
        if (m_reply->bytesAvailable() > static_cast<qint64>(m_maxBodyBytes)) {
            finish(core::fail(
                ErrorCode::BrokerMalformed, "the answer is longer than " + std::to_string(m_maxBodyBytes) + " bytes"));
        }
    }

    void complete()
    {
        const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        const auto fault = m_reply->error();
        // Qt calls every status from 400 up an error; for us an answer is an answer, unless it broke off in the middle.
        const bool whole = fault == QNetworkReply::NoError || fault >= QNetworkReply::ContentAccessDenied;
        if (status == 0 || !whole) {
            // Something came, and it is no whole answer.
            const bool isBroken = fault == QNetworkReply::ProtocolFailure
                || (status != 0 && fault == QNetworkReply::RemoteHostClosedError);
            const auto code = isBroken ? ErrorCode::BrokerMalformed : ErrorCode::BrokerUnreachable;
            // Host and port, and nothing else of the address: a path or query may hold what is not for logs.
            const QString where = m_reply->url().authority(QUrl::FullyEncoded).section(QLatin1Char('@'), -1);
            const QString words = m_reply->errorString();
            finish(core::Unexpected<Error>(Error{code, text(where + QStringLiteral(": ") + words), std::nullopt,
                isBroken ? std::string() : faultOf(*m_reply, m_tlsErrors)}));
            return;
        }
        HttpClient::Response response;
        response.status = status;
        for (const auto& [name, value] : m_reply->rawHeaderPairs()) {
            response.headers.add(name.toStdString(), value.toStdString());
        }
        QByteArray body = m_reply->readAll();
        response.body.assign(body.constData(), static_cast<std::size_t>(body.size()));
        core::wipeString(body);
        finish(std::move(response));
    }

    void finish(core::Expected<HttpClient::Response, Error> result)
    {
        m_deadline.stop();
        dropReply();
        // The callback may destroy this call.
        const auto done = std::move(m_done);
        if (done) {
            done(std::move(result));
        }
    }

    void dropReply()
    {
        if (m_reply != nullptr) {
            m_reply->disconnect(&m_deadline);
            m_reply->abort();
            m_reply->deleteLater();
            m_reply = nullptr;
        }
    }

    HttpClient::Callback m_done;
    std::size_t m_maxBodyBytes;
    QPointer<QNetworkReply> m_reply;
    QList<QSslError> m_tlsErrors;
    QTimer m_deadline;
};

} // namespace

struct QtHttpClient::Network {
    Network()
    {
        manager.setCookieJar(new NoCookies);
        manager.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
    }
    [[nodiscard]] bool isIdle() const { return manager.findChildren<QNetworkReply*>().isEmpty(); }

    /// Whom it trusts.
    QSslConfiguration trust = QSslConfiguration::defaultConfiguration();
    QNetworkAccessManager manager;
};

QtHttpClient::QtHttpClient() : m_network(std::make_unique<Network>()) {}

QtHttpClient::~QtHttpClient() = default;

/// For each host it goes by what was trusted when it first tried there; also where that failed, some minutes long.
void QtHttpClient::followTrust()
{
    std::erase_if(m_former, [](const auto& each) { return each->isIdle(); });
    if (m_network->trust != QSslConfiguration::defaultConfiguration()) {
        m_former.push_back(std::exchange(m_network, std::make_unique<Network>()));
    }
}

std::unique_ptr<core::HttpCall> QtHttpClient::send(Request request, Callback done)
{
    auto call = std::make_unique<QtHttpCall>(std::move(done), request.maxBodyBytes);
    const QUrl url(QString::fromStdString(request.url), QUrl::StrictMode);
    const bool isHttp = url.scheme() == QStringLiteral("http");
    if (!url.isValid() || url.host().isEmpty() || (!isHttp && url.scheme() != QStringLiteral("https"))) {
        call->refuse({ErrorCode::BadUsage, "not an http or https address", std::nullopt, {}});
        return call;
    }
    if (isHttp && !isLoopback(url)) {
        call->refuse({ErrorCode::InsecureUrl, "plain http is only for this computer", std::nullopt, {}});
        return call;
    }
    if (request.bearer != nullptr && !core::isVisibleAscii(request.bearer->reveal())) {
        call->refuse({ErrorCode::BadConfiguration, "the credential holds what no header takes", std::nullopt, {}});
        return call;
    }
    QNetworkRequest qtRequest(url);
    qtRequest.setAttribute(QNetworkRequest::CacheLoadControlAttribute, QNetworkRequest::AlwaysNetwork);
    qtRequest.setAttribute(QNetworkRequest::CacheSaveControlAttribute, false);
    for (const auto& field : request.headers.fields()) {
        qtRequest.setRawHeader(QByteArray::fromStdString(field.name), QByteArray::fromStdString(field.value));
    }
    if (request.bearer != nullptr) {
        const std::string_view token = request.bearer->reveal();
        QByteArray value("Bearer ");
        value.append(token.data(), static_cast<qsizetype>(token.size()));
        qtRequest.setRawHeader("Authorization", value);
    }
    followTrust();
    auto body = std::make_unique<BodySentOnce>(QByteArray::fromStdString(request.body));
    // It may hold a token, a code or a password; Qt's own copy goes with the reply.
    core::wipeString(request.body);
    auto* reply =
        m_network->manager.sendCustomRequest(qtRequest, QByteArray::fromStdString(request.method), body.get());
    body.release()->setParent(reply);
    call->watch(reply, request.timeout);
    return call;
}

} // namespace vivavoce::platform
