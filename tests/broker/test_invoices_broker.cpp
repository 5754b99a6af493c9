#include "broker/config_problems.h"
#include "broker/reports/report_program.h"
#include "tests/broker/operator_world.h"

#include <QTest>

#include <fstream>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

constexpr const char* kInvoices = "/api/admin/invoices";

struct BillingWorld {
    BillingWorld()
        : world([this](broker::Config& config) {
              config.invoices.issuer = {"Example Ltd"};
              config.invoices.numberPrefix = "VV-";
              config.serviceAccounts.push_back({"books", books.hash, {"voice:admin"}});
          })
    {
        // So that there is something to bill, and January is over.
        if (world.as(world.serviceKey(), "POST", "/api/voice-agent/token", R"({"projectId":"choir"})").status != 200) {
            qFatal("no session");
        }
        world.broker.clock.advance(std::chrono::hours(24 * 20));
    }
    BrokerWorld::Answer ask(const char* method, const std::string& path, std::string body = {})
    {
        return world.as(std::string(books.key.reveal()), method, path, std::move(body));
    }
    /// As somebody at a terminal.
    int run(broker::AskReports asked, std::string& out, std::string& err)
    {
        asked.broker = world.broker.url();
        const broker::Environment environment = [this](const char* name) {
            return name == std::string("VIVAVOCE_ADMIN_KEY") ? std::optional(key) : std::nullopt;
        };
        std::ostringstream outStream;
        std::ostringstream errStream;
        const int code = broker::runReports(asked, environment, outStream, errStream);
        out = outStream.str();
        err = errStream.str();
        return code;
    }

    broker::auth::NewServiceKey books = broker::auth::makeServiceKey("books");
    std::string key{books.key.reveal()};
    OperatorWorld world;
};

/// What the audit says of invoices.
std::vector<Json> linesOf(BillingWorld& world, std::size_t atLeast)
{
    std::vector<Json> found;
    (void)QTest::qWaitFor([&] {
        found = world.world.lines(0);
        std::erase_if(found, [](const Json& line) { return line.at("event") != "invoice.issue"; });
        return found.size() >= atLeast;
    });
    return found;
}

/// The fault of a file with these lines; empty: none.
std::string faultOf(const QString& lines, broker::Config& config)
{
    const QTemporaryDir folder;
    const std::string path = folder.path().toStdString() + "/broker.toml";
    std::ofstream(path) << lines.toStdString();
    broker::Overrides overrides;
    overrides.configFile = path;
    broker::Problems problems;
    config = broker::loadConfig(
        overrides, [](const char*) { return std::nullopt; }, problems);
    return problems.hasFault() ? problems.firstFault().detail : "";
}

} // namespace

/// Reports and invoices of a whole broker: who may, what is told, what is in the audit.
class TestInvoicesBroker : public QObject {
    Q_OBJECT

private slots:
    void issue_ByAnAdmin_IsInTheAudit_AndToldAgain()
    {
        BillingWorld world;
        const std::string body = R"({"project":"choir","month":"2027-01"})";
        const auto issued = world.ask("POST", kInvoices, body);
        QCOMPARE(issued.status, 200U);
        const Json invoice = Json::parse(issued.body);
        QCOMPARE(invoice.at("number").get<std::string>(), std::string("VV-000001"));
        QCOMPARE(invoice.at("isNew").get<bool>(), true);
        QCOMPARE(Json::parse(world.ask("POST", kInvoices, body).body).at("isNew").get<bool>(), false);
        const auto lines = linesOf(world, 2);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(lines[0].at("outcome").get<std::string>(), std::string("done"));
        QCOMPARE(lines[0].at("target").get<std::string>(), std::string("choir 2027-01"));
        QCOMPARE(lines[0].at("subject").get<std::string>(), std::string("books"));
        const Json list = Json::parse(world.ask("GET", kInvoices).body).at("invoices");
        QCOMPARE(list.size(), std::size_t{1});
        QCOMPARE(Json::parse(world.ask("GET", std::string(kInvoices) + "?before=1").body).at("invoices").size(),
            std::size_t{0});
        const auto page = [&](const char* query) {
            return Json::parse(world.ask("GET", std::string(kInvoices) + query).body);
        };
        QCOMPARE(page("?limit=1").at("before").get<int>(), 1);
        QVERIFY(!page("?limit=2").contains("before"));
        // What is refused is told as well.
        QCOMPARE(world.ask("POST", kInvoices, R"({"project":"choir","month":"2027-02"})").status, 400U);
        QCOMPARE(linesOf(world, 4).at(3).at("outcome").get<std::string>(), std::string("failed"));
        QCOMPARE(world.ask("POST", kInvoices, R"({"project":"quire","month":"2027-01"})").status, 404U);
        QCOMPARE(Json::parse(world.ask("GET", kInvoices).body).at("invoices").size(), std::size_t{1});
    }

