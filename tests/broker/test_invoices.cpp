#include "broker/http/report_api.h"
#include "broker/limits/memory_limit_store.h"
#include "broker/reports/invoice_book.h"
#include "broker/store/connection.h"
#include "broker/tokens/session_account.h"
#include "broker/tokens/sql_session_registry.h"
#include "broker/usage/ledger.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/fake_audit_trail.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/postgres_server.h"

#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::reports;
using core::Json;
using usage::Amounts;
using usage::Measure;

namespace {

constexpr std::int64_t kDollar = 1'000'000'000;
/// 2026-12-01.
constexpr std::int64_t kDecember = 20'788;

/// Of made-up models; one is cheaper from the 16th on.
const std::shared_ptr<const core::PriceList>& prices()
{
    static const auto all = [] {
        auto parsed = core::PriceList::parse(
            "{\"prices\":[{\"model\":\"singer\",\"from\":\"2026-01-01\",\"textIn\":4,\"cachedTextIn\":0.4,\"textOut\":24,"
            "\"audioIn\":32,\"cachedAudioIn\":0.4,\"audioOut\":64,\"imageIn\":5,\"cachedImageIn\":0.5},"
            "{\"model\":\"singer\",\"from\":\"2026-12-16\",\"textIn\":2,\"cachedTextIn\":0.2,\"textOut\":12,"
            "\"audioIn\":16,\"cachedAudioIn\":0.2,\"audioOut\":32,\"imageIn\":2.5,\"cachedImageIn\":0.25},"
            "{\"model\":\"by-the-minute\",\"from\":\"2026-01-01\",\"minute\":0.05}]}");
        if (!parsed) {
            qFatal("%s", parsed.error().c_str());
        }
        return std::make_shared<const core::PriceList>(std::move(*parsed));
    }();
    return all;
}

DayUse use(const std::string& subject, const std::string& model, std::int64_t day)
{
    DayUse made;
    made.day = day;
    made.issuer = "https://login.example";
    made.subject = subject;
    made.provider = "openai";
    made.model = model;
    made.sessions = 1;
    return made;
}

InvoiceSettings settings()
{
    InvoiceSettings made;
    made.issuer = {"Example & Sons Ltd", "1 Example Street", "1010 Wien"};
    made.numberPrefix = "VV-";
    made.taxLabel = "USt.";
    made.taxBasisPoints = 2'000;
    made.currency.code = "EUR";
    made.currency.rateMillionths = 920'000;
    made.currency.rateDate = "2026-12-31";
    made.note = {"To be paid within 14 days.", "AT61 1904 3002 3457 3201"};
    made.recipients["choir"] = {"The <Choir>", "2 Example Street"};
    return made;
}

std::string folder()
{
    return qEnvironmentVariable("VV_SOURCE_DIR").toStdString() + "/tests/broker/golden/";
}

/// With VV_WRITE_GOLDEN in the environment the files are written anew: look at what has changed.
void compareWithGolden(const std::string& name, const std::string& text)
{
    if (qEnvironmentVariableIsSet("VV_WRITE_GOLDEN")) {
        std::ofstream(folder() + name, std::ios::binary) << text;
    }
    std::ifstream in(folder() + name, std::ios::binary);
    const std::string wanted{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    QCOMPARE(QString::fromStdString(text), QString::fromStdString(wanted));
}

Statement december()
{
    StatementMaker maker("choir", *prices());
    DayUse alice = use("alice", "singer", kDecember);
    alice.amounts[Measure::TextIn] = 1'234;
    alice.amounts[Measure::CachedAudioIn] = 10'000;
    alice.amounts[Measure::AudioIn] = 50'000;
    alice.amounts[Measure::AudioOut] = 43'210;
    alice.amounts[Measure::Turns] = 40;
    alice.amounts[Measure::ConnectedMs] = 1'234'567;
    alice.amounts[Measure::NanoDollars] = 1'234 * 4'000 + 10'000 * 400 + 50'000 * 32'000 + 43'210LL * 64'000 + 77;
    maker.add(alice);
    // At another price.
    alice.day = kDecember + 20;
    alice.amounts = Amounts();
    alice.amounts[Measure::AudioOut] = 1'000;
    alice.amounts[Measure::NanoDollars] = 1'000 * 32'000;
    alice.isDirect = true;
    maker.add(alice);
    DayUse bob = use("=bob\"<script>", "by-the-minute", kDecember + 3);
    bob.amounts[Measure::ConnectedMs] = 90'000;
    bob.amounts[Measure::NanoDollars] = 75'000'000;
    bob.amounts[Measure::Unpriced] = 2;
    bob.amounts[Measure::Turns] = 12;
    maker.add(bob);
    return maker.finish();
}

core::WallTime newYear()
{
    return core::WallTime(std::chrono::sys_days{std::chrono::days{kDecember + 31}}) + std::chrono::hours(9);
}

std::int64_t sumOf(const Statement& statement)
{
    std::int64_t sum = 0;
    for (const Line& line : statement.lines) {
        sum += line.nanoDollars;
    }
    return sum;
}

/// A broker, as far as invoices go. Several may share a database.
struct World {
    explicit World(const std::string& url, InvoiceSettings invoices = settings())
    {
        Database::Settings store;
        store.url = core::Secret(url);
        auto opened = Database::open(std::move(store), log);
        if (!opened) {
            qFatal("%s", opened.error().detail.c_str());
        }
        database = std::move(*opened);
        registry.emplace(SqlSessionRegistry::Limits{}, *database, clock);
        ledger.emplace(usage::Ledger::Settings{}, usage::Ledger::Dependencies{*database, clock, log});
        InvoiceBook::Settings made;
        made.invoices = std::move(invoices);
        book.emplace(made, InvoiceBook::Dependencies{*database, clock, prices(), workshop});
    }
    template <typename T>
    T wait(net::Awaitable<T> answer)
    {
        return tests::finish(threads, std::move(answer));
    }
    void sql(const std::function<void(broker::Connection&)>& work)
    {
        const std::function<int(broker::Connection&)> all = [work](broker::Connection& sql) {
            work(sql);
            return 0;
        };
        if (!wait(database->run<int>(all))) {
            qFatal("the database does not work: %s", log.text().c_str());
        }
    }
    /// Has a user of a project spend that, today.
    void spend(const std::string& session, const std::string& user, const std::string& project,
        const std::string& model, const Amounts& amounts)
    {
        SessionRecord record;
        record.id = session;
        record.caller = "2:1:i:" + user;
        record.issuer = "i";
        record.subject = user;
        record.project = project;
        record.model = model;
        record.transport = SessionTransport::Relay;
        const usage::Account account = accountOf(record, "openai", {});
        auto opening = registry->open(std::move(record), hasher.hash(session),
            clock.wallNow() + core::Milliseconds(60'000), {}, ledger->opening(account));
        if (wait(std::move(opening))) {
            qFatal("no session");
        }
        usage::Entry entry;
        entry.account = account;
        entry.part = "one";
        entry.amounts = amounts;
        static_cast<void>(wait(ledger->record({entry})));
    }
    [[nodiscard]] Json issue(const std::string& project, const char* month = "2027-01")
    {
        auto issued = wait(book->issue(*Month::parse(month), project));
        return issued ? Json::parse(issued->invoice) : Json{{"fault", std::string(faultRow(issued.error().code).text)}};
    }

    tests::NetThreads threads;
    tests::SharedClock clock;
    tests::CapturedLog log;
    TokenHasher hasher;
    Workshop workshop{Workshop::Settings()};
    std::unique_ptr<Database> database;
    std::optional<SqlSessionRegistry> registry;
    std::optional<usage::Ledger> ledger;
    std::optional<InvoiceBook> book;
};

/// Lets an admin in, and hears what they do.
struct AdminsDoor {
    explicit AdminsDoor(World& world)
        : limits({}, world.clock),
          gatekeeper({}, {limits, world.clock, world.log, {}}),
          denials(audit, world.clock, world.log),
          signIns({audit, world.hasher, world.log})
    {
    }
    [[nodiscard]] net::HttpRequest request(std::string body) const
    {
        net::HttpRequest made;
        made.method = "POST";
        made.path = "/api/admin/invoices";
        made.headers.add("Authorization", "Bearer " + std::string(books.key.reveal()));
        made.headers.add("Content-Type", "application/json");
        made.body = std::move(body);
        return made;
    }
    /// Lines of the audit that say that an invoice is issued.
    [[nodiscard]] std::size_t issues() const
    {
        const auto records = audit.records();
        return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [](const AuditRecord& record) {
            return record.event == AuditEvent::InvoiceIssue && record.outcome == AuditOutcome::Done;
        }));
    }
    [[nodiscard]] std::vector<auth::ServiceAccount> accounts() const
    {
        auth::ServiceAccount account;
        account.name = "books";
        account.keyHash = books.hash;
        account.scopes = {std::string(auth::scope::kAdmin)};
        return {account};
    }

    auth::NewServiceKey books = auth::makeServiceKey("books");
    tests::FakeAuditTrail audit;
    MemoryLimitStore limits;
    auth::Authenticator authenticator{{}, auth::ServiceAccounts(accounts()), {}};
    Gatekeeper gatekeeper;
    broker::http::DenialReport denials;
    broker::http::SignInReport signIns;
    Metrics metrics;
    broker::http::Entrance entrance{{authenticator, gatekeeper, audit, denials, signIns, metrics, {}}};
};

Amounts worth(std::int64_t nanoDollars)
{
    Amounts amounts;
    amounts[Measure::NanoDollars] = nanoDollars;
    amounts[Measure::Turns] = 1;
    return amounts;
}

} // namespace

/// Monthly reports and invoices: to the last billionth, and for good.
class TestInvoices : public QObject {
    Q_OBJECT

