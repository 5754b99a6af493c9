#include "app/platform/qt_http_client.h"

#include "app/platform/loopback.h"

#include <QNetworkAccessManager>
#include <QNetworkCookie>
#include <QNetworkCookieJar>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QPointer>
#include <QTimer>
#include <QUrl>

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
            finish(core::fail(code, text(where + QStringLiteral(": ") + m_reply->errorString())));
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
    QTimer m_deadline;
};

} // namespace

QtHttpClient::QtHttpClient() : m_network(std::make_unique<QNetworkAccessManager>())
{
    m_network->setCookieJar(new NoCookies);
    m_network->setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
}

QtHttpClient::~QtHttpClient() = default;

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
    const QByteArray body = QByteArray::fromStdString(request.body);
    // It may hold a token, a code or a password; Qt's own copy goes with the reply.
    core::wipeString(request.body);
    auto* reply = m_network->sendCustomRequest(qtRequest, QByteArray::fromStdString(request.method), body);
    call->watch(reply, request.timeout);
    return call;
}

} // namespace vivavoce::platform
