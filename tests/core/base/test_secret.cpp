#include "core/base/secret.h"

#include <QFile>
#include <QTest>

#include <algorithm>
#include <array>
#include <concepts>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace vivavoce::core;

#if defined(__linux__) && !defined(VV_SANITIZED)
namespace {

/// What the pages began with that were given back last.
std::array<char, 6> givenBack{};
bool isWatched = false;

} // namespace

/// In place of the system's, of which nobody learns what was in the pages.
extern "C" int munmap(void* pages, std::size_t size) noexcept
{
    if (isWatched) {
        std::copy_n(static_cast<const char*>(pages), givenBack.size(), givenBack.begin());
    }
    return static_cast<int>(::syscall(SYS_munmap, pages, size));
}
#endif

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

    void pages_AreOverwrittenBeforeTheyAreGivenBack()
    {
#if defined(__linux__) && !defined(VV_SANITIZED)
        const auto lastOf = [](const auto& givesBack) {
            givenBack.fill('?');
            isWatched = true;
            givesBack();
            isWatched = false;
            return std::string(givenBack.begin(), givenBack.end());
        };
        const std::string nothing(givenBack.size(), '\0');
        // More than a page: those are given back to the system.
        const std::string large = "ek_123" + std::string(10'000, 'x');
        QCOMPARE(lastOf([&] { const Secret secret(large); }), nothing);
        Secret replaced(large);
        QCOMPARE(lastOf([&] { replaced = Secret("ek_456"); }), nothing);
#else
        QSKIP("only with the C library of Linux, and without a sanitizer, can it be seen what is given back");
#endif
    }

    void page_ThatIsKeptForTheNextSecret_IsOverwritten()
    {
#if defined(__linux__) && !defined(VV_SANITIZED)
        const std::string nothing(6, '\0');
        Secret one("ek_123");
        const Secret other("ek_456");
        const char* const page = one.reveal().data();
        QVERIFY(page != other.reveal().data());
        one = Secret();
        QCOMPARE(std::string(page, nothing.size()), nothing);
        const Secret next("ek_7");
        QCOMPARE(static_cast<const void*>(next.reveal().data()), static_cast<const void*>(page));
        QCOMPARE(other.reveal(), std::string_view("ek_456"));
#else
        QSKIP("a page that is kept cannot be looked into with a sanitizer");
#endif
    }

    void pages_AreLeftOutOfCoreDumps()
    {
#ifdef __linux__
        const Secret secret("ek_123");
        const auto address = reinterpret_cast<qulonglong>(secret.reveal().data());
        QFile maps(QStringLiteral("/proc/self/smaps"));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        bool isItsOwn = false;
        QList<QByteArray> flags;
        for (const QByteArray& line : maps.readAll().split('\n')) {
            const QByteArray range = line.left(line.indexOf(' '));
            const qsizetype dash = range.indexOf('-');
            if (dash > 0) {
                isItsOwn = address >= range.left(dash).toULongLong(nullptr, 16)
                    && address < range.mid(dash + 1).toULongLong(nullptr, 16);
            } else if (isItsOwn && line.startsWith("VmFlags:")) {
                flags = line.simplified().split(' ');
            }
        }
        QVERIFY(flags.contains("rd"));
        QVERIFY(flags.contains("dd"));
#else
        QSKIP("another system tells it in another way");
#endif
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