    std::unique_ptr<tests::PostgresServer> m_server;
    QTemporaryDir m_folder;
    int m_files = 0;

    [[nodiscard]] std::string url(bool isShared)
    {
        if (!isShared) {
            return "sqlite://" + m_folder.path().toStdString() + "/" + std::to_string(++m_files) + ".db";
        }
        World(m_server->url()).sql([](broker::Connection& sql) {
            for (const char* table : {"invoice_heads", "invoices", "sessions", "usage_sessions", "usage_days"}) {
                sql << std::string("DELETE FROM ") + table;
            }
        });
        return m_server->url();
    }
    void addDatabases()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (m_server != nullptr) {
            QTest::newRow("PostgreSQL") << true;
        }
    }

private slots:
    void initTestCase()
    {
        if (const QString missing = tests::PostgresServer::missing(); missing.isEmpty()) {
            m_server = std::make_unique<tests::PostgresServer>();
            QVERIFY(m_server->start());
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(missing));
        }
    }

    void month_IsReadAsItIsWritten_AndKnowsItsDays()
    {
        const auto december = Month::parse("2026-12");
        QVERIFY(december);
        QCOMPARE(december->text(), std::string("2026-12"));
        QCOMPARE(december->firstDay(), kDecember);
        QCOMPARE(december->endDay(), kDecember + 31);
        QCOMPARE(Month::parse("2024-02")->endDay() - Month::parse("2024-02")->firstDay(), std::int64_t{29});
        const core::WallTime end{std::chrono::sys_days{std::chrono::days{kDecember + 31}}};
        QVERIFY(!december->isOver(end + std::chrono::seconds(299)));
        QVERIFY(december->isOver(end + std::chrono::seconds(300)));
        for (const char* const wrong : {"", "2026-13", "2026-1", "2026-12-01", "1969-12", "next"}) {
            QVERIFY2(!Month::parse(wrong), wrong);
        }
    }

    void money_IsRoundedOnce_HalfToEven_data()
    {
        QTest::addColumn<qint64>("nanoDollars");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("rate");
        QTest::addColumn<QString>("stated");
        const auto row = [](qint64 nanoDollars, const char* code, const char* rate, const char* stated) {
            QTest::addRow("%lld %s %s", nanoDollars, code, rate) << nanoDollars << code << rate << stated;
        };
        row(5'000'000, "USD", "1", "0.00 of 0.005, -0.005");
        row(15'000'000, "USD", "1", "0.02 of 0.015, 0.005");
        row(25'000'000, "USD", "1", "0.02 of 0.025, -0.005");
        row(25'000'001, "USD", "1", "0.03 of 0.025000001, 0.004999999");
        row(0, "USD", "1", "0.00 of 0, 0");
        row(1'234'567'890, "EUR", "0.92", "1.14 of 1.1358024588, 0.0041975412");
        row(1'000'000'000, "JPY", "151.5", "152 of 151.5, 0.5");
        row(1'000'000'000, "KWD", "0.307001", "0.307 of 0.307001, -0.000001");
        row(9'000'000'000'000'000'000, "VND", "26000", "234000000000000 of 234000000000000, 0");
    }
    void money_IsRoundedOnce_HalfToEven()
    {
        QFETCH(qint64, nanoDollars);
        QFETCH(QString, code);
        QFETCH(QString, rate);
        QFETCH(QString, stated);
        Currency currency;
        currency.code = code.toStdString();
        currency.rateMillionths = parseRate(rate.toStdString()).value_or(0);
        QCOMPARE(rateText(currency.rateMillionths), rate.toStdString());
        const Stated made = state(nanoDollars, currency);
        QCOMPARE(amountText(made.minor, currency.digits()) + " of " + made.exact + ", " + made.rounding,
            stated.toStdString());
    }

    void rate_ThatIsNone_IsRefused()
    {
        for (const char* const wrong : {"", "0", "0.0000001", ".5", "1.", "1,5", "-1", "1e3", "10000000", "1000001"}) {
            QVERIFY2(!parseRate(wrong), wrong);
        }
        QCOMPARE(taxOf(1'235, 1'900), std::int64_t{235});
        QCOMPARE(taxOf(250, 2'000), std::int64_t{50});
        // 0.5 and 1.5.
        QCOMPARE(taxOf(5, 1'000), std::int64_t{0});
        QCOMPARE(taxOf(15, 1'000), std::int64_t{2});
    }

    void lines_AreByUserModelAndKind_AndWhatIsBeyondIsOther()
    {
        const Statement statement = december();
        QCOMPARE(sumOf(statement), statement.nanoDollars);
        std::map<std::string, std::int64_t> byKind;
        for (const Line& line : statement.lines) {
            byKind[line.subject.substr(0, 5) + " " + line.kind] = line.nanoDollars;
        }
        QCOMPARE(byKind.at("alice audioOut"), 43'210LL * 64'000 + 1'000 * 32'000);
        QCOMPARE(byKind.at("alice cachedAudioIn"), std::int64_t{10'000 * 400});
        QCOMPARE(byKind.at("alice other"), std::int64_t{77});
        QCOMPARE(byKind.at("=bob\" connection"), std::int64_t{75'000'000});
        QCOMPARE(byKind.at("=bob\" other"), std::int64_t{0});
        QCOMPARE(statement.reportedNanoDollars, std::int64_t{32'000'000});
        QCOMPARE(statement.unpricedTurns, std::int64_t{2});
    }

    void lines_WhosePricesHaveRisenSince_ShareWhatTheLedgerHas()
    {
        StatementMaker maker("choir", *prices());
        DayUse day = use("alice", "singer", kDecember);
        day.amounts[Measure::TextIn] = 2;
        day.amounts[Measure::TextOut] = 1;
        // By today's prices it would be 32,000: a quarter and three of that.
        day.amounts[Measure::NanoDollars] = 101;
        maker.add(day);
        const Statement statement = maker.finish();
        QCOMPARE(statement.lines.size(), std::size_t{2});
        QCOMPARE(statement.lines[0].nanoDollars, std::int64_t{25});
        QCOMPARE(statement.lines[1].nanoDollars, std::int64_t{76});
    }

    void lines_OfAnyUsage_SumUpToTheLedger()
    {
        std::mt19937_64 random(20'261'130);
        const auto upTo = [&](std::int64_t most) {
            return std::uniform_int_distribution<std::int64_t>(0, most)(random);
        };
        for (int round = 0; round < 2'000; ++round) {
            StatementMaker maker("p", *prices());
            std::int64_t ledger = 0;
            for (const char* subject : {"a", "b"}) {
                for (const char* model : {"by-the-minute", "nobody-knows", "singer"}) {
                    for (std::int64_t day = kDecember; day < kDecember + 31; day += 1 + upTo(20)) {
                        DayUse one = use(subject, model, day);
                        for (const Measure measure : usage::allMeasures()) {
                            one.amounts[measure] = upTo(1) == 0 ? 0 : upTo(upTo(3) == 0 ? 2'000'000'000 : 1'000);
                        }
                        one.amounts[Measure::NanoDollars] = upTo(upTo(2) == 0 ? 1'000'000 * kDollar : 1'000);
                        ledger += one.amounts[Measure::NanoDollars];
                        maker.add(one);
                    }
                }
            }
            const Statement statement = maker.finish();
            QCOMPARE(statement.nanoDollars, ledger);
            QCOMPARE(sumOf(statement), ledger);
            std::set<std::string> seen;
            for (const Line& line : statement.lines) {
                QVERIFY(line.nanoDollars >= 0);
                QVERIFY(seen.insert(line.subject + "\n" + line.model + "\n" + line.kind).second);
            }
        }
    }

    void invoice_IsAsTheGoldenFilesHaveIt()
    {
        const Json invoice = makeInvoice(december(), *Month::parse("2026-12"), settings(), 41, newYear());
        QCOMPARE(invoice.at("total").get<std::int64_t>(),
            invoice.at("net").get<std::int64_t>() + invoice.at("tax").get<std::int64_t>());
        compareWithGolden("invoice.json", invoice.dump(2) + "\n");
        compareWithGolden("invoice.csv", writeInvoiceCsv(invoice));
        compareWithGolden("invoice.html", writeInvoicePage(invoice, Style::Linked));
        const Json preview = makeInvoice(december(), *Month::parse("2026-12"), {}, std::nullopt, newYear());
        compareWithGolden("preview.html", writeInvoicePage(preview, Style::Linked));
        const Json report{{"month", "2026-12"}, {"isOver", true}, {"nanoDollars", december().nanoDollars},
            {"projects", Json::array({writeJson(december())})}};
        compareWithGolden("report.csv", writeReportCsv(report));
        compareWithGolden("report.html", writeReportPage(report, Style::Linked));
    }

    void page_HasNothingOfAnybodysThatIsMarkup()
    {
        const Json invoice = makeInvoice(december(), *Month::parse("2026-12"), settings(), 41, newYear());
        const std::string page = writeInvoicePage(invoice, Style::Linked);
        QVERIFY(page.find("<script") == std::string::npos);
        QVERIFY(page.find("=bob&quot;&lt;script&gt;") != std::string::npos);
        QVERIFY(page.find("The &lt;Choir&gt;") != std::string::npos);
        QVERIFY(page.find("style=") == std::string::npos && page.find("<style") == std::string::npos);
        QVERIFY(writeInvoiceCsv(invoice).find("\"'=bob\"\"<script>\"") != std::string::npos);
    }

    void report_OfRandomUsage_IsTheLedgersSum_data() { addDatabases(); }
    void report_OfRandomUsage_IsTheLedgersSum()
    {
        QFETCH(bool, isShared);
        World world(url(isShared));
        std::mt19937_64 random(7);
        const auto upTo = [&](std::int64_t most) {
            return std::uniform_int_distribution<std::int64_t>(0, most)(random);
        };
        for (int i = 0; i < 60; ++i) {
            Amounts amounts;
            for (const Measure measure : usage::allMeasures()) {
                amounts[measure] = upTo(100'000);
            }
            amounts[Measure::NanoDollars] = upTo(5 * kDollar);
            world.spend("s" + std::to_string(i), "u" + std::to_string(upTo(5)), i % 3 == 0 ? "choir" : "band",
                i % 2 == 0 ? "singer" : "by-the-minute", amounts);
            if (i % 10 == 9) {
                world.clock.advance(std::chrono::hours(24));
            }
        }
        const auto report = world.wait(world.book->report(*Month::parse("2027-01"), std::nullopt));
        QVERIFY(report.has_value());
        QCOMPARE(report->at("isOver").get<bool>(), false);
        std::map<std::string, long long> ledger;
        world.sql([&](broker::Connection& sql) {
            for (const std::string project : {"choir", "band"}) {
                sql << "SELECT CAST(SUM(nano_dollars) AS BIGINT) FROM usage_days WHERE project = :project",
                    soci::into(ledger[project]), soci::use(project);
            }
        });
        QCOMPARE(report->at("projects").size(), std::size_t{2});
        for (const Json& project : report->at("projects")) {
            long long lines = 0;
            for (const Json& line : project.at("lines")) {
                lines += line.at("nanoDollars").get<long long>();
            }
            QCOMPARE(lines, ledger.at(project.at("project").get<std::string>()));
            QCOMPARE(project.at("nanoDollars").get<long long>(), lines);
        }
        QCOMPARE(report->at("nanoDollars").get<long long>(), ledger["choir"] + ledger["band"]);
        const auto one = world.wait(world.book->report(*Month::parse("2027-01"), "choir"));
        QCOMPARE(one->at("projects").size(), std::size_t{1});
        QCOMPARE(one->at("nanoDollars").get<long long>(), ledger["choir"]);
        const auto before = world.wait(world.book->report(*Month::parse("2026-12"), std::nullopt));
        QCOMPARE(before->at("projects").size(), std::size_t{0});
    }

    void lines_BeyondTheBound_AreRefused_AlsoOfOneProject()
    {
        StatementMaker maker("choir", *prices());
        DayUse day = use("alice", "singer", kDecember);
        day.amounts[Measure::TextIn] = 1;
        maker.add(day);
        day.subject = "bob";
        maker.add(day);
        QCOMPARE(maker.lines(), std::size_t{1});

        World world(url(false));
        world.spend("s1", "alice", "choir", "singer", worth(kDollar));
        // Nine lines each: tokens of eight kinds, and what they do not come to.
        world.sql([](broker::Connection& sql) {
            sql << "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 22300) "
                   "INSERT INTO usage_days (day, caller, issuer, subject, project, provider, model, transport, sessions, "
                   "connected_ms, audio_in_ms, audio_out_ms, turns, tool_calls, text_in, cached_text_in, text_out, audio_in, "
                   "cached_audio_in, audio_out, image_in, cached_image_in, transcribed_ms, transcription_tokens, "
                   "nano_dollars, unpriced) SELECT u.day, 'c' || i, 'i', 'c' || i, 'choir', 'openai', 'singer', 'relay', 1, "
                   "0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1000000000, 0 FROM n, (SELECT day FROM usage_days) u";
        });
        const auto of = [&](std::optional<std::string> project) {
            const auto report = world.wait(world.book->report(*Month::parse("2027-01"), std::move(project)));
            return report ? std::string() : report.error().detail;
        };
        QCOMPARE(of(std::nullopt), std::string("that is more than 200,000 lines: ask project by project"));
        QCOMPARE(of("choir"),
            std::string("the project's month is more than 200,000 lines: that is more than one answer holds"));
        QCOMPARE(of("band"), std::string());
    }

    void issue_OfAMonthWithNothing_IsRefused_AndTakesNoNumber_data() { addDatabases(); }
    void issue_OfAMonthWithNothing_IsRefused_AndTakesNoNumber()
    {
        QFETCH(bool, isShared);
        World world(url(isShared));
        world.spend("s1", "alice", "choir", "singer", worth(kDollar));
        // Nothing but a session is something: nobody mistyped its project.
        world.spend("s2", "alice", "band", "singer", Amounts());
        world.clock.advance(std::chrono::hours(24 * 20));
        QCOMPARE(world.issue("quire").at("fault").get<std::string>(), std::string("not_found"));
        QCOMPARE(world.issue("choir").at("number").get<std::string>(), std::string("VV-000001"));
        QCOMPARE(world.issue("band").at("number").get<std::string>(), std::string("VV-000002"));
        QCOMPARE(world.issue("choir", "2026-12").at("fault").get<std::string>(), std::string("not_found"));
    }

    void issued_StaysAsItWas_WhateverComesLater_data() { addDatabases(); }
    void issued_StaysAsItWas_WhateverComesLater()
    {
        QFETCH(bool, isShared);
        const std::string shared = url(isShared);
        World world(shared);
        world.spend("s1", "alice", "choir", "singer", worth(3 * kDollar));
        QCOMPARE(world.issue("choir").at("fault").get<std::string>(), std::string("bad_request"));
        const auto preview = world.wait(world.book->preview(*Month::parse("2027-01"), "choir"));
        QVERIFY(preview && preview->at("isPreview").get<bool>() && !preview->contains("number"));
        world.clock.advance(std::chrono::hours(24 * 20));
        const Json issued = world.issue("choir");
        QCOMPARE(issued.at("number").get<std::string>(), std::string("VV-000001"));
        QCOMPARE(issued.at("net").get<std::int64_t>(), std::int64_t{276});
        QCOMPARE(issued.at("tax").get<std::int64_t>(), std::int64_t{55});
        QCOMPARE(issued.at("total").get<std::int64_t>(), std::int64_t{331});
        world.sql([](broker::Connection& sql) { sql << "UPDATE usage_days SET nano_dollars = nano_dollars * 2"; });
        InvoiceSettings others;
        World later(shared, others);
        later.clock.advance(std::chrono::hours(24 * 600));
        QVERIFY(later.issue("choir") == issued);
        // Nobody is said to bill now.
        QCOMPARE(later.issue("choir", "2028-08").at("fault").get<std::string>(), std::string("not_allowed"));
        QCOMPARE(later.issue("choir", "2027-02").at("fault").get<std::string>(), std::string("bad_request"));
        const auto found = world.wait(world.book->find("VV-000001"));
        QVERIFY(found.has_value() && Json::parse(*found) == issued);
        QCOMPARE(world.wait(world.book->find("VV-000002")).error().code, FaultCode::NotFound);
        const Json list = *world.wait(world.book->list(std::nullopt, 10));
        QCOMPARE(list.size(), std::size_t{1});
        QVERIFY(!list[0].contains("lines"));
        QCOMPARE(list[0].at("sequence").get<int>(), 1);
    }

    void report_WhereTheWorkshopIsFull_IsRefused()
    {
        World world(url(false));
        world.spend("s1", "alice", "choir", "singer", worth(kDollar));
        Workshop::Settings none;
        none.mostWaiting = 0;
        Workshop full(none);
        InvoiceBook::Settings made;
        made.invoices = settings();
        InvoiceBook book(made, InvoiceBook::Dependencies{*world.database, world.clock, prices(), full});
        const Month month = *Month::parse("2027-01");
        QCOMPARE(world.wait(book.report(month, std::nullopt)).error().code, FaultCode::Unavailable);
        QCOMPARE(world.wait(book.preview(month, "choir")).error().code, FaultCode::Unavailable);
        QVERIFY(world.wait(world.book->report(month, std::nullopt)).has_value());
    }

    void issued_WhereTheWorkshopIsFull_IsToldAllTheSame()
    {
        World world(url(false));
        world.spend("s1", "alice", "choir", "singer", worth(kDollar));
        world.clock.advance(std::chrono::hours(24 * 20));
        Workshop::Settings none;
        none.mostWaiting = 0;
        Workshop full(none);
        AdminsDoor door(world);
        broker::http::ReportApi api(std::move(*world.book), {door.entrance, full, {}});
        const net::HttpRequest request = door.request(R"({"project":"choir","month":"2027-01"})");
        const auto first = world.wait(api.issue(request));
        QCOMPARE(first.status, 200U);
        const Json issued = Json::parse(first.body);
        QCOMPARE(issued.at("number").get<std::string>(), std::string("VV-000001"));
        QCOMPARE(issued.at("isNew").get<bool>(), true);
        Json again = Json::parse(world.wait(api.issue(request)).body);
        QCOMPARE(again.at("isNew").get<bool>(), false);
        again["isNew"] = true;
        QVERIFY(again == issued);
        QCOMPARE(door.issues(), std::size_t{2});
    }

    void list_ReadsNoLines_AlsoOfInvoicesThatAnOlderVersionIssued_data() { addDatabases(); }
    void list_ReadsNoLines_AlsoOfInvoicesThatAnOlderVersionIssued()
    {
        QFETCH(bool, isShared);
        World world(url(isShared));
        constexpr int kProjects = 5;
        for (int i = 0; i < kProjects; ++i) {
            world.spend("s" + std::to_string(i), "alice", "p" + std::to_string(i), "singer", worth(kDollar));
        }
        world.clock.advance(std::chrono::hours(24 * 20));
        std::vector<Json> issued;
        for (int i = 0; i < kProjects; ++i) {
            issued.push_back(world.issue("p" + std::to_string(i)));
        }
        const auto list = [&](std::optional<std::int64_t> before, std::size_t most) {
            return *world.wait(world.book->list(before, most));
        };
        // Of all of them from the last on, each as it was issued, but for its lines.
        const auto checkAll = [&] {
            const Json first = list(std::nullopt, 3);
            const Json rest = list(first.at(2).at("sequence").get<std::int64_t>(), 3);
            QCOMPARE(rest.size(), std::size_t{2});
            for (int i = 0; i < kProjects; ++i) {
                Json wanted = issued[static_cast<std::size_t>(kProjects - 1 - i)];
                wanted.erase("lines");
                wanted["sequence"] = kProjects - i;
                const Json& told =
                    i < 3 ? first.at(static_cast<std::size_t>(i)) : rest.at(static_cast<std::size_t>(i - 3));
                QVERIFY2(told == wanted, told.dump().c_str());
            }
        };
        checkAll();
        world.sql([](broker::Connection& sql) { sql << "DELETE FROM invoice_heads WHERE number <> 3"; });
        checkAll();
        // By now nothing is read of the invoices themselves.
        world.sql([](broker::Connection& sql) { sql << "UPDATE invoices SET data = 'spoiled'"; });
        checkAll();
        QCOMPARE(world.wait(world.book->find("VV-000002")).value(), std::string("spoiled"));
    }

    void numbers_OfTwoWhoIssueAtOnce_HaveNoGaps_data() { addDatabases(); }
    void numbers_OfTwoWhoIssueAtOnce_HaveNoGaps()
    {
        QFETCH(bool, isShared);
        const std::string shared = url(isShared);
        World one(shared);
        World other(shared);
        constexpr int kProjects = 20;
        for (int i = 0; i < kProjects; ++i) {
            one.spend(
                "s" + std::to_string(i), "u" + std::to_string(i), "p" + std::to_string(i), "singer", worth(kDollar));
        }
        one.clock.advance(std::chrono::hours(24 * 20));
        other.clock.advance(std::chrono::hours(24 * 20));
        using Answer = core::Expected<InvoiceBook::Issued, Fault>;
        std::vector<std::future<Answer>> waiting;
        for (int i = 0; i < kProjects; ++i) {
            for (World* world : {&one, &other}) {
                waiting.push_back(tests::begin(
                    world->threads, world->book->issue(*Month::parse("2027-01"), "p" + std::to_string(i))));
            }
        }
        std::map<std::string, std::string> numbers;
        int news = 0;
        for (auto& answer : waiting) {
            const Answer issued = answer.get();
            QVERIFY2(issued.has_value(), issued ? "" : issued.error().detail.c_str());
            const std::string project = Json::parse(issued->invoice).at("project").get<std::string>();
            const std::string number = Json::parse(issued->invoice).at("number").get<std::string>();
            QCOMPARE(numbers.emplace(project, number).first->second, number);
            news += issued->isNew ? 1 : 0;
        }
        QCOMPARE(news, kProjects);
        std::set<std::string> given;
        for (const auto& [project, number] : numbers) {
            given.insert(number);
        }
        QCOMPARE(given.size(), std::size_t{kProjects});
        QCOMPARE(*given.begin(), std::string("VV-000001"));
        QCOMPARE(*given.rbegin(), std::string("VV-000020"));
    }
};

QTEST_GUILESS_MAIN(TestInvoices)
#include "test_invoices.moc"
