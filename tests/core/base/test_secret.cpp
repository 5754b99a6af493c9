#include "core/base/secret.h"

#include <QTest>

#include <concepts>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

using namespace vivavoce::core;

template <typename T>
concept Printable = requires(std::ostringstream out, const T& value)
{
    out << value;
};

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>, "a secret is made on purpose");

class SecretTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void reveal_GivesTheBytesBack()
    {
        const Secret secret("ek_123");
        QCOMPARE(secret.reveal(), std::string_view("ek_123"));
        QCOMPARE(secret.size(), std::size_t{6});
        QVERIFY(!secret.empty());
    }

    void move_LeavesNothingBehind()
    {
        Secret first("ek_123");
        const Secret second(std::move(first));
        QVERIFY(first.empty()); // NOLINT(bugprone-use-after-move): that is the promise
        QVERIFY(first.reveal().empty());
        QCOMPARE(second.reveal(), std::string_view("ek_123"));
    }

    void moveAssign_ToItself_KeepsTheBytes()
    {
        Secret secret("ek_123");
        Secret& same = secret;
        secret = std::move(same);
        QCOMPARE(secret.reveal(), std::string_view("ek_123"));
    }

    void equals_ComparesContent_data()
    {
        QTest::addColumn<std::string>("other");
        QTest::addColumn<bool>("isEqual");
        QTest::newRow("same") << std::string("ek_123") << true;
        QTest::newRow("last byte") << std::string("ek_124") << false;
        QTest::newRow("first byte") << std::string("fk_123") << false;
        QTest::newRow("prefix") << std::string("ek_12") << false;
        QTest::newRow("longer") << std::string("ek_1234") << false;
        QTest::newRow("empty") << std::string() << false;
    }
    void equals_ComparesContent()
    {
        QFETCH(std::string, other);
        QFETCH(bool, isEqual);
        QCOMPARE(Secret("ek_123").equals(other), isEqual);
    }

    void wipeString_OverwritesBeforeItEmpties()
    {
        std::string text("a secret that is long enough to be on the heap");
        const char* bytes = text.data();
        const std::size_t size = text.size();
        wipeString(text);
        QVERIFY(text.empty());
        // The buffer still belongs to the string; only its length has gone.
        QVERIFY(std::string_view(bytes, size).substr(1).find_first_not_of('\0') == std::string_view::npos);
    }
};

QTEST_GUILESS_MAIN(SecretTest)
#include "test_secret.moc"
