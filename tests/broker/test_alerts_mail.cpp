#include "broker/alerts/smtp_channel.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/mail_server.h"
#include "tests/net/test_certificates.h"

#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <future>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::broker::alerts;
using tests::MailServer;

namespace {

Alert alert(std::string title = "Provider openai is down")
{
    Alert made;
    made.id = "alert_1_x";
    made.kind = AlertKind::ProviderDown;
    made.severity = Severity::Critical;
    made.title = std::move(title);
    made.data = R"({"provider":"openai"})";
    made.broker = "here:8790";
    made.at = core::WallTime(std::chrono::seconds(1'800'000'000));
    return made;
}

/// The lines behind the empty one, decoded.
std::string bodyOf(const std::string& message)
{
    std::string letters;
    for (const char c : message.substr(message.find("\n\n") + 2)) {
        letters += c == '\n' ? "" : std::string(1, c);
    }
    const auto bytes = core::decodeBase64(letters);
    return bytes ? std::string(bytes->begin(), bytes->end()) : "not base64";
}

} // namespace

/// Alerts by mail, against a mail server of the test's own.
class TestAlertsMail : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    net::test::TestCertificates m_certificates;

    [[nodiscard]] ChannelSettings settings(const MailServer& server) const
    {
        ChannelSettings made;
        made.name = "mail";
        made.kind = ChannelSettings::Kind::Smtp;
        made.server = server.address("localhost");
        made.from = "vivavoce@mail.example";
        made.to = {"ops@mail.example", "boss@mail.example"};
        made.caFile = m_certificates.caFile;
        made.timeout = core::Milliseconds(10'000);
        return made;
    }
    [[nodiscard]] static AlertChannel::Sent send(ChannelSettings settings, Alert what = alert())
    {
        tests::NetThreads threads;
        SmtpChannel channel(std::move(settings));
        return tests::finish(threads, channel.send(std::move(what)));
    }

private slots:
    void initTestCase() { m_certificates = net::test::makeCertificates(m_folder.path().toStdString()); }

    void mail_ByStartTls_WithALogin_IsDelivered()
    {
        const MailServer server(m_certificates.forLocalhost);
        ChannelSettings made = settings(server);
        made.user = "me";
        made.secret = std::make_shared<const core::Secret>("right");
        const auto sent = send(made);
        QVERIFY2(sent.has_value(), sent ? "" : sent.error().detail.c_str());
        QCOMPARE(server.mails().size(), std::size_t{1});
        const auto mail = server.mails().front();
        QVERIFY(mail.isEncrypted);
        QCOMPARE(mail.login, std::string("\0me\0right", 9));
        QVERIFY(mail.from.starts_with("MAIL FROM:<vivavoce@mail.example>"));
        QCOMPARE(mail.to.size(), std::size_t{2});
        QVERIFY(mail.message.find("Date: Fri, 15 Jan 2027 08:00:00 +0000\n") != std::string::npos);
        QVERIFY(mail.message.find("Message-ID: <alert_1_x@mail.example>\n") != std::string::npos);
        QVERIFY(mail.message.find("Auto-Submitted: auto-generated\n") != std::string::npos);
        const std::string body = bodyOf(mail.message);
        QVERIFY2(body.starts_with("Provider openai is down\r\n\r\nprovider: openai\r\n"), body.c_str());
    }

    void mail_OnThisComputer_GoesWithoutTls()
    {
        const MailServer server;
        ChannelSettings made = settings(server);
        made.security = MailSecurity::None;
        QVERIFY(send(made).has_value());
        QVERIFY(!server.mails().front().isEncrypted);
    }

    void server_WithoutTls_GetsNothing()
    {
        const MailServer server;
        ChannelSettings made = settings(server);
        made.user = "me";
        made.secret = std::make_shared<const core::Secret>("right");
        const auto sent = send(made);
        QVERIFY(!sent);
        QCOMPARE(sent.error().code, core::ErrorCode::ProviderUnreachable);
        QVERIFY(server.mails().empty());
    }

    void server_OfAnotherName_OrThatNobodyVouchesFor_GetsNothing()
    {
        for (const net::TlsFiles& files :
            {m_certificates.forElsewhere, m_certificates.selfSigned, m_certificates.expired}) {
            const MailServer server(files);
            const auto sent = send(settings(server));
            QVERIFY(!sent);
            QCOMPARE(sent.error().code, core::ErrorCode::ProviderUnreachable);
            QVERIFY(server.mails().empty());
        }
    }

    void refusals_HaveTheirCodes_AndTellNoSecret()
    {
        MailServer server(m_certificates.forLocalhost);
        ChannelSettings made = settings(server);
        made.user = "me";
        made.secret = std::make_shared<const core::Secret>("password-marker");
        const auto denied = send(made);
        QVERIFY(!denied);
        QCOMPARE(denied.error().code, core::ErrorCode::NotAuthorised);
        QVERIFY(denied.error().detail.find("marker") == std::string::npos);
        made.user.clear();
        made.secret = nullptr;
        server.answerRecipients("550 no such box marker");
        const auto refused = send(made);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, core::ErrorCode::ProviderFailed);
        QCOMPARE(refused.error().detail, std::string("the mail server answered 550"));
        QCOMPARE(writeChannelFault(channelFaultOf(refused.error())), std::string("channel.answered 550"));
        QVERIFY(server.mails().empty());
    }

    void server_ThatIsAway_OrSilent_IsGivenUpInTime()
    {
        std::string nowhere;
        {
            const MailServer gone;
            nowhere = gone.address();
        }
        ChannelSettings made;
        made.server = nowhere;
        made.from = "a@b.example";
        made.to = {"c@b.example"};
        const auto away = send(made);
        QVERIFY(!away);
        QCOMPARE(away.error().code, core::ErrorCode::ProviderUnreachable);
        tests::NetThreads threads;
        const tests::RawProvider silent(threads, {});
        made.server = silent.url().substr(silent.url().rfind('/') + 1);
        made.timeout = core::Milliseconds(300);
        const auto late = send(made);
        QVERIFY(!late);
        QCOMPARE(late.error().code, core::ErrorCode::Timeout);
    }

    void channel_ThatGoes_CutsOffWhatIsUnderWay()
    {
        tests::NetThreads threads;
        const tests::RawProvider silent(threads, {});
        ChannelSettings made;
        made.server = silent.url().substr(silent.url().rfind('/') + 1);
        made.from = "a@b.example";
        made.to = {"c@b.example"};
        made.timeout = core::Milliseconds(60'000);
        auto sender = std::make_unique<MailSender>();
        std::promise<MailSender::Sent> told;
        Mail mail;
        mail.url = "smtp://" + made.server;
        mail.from = made.from;
        mail.to = made.to;
        mail.timeout = made.timeout;
        sender->send(mail, [&](MailSender::Sent sent) { told.set_value(std::move(sent)); });
        const auto since = std::chrono::steady_clock::now();
        sender.reset();
        QCOMPARE(told.get_future().get().error().code, core::ErrorCode::Cancelled);
        QVERIFY(std::chrono::steady_clock::now() - since < std::chrono::seconds(10));
    }

    void subject_OfAnyText_IsOneHeader()
    {
        ChannelSettings made;
        made.from = "a@b.example";
        made.to = {"c@b.example"};
        const std::string mail =
            mailOf(alert("Größe\r\nBcc: all@b.example \xF0\x9F\x94\xA5 " + std::string(100, 'x')), made);
        const std::string head = mail.substr(0, mail.find("\r\n\r\n"));
        QVERIFY(head.find("\r\nBcc:") == std::string::npos);
        std::istringstream lines(head);
        for (std::string line; std::getline(lines, line);) {
            QVERIFY2(line.size() <= 78, line.c_str());
        }
        QVERIFY(head.find("Subject: =?UTF-8?B?") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestAlertsMail)
#include "test_alerts_mail.moc"
