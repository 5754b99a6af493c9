#include "core/settings/broker_address.h"

#include <QTest>

using namespace vivavoce::core;

class TestBrokerAddress : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void address_ThatIsFine_IsMadeRegular_data();
    void address_ThatIsFine_IsMadeRegular();
    void address_ThatIsNot_IsRefused_data();
    void address_ThatIsNot_IsRefused();
};

void TestBrokerAddress::address_ThatIsFine_IsMadeRegular_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("address");
    const auto row = [](const char* typed, const char* address) {
        QTest::newRow(typed) << QString::fromUtf8(typed) << QString::fromUtf8(address);
    };
    row("https://voice.example", "https://voice.example");
    row("  HTTPS://Voice.Example:8443/base/  ", "https://voice.example:8443/base");
    row("voice.example", "https://voice.example");
    row("http://localhost:8080", "http://localhost:8080");
    row("http://127.0.0.1:8080/", "http://127.0.0.1:8080");
    row("http://127.8.9.1", "http://127.8.9.1");
    row("http://[::1]:80", "http://[::1]:80");
}

void TestBrokerAddress::address_ThatIsFine_IsMadeRegular()
{
    QFETCH(QString, typed);
    QFETCH(QString, address);
    const auto checked = brokerAddress(typed.toStdString());
    QVERIFY(checked.has_value());
    QCOMPARE(QString::fromStdString(*checked), address);
}

void TestBrokerAddress::address_ThatIsNot_IsRefused_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<int>("fault");
    const auto row = [](const char* typed, AddressFault fault) {
        QTest::newRow(typed) << QString::fromUtf8(typed) << static_cast<int>(fault);
    };
    row("", AddressFault::Empty);
    row("   ", AddressFault::Empty);
    row("ftp://voice.example", AddressFault::NotAnAddress);
    row("https://", AddressFault::NotAnAddress);
    row("https://voice example", AddressFault::NotAnAddress);
    row("https://voice.example:99999", AddressFault::NotAnAddress);
    row("https://voice.example:x", AddressFault::NotAnAddress);
    row("http://voice.example", AddressFault::Insecure);
    row("http://127.0.0.1.example", AddressFault::Insecure);
    row("http://127.0.0.999", AddressFault::Insecure);
    row("http://localhost.example", AddressFault::Insecure);
    row("http://192.168.1.2", AddressFault::Insecure);
    row("https://user:secret@voice.example", AddressFault::TooMuch);
    row("http://127.0.0.1@voice.example", AddressFault::TooMuch);
    row("https://voice.example?key=1", AddressFault::TooMuch);
}

void TestBrokerAddress::address_ThatIsNot_IsRefused()
{
    QFETCH(QString, typed);
    QFETCH(int, fault);
    const auto checked = brokerAddress(typed.toStdString());
    QVERIFY(!checked.has_value());
    QCOMPARE(static_cast<int>(checked.error()), fault);
}

QTEST_GUILESS_MAIN(TestBrokerAddress)
#include "test_broker_address.moc"