    void answers_AreForAdminsAlone()
    {
        BillingWorld world;
        for (const char* const path : {"/api/admin/invoices", "/api/admin/invoices/VV-000001",
                 "/api/admin/invoices/preview?project=choir&month=2027-01", "/api/admin/reports/2027-01"}) {
            QCOMPARE(world.world.as(world.world.serviceKey(), "GET", path).status, 403U);
        }
        QCOMPARE(world.world.as(world.world.serviceKey(), "POST", kInvoices, R"({"project":"choir","month":"2027-01"})")
                     .status,
            403U);
        QCOMPARE(Json::parse(world.ask("GET", kInvoices).body).at("invoices").size(), std::size_t{0});
    }

    void page_LoadsItsStyleFromHere_AndNothingElse()
    {
        BillingWorld world;
        const auto page = world.ask("GET", std::string(kInvoices) + "/preview?project=choir&month=2027-02&format=html");
        QCOMPARE(page.status, 200U);
        QCOMPARE(header(page, "Content-Type"), std::string("text/html; charset=utf-8"));
        QCOMPARE(header(page, "Content-Security-Policy"),
            std::string(
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"));
        QCOMPARE(header(page, "Cache-Control"), std::string("no-store, max-age=0"));
        QVERIFY(page.body.find("href=\"/invoice.css\"") != std::string::npos);
        const auto style = world.world.broker.send(world.world.broker.request("GET", "/invoice.css"));
        QCOMPARE(style.status, 200U);
        QCOMPARE(header(style, "Content-Type"), std::string("text/css; charset=utf-8"));
        QVERIFY(style.body.find("@page") != std::string::npos);
        // All else keeps its own.
        const auto list = world.ask("GET", kInvoices);
        QCOMPARE(header(list, "Content-Security-Policy"), std::string("default-src 'none'; frame-ancestors 'none'"));
    }

    void request_ThatIsNone_IsRefused_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<int>("status");
        QTest::newRow("no month") << "/api/admin/reports/2027-13" << 400;
        QTest::newRow("a month to come") << "/api/admin/reports/2027-03" << 400;
        QTest::newRow("before the ledger") << "/api/admin/reports/2020-01" << 400;
        QTest::newRow("format") << "/api/admin/reports/2027-01?format=xml" << 400;
        QTest::newRow("no project") << "/api/admin/invoices/preview?month=2027-01" << 400;
        QTest::newRow("no such invoice") << "/api/admin/invoices/VV-000009" << 404;
        QTest::newRow("limit") << "/api/admin/invoices?limit=1000" << 400;
        QTest::newRow("a name that nobody knows") << "/api/admin/reports/2027-01?projekt=choir" << 400;
        QTest::newRow("a name that is spelled out") << "/api/admin/reports/2027-01?%70roject=choir" << 400;
        QTest::newRow("a filter twice") << "/api/admin/reports/2027-01?project=choir&project=band" << 400;
        QTest::newRow("a limit of a report") << "/api/admin/reports/2027-01?limit=5" << 400;
        QTest::newRow("a list's unknown name") << "/api/admin/invoices?after=1" << 400;
        QTest::newRow("a preview's unknown name")
            << "/api/admin/invoices/preview?month=2027-01&project=choir&user=me" << 400;
        QTest::newRow("an invoice's unknown name") << "/api/admin/invoices/VV-000001?project=choir" << 400;
        QTest::newRow("a filter that is understood") << "/api/admin/reports/2027-01?project=choir&format=csv" << 200;
    }
    void request_ThatIsNone_IsRefused()
    {
        QFETCH(QString, path);
        QFETCH(int, status);
        BillingWorld world;
        QCOMPARE(static_cast<int>(world.ask("GET", path.toStdString()).status), status);
    }

    void program_AsksTheBroker()
    {
        using What = broker::AskReports::What;
        BillingWorld world;
        std::string out;
        std::string err;
        broker::AskReports asked;
        asked.what = What::Issue;
        asked.project = "choir";
        asked.month = "2027-01";
        QCOMPARE(world.run(asked, out, err), 0);
        QCOMPARE(Json::parse(out).at("number").get<std::string>(), std::string("VV-000001"));
        asked.what = What::Show;
        asked.number = "VV-000001";
        asked.format = "html";
        QCOMPARE(world.run(asked, out, err), 0);
        QVERIFY(out.find("<h1>Invoice VV-000001</h1>") != std::string::npos);
        // A file has no broker to take it from.
        QVERIFY(out.find("@page") != std::string::npos && out.find("invoice.css") == std::string::npos);
        asked.what = What::Report;
        asked.format = "csv";
        QCOMPARE(world.run(asked, out, err), 0);
        QVERIFY(out.starts_with("project,month,user,issuer,provider,model,kind,quantity,unit,usd"));
        asked.what = What::List;
        QCOMPARE(world.run(asked, out, err), 0);
        asked.what = What::Issue;
        asked.month = "2027-02";
        QCOMPARE(world.run(asked, out, err), 2);
        QVERIFY2(err.find("the month is not over") != std::string::npos, err.c_str());
        QVERIFY(out.empty());
        asked.project = "quire";
        asked.month = "2027-01";
        QCOMPARE(world.run(asked, out, err), 2);
        QVERIFY2(err.find("the project has nothing to bill in that month") != std::string::npos, err.c_str());
        asked.month = "2026-13";
        QCOMPARE(world.run(asked, out, err), 2);
        QVERIFY2(err.find("month has to be a year and a month from 01 to 12") != std::string::npos, err.c_str());
        asked.month = "2027-01";
        asked.project = "a b";
        QCOMPARE(world.run(asked, out, err), 2);
        QVERIFY2(err.find("project has to be 1 to 128 visible ASCII characters") != std::string::npos, err.c_str());
        world.key = "wrong";
        QCOMPARE(world.run(asked, out, err), 3);
        world.key.clear();
        QCOMPARE(world.run(asked, out, err), 3);
        QVERIFY(err.find("VIVAVOCE_ADMIN_KEY") != std::string::npos);
    }

    void config_IsRead_AndWhatDoesNotDoIsTold_data()
    {
        QTest::addColumn<QString>("lines");
        QTest::addColumn<QString>("problem");
        QTest::newRow("all")
            << "issuer = [\"A\", \"B\"]\nnumber_prefix = \"A-1.\"\ntax_basis_points = 1900\ncurrency = \"EUR\"\n"
               "rate = \"0.92\"\nrate_date = \"2026-11-01\"\nnote = [\"c\"]\n[[invoices.recipients]]\nproject = \"p\"\naddress = [\"x\"]\n"
            << "";
        QTest::newRow("no day") << "currency = \"EUR\"\nrate = \"0.92\"\n"
                                << "invoices.rate_date has to say on which day invoices.rate held";
        QTest::newRow("a dollar is a dollar") << "rate = \"0.92\"\n"
                                              << "invoices.rate has to be 1 for USD";
        QTest::newRow("rate") << "rate = 0.92\n"
                              << "invoices.rate has to be a text with a number";
        QTest::newRow("prefix") << "number_prefix = \"a b\"\n"
                                << "invoices.number_prefix has to be letters";
        QTest::newRow("tax") << "tax_basis_points = 19.5\n"
                             << "invoices.tax_basis_points has to be a whole number";
        QTest::newRow("nobody") << "[[invoices.recipients]]\nproject = \"p\"\n"
                                << "invoices.recipients[0].address has to be name and address";
    }
    void config_IsRead_AndWhatDoesNotDoIsTold()
    {
        QFETCH(QString, lines);
        QFETCH(QString, problem);
        broker::Config config;
        const std::string fault = faultOf("[invoices]\n" + lines, config);
        QVERIFY2(problem.isEmpty() ? fault.empty() : fault.starts_with(problem.toStdString()), fault.c_str());
        if (problem.isEmpty()) {
            broker::Config again;
            QCOMPARE(faultOf(QString::fromStdString(broker::printConfig(config)), again), std::string());
            QCOMPARE(broker::printConfig(again), broker::printConfig(config));
            QCOMPARE(config.invoices.currency.rateMillionths, std::int64_t{920'000});
            QCOMPARE(config.invoices.recipients.at("p").size(), std::size_t{1});
        }
    }
};

QTEST_GUILESS_MAIN(TestInvoicesBroker)
#include "test_invoices_broker.moc"
