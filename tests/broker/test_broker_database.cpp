#include "broker/store/connection.h"
#include "broker/store/database.h"
#include "broker/store/database_url.h"
#include "broker/store/internal/sql_connection.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/postgres_server.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <soci/sqlite3/soci-sqlite3.h>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

struct World {
    core::Expected<void, core::Error> open(
        const std::string& url, core::Milliseconds deadline = core::Milliseconds{5'000})
    {
        Database::Settings settings;
        settings.url = core::Secret(url);
        settings.deadline = deadline;
        auto opened = Database::open(std::move(settings), log);
        if (!opened) {
            return core::Unexpected<core::Error>(opened.error());
        }
        database = std::move(*opened);
        const auto made = begin<int>([](broker::Connection& sql) {
            sql << "CREATE TABLE IF NOT EXISTS notes (id VARCHAR(32) PRIMARY KEY, text TEXT NOT NULL)";
            return 0;
        }).get();
        if (!made) {
            return core::fail(core::ErrorCode::Internal, made.error().reason);
        }
        return {};
    }
    template <typename T>
    std::future<core::Expected<T, DatabaseDown>> begin(std::function<T(broker::Connection&)> work)
    {
        return boost::asio::co_spawn(threads.executor(), database->run<T>(std::move(work)), boost::asio::use_future);
    }
    core::Expected<int, DatabaseDown> count()
    {
        return begin<int>([](broker::Connection& sql) {
            int found = 0;
            sql << "SELECT count(*) FROM notes", soci::into(found);
            return found;
        }).get();
    }
    static std::function<int(broker::Connection&)> inserting(const std::string& id)
    {
        return [id](broker::Connection& sql) {
            sql << "INSERT INTO notes (id, text) VALUES (:id, '')", soci::use(id);
            return 0;
        };
    }

    tests::NetThreads threads;
    tests::CapturedLog log;
    std::unique_ptr<Database> database;
};

std::string fileUrl(const QTemporaryDir& folder)
{
    return "sqlite://" + folder.filePath(QStringLiteral("broker.db")).toStdString();
}

} // namespace

class TestBrokerDatabase : public QObject {
    Q_OBJECT

private slots:
    void url_ThatIsNone_IsRefusedWithoutRepeatingIt_data()
    {
        QTest::addColumn<QByteArray>("url");
        for (const char* url : {"", "sqlite://", "sqlite:///tmp/", "sqlite:///a b.db", "sqlite:///a?mode=memory",
                 "sqlite://a' b", "mysql://marker@host/x", "postgresql:marker", "/tmp/marker.db"}) {
            QTest::addRow("%s", url) << QByteArray(url);
        }
    }
    void url_ThatIsNone_IsRefusedWithoutRepeatingIt()
    {
        QFETCH(QByteArray, url);
        const auto parsed = parseDatabaseUrl(core::Secret(url.toStdString()));
        QVERIFY(!parsed);
        QVERIFY(parsed.error().code == core::ErrorCode::BadConfiguration);
        QVERIFY(parsed.error().detail.find("marker") == std::string::npos);
    }

    void file_IsPrivate_AndItsRowsAreThereAfterwards()
    {
        const QTemporaryDir folder;
        for (int round = 0; round < 2; ++round) {
            World world;
            QVERIFY(world.open(fileUrl(folder)).has_value());
            QCOMPARE(world.count().value_or(-1), round);
            QVERIFY(world.begin<int>(World::inserting("p" + std::to_string(round))).get().has_value());
            for (const char* name : {"broker.db", "broker.db-wal"}) {
                const QFile file(folder.filePath(QString::fromLatin1(name)));
                QVERIFY2(file.exists(), name);
                QVERIFY2((file.permissions() & (QFile::ReadGroup | QFile::ReadOther)) == 0, name);
            }
        }
    }

    void file_OfANewerVersion_IsRefused()
    {
        const QTemporaryDir folder;
        {
            World world;
            QVERIFY(world.open(fileUrl(folder)).has_value());
            QVERIFY(world
                        .begin<int>([](broker::Connection& sql) {
                            sql << "INSERT INTO schema_version (version) VALUES (1000)";
                            return 0;
                        })
                        .get()
                        .has_value());
        }
        World world;
        const auto opened = world.open(fileUrl(folder));
        QVERIFY(!opened && opened.error().code == core::ErrorCode::BadConfiguration);
    }

    void file_InAFolderThatIsNotThere_IsAClearError()
    {
        World world;
        const auto opened = world.open("sqlite:///nowhere/at/all/broker.db");
        QVERIFY(!opened && opened.error().code == core::ErrorCode::OutputUnwritable);
    }

    void work_ThatFails_TakesNobodyElseAlong()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        constexpr int kMany = 200;
        std::vector<std::future<core::Expected<int, DatabaseDown>>> answers;
        for (int i = 0; i < kMany; ++i) {
            // Every fourth one writes, and then fails.
            answers.push_back(world.begin<int>([i](broker::Connection& sql) {
                World::inserting("p" + std::to_string(i))(sql);
                if (i % 4 == 0) {
                    sql << "INSERT INTO nothing_of_ours VALUES (1)";
                }
                return i;
            }));
        }
        for (int i = 0; i < kMany; ++i) {
            const auto answer = answers[static_cast<std::size_t>(i)].get();
            QCOMPARE(answer.has_value(), i % 4 != 0);
        }
        QCOMPARE(world.count().value_or(-1), kMany * 3 / 4);
        QVERIFY(world.database->isWorking());
    }

    void statement_ThatIsKept_TakesOtherValuesEachTime()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        const auto answer =
            world
                .begin<int>([](broker::Connection& sql) {
                    const std::string insertion = "INSERT INTO notes (id, text) VALUES (:id, :text)";
                    const std::string selection = "SELECT text FROM notes WHERE id = :id";
                    int right = 0;
                    for (int i = 0; i < 300; ++i) {
                        const std::string id = "p" + std::to_string(i);
                        sql.ask(insertion, soci::use(id), soci::use(id));
                        // Others between, more than are kept.
                        int number = 0;
                        sql.ask("SELECT " + std::to_string(i), soci::into(number));
                        std::string text;
                        right +=
                            sql.ask(selection, soci::into(text), soci::use(id)) && text == id && number == i ? 1 : 0;
                    }
                    const std::string nobody = "nobody";
                    std::string untouched = "as it was";
                    right += !sql.ask(selection, soci::into(untouched), soci::use(nobody)) && untouched == "as it was"
                        ? 1
                        : 0;
                    return right;
                })
                .get();
        QCOMPARE(answer.value_or(-1), 301);
    }

    void statement_ThatFailed_IsForgottenAndRunsAgain()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        const std::function<int(broker::Connection&)> twice = [](broker::Connection& sql) {
            const std::string insertion = "INSERT INTO notes (id, text) VALUES (:id, '')";
            const std::string same = "same";
            const std::string other = "other";
            sql.ask(insertion, soci::use(same));
            try {
                sql.ask(insertion, soci::use(same));
                return 0;
            } catch (const soci::soci_error&) {
                sql.ask(insertion, soci::use(other));
            }
            return 1;
        };
        QCOMPARE(world.begin<int>(twice).get().value_or(-1), 1);
        QCOMPARE(world.count().value_or(-1), 2);
    }

    void statements_WithinTheRowsOfAnother_DisturbNothing()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        for (int i = 0; i < 5; ++i) {
            QVERIFY(world.begin<int>(World::inserting("p" + std::to_string(i))).get().has_value());
        }
        const auto answer = world
                                .begin<int>([](broker::Connection& sql) {
                                    std::string id;
                                    int rows = 0;
                                    sql.askEach(
                                        "SELECT id FROM notes ORDER BY id",
                                        [&] {
                                            // So many new ones that what holds them grows.
                                            for (int i = 0; i < 50; ++i) {
                                                int number = 0;
                                                sql.ask("SELECT " + std::to_string(100 * rows + i), soci::into(number));
                                            }
                                            rows += id == "p" + std::to_string(rows) ? 1 : 100;
                                        },
                                        soci::into(id));
                                    return rows;
                                })
                                .get();
        QCOMPARE(answer.value_or(-1), 5);
        // Nothing of it is left open: another program gets its turn.
        soci::session beside(soci::sqlite3, "dbname=" + folder.filePath(QStringLiteral("broker.db")).toStdString());
        beside << "BEGIN EXCLUSIVE";
        beside << "COMMIT";
    }

    void fullDisk_IsToldAndRecoversByItself()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        QVERIFY(world
                    .begin<int>([](broker::Connection& sql) {
                        sql << "PRAGMA max_page_count = 1";
                        return 0;
                    })
                    .get()
                    .has_value());
        const std::string large(1'000'000, 'x');
        const auto insertLarge = [large](broker::Connection& sql) {
            sql << "INSERT INTO notes (id, text) VALUES ('large', :text)", soci::use(large);
            return 0;
        };
        QVERIFY(!world.begin<int>(insertLarge).get().has_value());
        // What only reads goes well, and says nothing of what writes: nor does a look that finds no room.
        QVERIFY(world.count().has_value());
        QVERIFY(!world.database->isWorking());
        QVERIFY(world.count().has_value());
        QVERIFY(!world.database->isWorking());
        QVERIFY(world
                    .begin<int>([](broker::Connection& sql) {
                        sql << "PRAGMA max_page_count = 1000000";
                        return 0;
                    })
                    .get()
                    .has_value());
        QVERIFY(world.begin<int>(insertLarge).get().has_value());
        QCOMPARE(world.count().value_or(-1), 1);
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value() && world.database->isWorking(); }));
        int probes = -1;
        QVERIFY(world
                    .begin<int>([&probes](broker::Connection& sql) {
                        sql << "SELECT count(*) FROM projects", soci::into(probes);
                        return 0;
                    })
                    .get()
                    .has_value());
        QCOMPARE(probes, 0);
    }

    void file_ThatAnotherProgramKeepsLocked_IsAwayUntilItLetsGo()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder), core::Milliseconds{500}).has_value());
        const auto other = connectTo(*parseDatabaseUrl(core::Secret(fileUrl(folder))), core::Milliseconds{500});
        *other << "BEGIN IMMEDIATE";
        QVERIFY(!world.begin<int>(World::inserting("a")).get().has_value());
        QVERIFY(QTest::qWaitFor([&] { return !world.database->isWorking(); }));
        QVERIFY(QTest::qWaitFor([&] { return world.log.text().find("store.down") != std::string::npos; }));
        // What has to be put right waits for it; the rest does not.
        world.database->putRight(
            [](broker::Connection& sql) { sql << "INSERT INTO notes (id, text) VALUES ('right', '')"; });
        QVERIFY(!world.count().has_value());
        *other << "ROLLBACK";
        QVERIFY(QTest::qWaitFor([&] { return world.count() == 1; }));
        QVERIFY(world.database->isWorking());
        QVERIFY(world.log.text().find("store.up") != std::string::npos);
    }

    void file_ThatAnotherProgramLocksForAMoment_IsWaitedFor()
    {
        const QTemporaryDir folder;
        World world;
        QVERIFY(world.open(fileUrl(folder)).has_value());
        const auto other = connectTo(*parseDatabaseUrl(core::Secret(fileUrl(folder))), core::Milliseconds{500});
        *other << "BEGIN IMMEDIATE";
        // Reads first, as most of our work does.
        auto answer = world.begin<int>([](broker::Connection& sql) {
            int found = 0;
            sql << "SELECT count(*) FROM notes", soci::into(found);
            return World::inserting("a")(sql);
        });
        QVERIFY(answer.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
        *other << "ROLLBACK";
        QVERIFY(answer.get().has_value());
        QCOMPARE(world.count().value_or(-1), 1);
    }

    void values_StayOutOfTheLog()
    {
        World world;
        QVERIFY(world.open("sqlite://:memory:").has_value());
        QVERIFY(world.begin<int>(World::inserting("marker-value")).get().has_value());
        QVERIFY(!world.begin<int>(World::inserting("marker-value")).get().has_value());
        QVERIFY(world.log.text().find("store.failed") != std::string::npos);
        QVERIFY(world.log.text().find("marker-value") == std::string::npos);
    }

    void server_ThatStopsAndStarts_IsFoundAgain()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url(), core::Milliseconds{2'000}).has_value());
        QVERIFY(world.begin<int>(World::inserting("before")).get().has_value());
        server.stop();
        QVERIFY(!world.begin<int>(World::inserting("away")).get().has_value());
        QVERIFY(!world.database->isWorking());
        QVERIFY(server.start());
        QVERIFY(QTest::qWaitFor([&] { return world.begin<int>(World::inserting("after")).get().has_value(); }, 10'000));
        QVERIFY(world.database->isWorking());
        QCOMPARE(world.count().value_or(-1), 2);
        // One that comes up first finds the tables made.
        World beside;
        QVERIFY(beside.open(server.url()).has_value());
        QCOMPARE(beside.count().value_or(-1), 2);
    }

    /// A full disk, and a server that is a standby by now.
    void server_ThatTakesNoWrites_IsAwayUntilItDoes_data()
    {
        QTest::addColumn<QByteArray>("state");
        QTest::newRow("full") << QByteArray("53100");
        QTest::newRow("only read") << QByteArray("25006");
    }
    void server_ThatTakesNoWrites_IsAwayUntilItDoes()
    {
        QFETCH(QByteArray, state);
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url()).has_value());
        const auto other = connectTo(*parseDatabaseUrl(core::Secret(server.url())), core::Milliseconds{5'000});
        *other << "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no'' USING "
                  "ERRCODE = ''"
                + state.toStdString() + "''; END'";
        for (const char* table : {"notes", "projects"}) {
            *other << std::string("CREATE TRIGGER refuses BEFORE INSERT ON ") + table
                    + " FOR EACH ROW EXECUTE FUNCTION refuse()";
        }
        QVERIFY(!world.begin<int>(World::inserting("a")).get().has_value());
        QVERIFY(!world.database->isWorking());
        QVERIFY(world.log.text().find("store.down") != std::string::npos);
        // It can be read all the while.
        for (int i = 0; i < 20; ++i) {
            QVERIFY(world.count().has_value());
            QVERIFY(!world.database->isWorking());
        }
        *other << "DROP FUNCTION refuse() CASCADE";
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value() && world.database->isWorking(); }, 10'000));
        QVERIFY(world.log.text().find("store.up") != std::string::npos);
        QVERIFY(world.begin<int>(World::inserting("a")).get().has_value());
        int probes = -1;
        *other << "SELECT count(*) FROM projects", soci::into(probes);
        QCOMPARE(probes, 0);
    }

    void connection_ThatOnlyReads_IsMadeAnew()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url()).has_value());
        constexpr int kConnections = 4;
        std::atomic<int> begun{0};
        std::promise<void> gate;
        const std::shared_future<void> opened = gate.get_future().share();
        const std::function<int(broker::Connection&)> becomesStandby = [&begun, opened](broker::Connection& sql) {
            sql << "SET default_transaction_read_only = on";
            ++begun;
            opened.wait();
            return 0;
        };
        std::vector<std::future<core::Expected<int, DatabaseDown>>> all;
        for (int i = 0; i < kConnections; ++i) {
            all.push_back(world.begin<int>(becomesStandby));
        }
        const bool haveAll = QTest::qWaitFor([&] { return begun == kConnections; });
        gate.set_value();
        for (auto& one : all) {
            QVERIFY(one.get().has_value());
        }
        QVERIFY(haveAll);
        for (int i = 0; i < 2 * kConnections; ++i) {
            const auto done = world.begin<int>(World::inserting("p" + std::to_string(i))).get();
            QVERIFY2(done.has_value(), done ? "" : done.error().reason.c_str());
        }
        QVERIFY(world.database->isWorking());
        QCOMPARE(world.count().value_or(-1), 2 * kConnections);
    }

    /// Warnings: its client writes them to standard error, where there is the log, and in a form of its own.
    void server_WarnsNobody_AndDoesWhatIsAskedByItself()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url()).has_value());
        auto least = world.begin<std::string>([](broker::Connection& sql) {
            std::string told;
            sql << "SHOW client_min_messages", soci::into(told);
            return told;
        });
        QCOMPARE(least.get().value_or(std::string()), std::string("error"));
        // A report of 0.1 s would wait for processes to begin, and for code to be compiled, for longer than it takes.
        auto alone = world.begin<std::string>([](broker::Connection& sql) {
            std::string workers;
            std::string jit;
            sql << "SHOW max_parallel_workers_per_gather", soci::into(workers);
            sql << "SHOW jit", soci::into(jit);
            return workers + " " + jit;
        });
        QCOMPARE(alone.get().value_or(std::string()), std::string("0 off"));
    }

    void server_ThatStandsStill_IsNotWorkingUntilItGoesOn()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url(), core::Milliseconds{1'000}).has_value());
        QVERIFY(world.database->isWorking());
        server.freeze();
        QVERIFY(!world.count().has_value());
        QVERIFY(!world.database->isWorking());
        server.thaw();
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value() && world.database->isWorking(); }, 10'000));
    }

    /// As one that waits for a row which somebody keeps, on one connection of four.
    void workThatIsSlow_OnOneConnection_IsNoDatabaseThatHangs()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url(), core::Milliseconds{500}).has_value());
        std::promise<void> gate;
        const std::shared_future<void> opened = gate.get_future().share();
        const auto slow = [opened](broker::Connection&) {
            opened.wait();
            return 0;
        };
        auto late = world.begin<int>(slow);
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value(); }));
        QVERIFY(!late.get().has_value());
        // On a busy machine another connection may take long as well, once; the slow work lasts.
        const auto isWorking = [&] { return world.count().has_value() && world.database->isWorking(); };
        QVERIFY(QTest::qWaitFor(isWorking, 10'000));
        // What nobody waits for may take its time.
        world.database->post([opened](broker::Connection&) { opened.wait(); });
        QVERIFY(QTest::qWaitFor(isWorking, 10'000));
        // As many as there are connections are a database that does nothing any more.
        std::vector<std::future<core::Expected<int, DatabaseDown>>> more;
        for (int i = 0; i < 3; ++i) {
            more.push_back(world.begin<int>(slow));
        }
        for (auto& answer : more) {
            QVERIFY(!answer.get().has_value());
        }
        QVERIFY(!world.database->isWorking());
        gate.set_value();
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value() && world.database->isWorking(); }, 10'000));
    }

    /// Of four connections one has hung since a moment before the last success, and another since then.
    void workThatHangs_IsNotHiddenByWhatWasBegunBeforeTheLastSuccess()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url(), core::Milliseconds{3'000}).has_value());
        std::atomic<int> begun{0};
        const auto until = [&begun](std::promise<void>& gate) {
            return [&begun, opened = gate.get_future().share()](broker::Connection&) {
                ++begun;
                opened.wait();
                return 0;
            };
        };
        std::promise<void> never;
        std::promise<void> soon;
        const std::function<int(broker::Connection&)> hanging = until(never);
        const std::function<int(broker::Connection&)> passing = until(soon);
        auto before = world.begin<int>(hanging);
        auto one = world.begin<int>(passing);
        auto other = world.begin<int>(passing);
        // Three connections are in use, so two that hang are not all of them.
        QVERIFY(QTest::qWaitFor([&] { return begun == 3; }, 2'500));
        soon.set_value();
        QVERIFY(one.get().has_value());
        QVERIFY(other.get().has_value());
        QVERIFY(world.database->isWorking());
        auto since = world.begin<int>(hanging);
        QVERIFY(!before.get().has_value());
        QVERIFY(!since.get().has_value());
        QVERIFY(!world.database->isWorking());
        never.set_value();
        QVERIFY(QTest::qWaitFor([&] { return world.count().has_value() && world.database->isWorking(); }, 10'000));
    }

    void server_ThatStandsStill_DoesNotKeepTheEnd()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        World world;
        QVERIFY(world.open(server.url(), core::Milliseconds{500}).has_value());
        server.freeze();
        QVERIFY(!world.count().has_value());
        QElapsedTimer timer;
        timer.start();
        world.database->closeBy(std::chrono::steady_clock::now() + core::Milliseconds{300});
        world.database.reset();
        QVERIFY2(timer.elapsed() < 2'000, qPrintable(QString::number(timer.elapsed())));
        server.thaw();
    }

    void server_ThatLetsFewIn_LosesNoWorkForThat()
    {
        if (const QString missing = tests::PostgresServer::missing(); !missing.isEmpty()) {
            QSKIP(qPrintable(missing));
        }
        tests::PostgresServer server;
        QVERIFY(server.start());
        {
            World owner;
            QVERIFY(owner.open(server.url()).has_value());
            QVERIFY(owner
                        .begin<int>([](broker::Connection& sql) {
                            sql << "CREATE ROLE few LOGIN CONNECTION LIMIT 1";
                            sql << "GRANT ALL ON ALL TABLES IN SCHEMA public TO few";
                            sql << "GRANT ALL ON SCHEMA public TO few";
                            return 0;
                        })
                        .get()
                        .has_value());
        }
        World world;
        // Who waits for the one connection may wait long on a busy machine: that is not what is asked here.
        const auto opened =
            world.open("postgresql://few@/postgres?host=" + server.folder(), core::Milliseconds{20'000});
        QVERIFY2(opened.has_value(), opened ? "" : opened.error().detail.c_str());
        std::vector<std::future<core::Expected<int, DatabaseDown>>> answers;
        for (int i = 0; i < 100; ++i) {
            answers.push_back(world.begin<int>(World::inserting("p" + std::to_string(i))));
        }
        for (auto& answer : answers) {
            const auto done = answer.get();
            QVERIFY2(done.has_value(), done ? "" : done.error().reason.c_str());
        }
        QVERIFY(world.database->isWorking());
    }

    void work_DoneWhenItsCallerHasGivenUp_IsUndone()
    {
        World world;
        QVERIFY(world.open("sqlite://:memory:", core::Milliseconds{200}).has_value());
        std::promise<void> gate;
        const std::function<int(broker::Connection&)> slow = [&](broker::Connection& sql) {
            gate.get_future().wait();
            return World::inserting("late")(sql);
        };
        const Database::Undo<int> undo = [](broker::Connection& sql, int) {
            sql << "DELETE FROM notes WHERE id = 'late'";
        };
        const auto answer = boost::asio::co_spawn(
            world.threads.executor(), world.database->run<int>(slow, undo), boost::asio::use_future)
                                .get();
        QVERIFY(!answer.has_value());
        QVERIFY(!world.database->isWorking());
        gate.set_value();
        // Behind what undoes it in the queue, or after it.
        QVERIFY(QTest::qWaitFor([&] { return world.count() == 0; }));
        QVERIFY(world.begin<int>(World::inserting("late")).get().has_value());
        QVERIFY(world.database->isWorking());
    }

    void whatPutsRight_IsTriedAgainWhereItFails_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        QTest::newRow("PostgreSQL") << true;
    }
    void whatPutsRight_IsTriedAgainWhereItFails()
    {
        QFETCH(bool, isShared);
        tests::PostgresServer server;
        if (const QString missing = tests::PostgresServer::missing(); isShared && !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        QVERIFY(!isShared || server.start());
        World world;
        QVERIFY(world.open(isShared ? server.url() : "sqlite://:memory:").has_value());
        world.database->putRight([](broker::Connection& sql) { sql << "INSERT INTO later (id) VALUES (1)"; });
        QVERIFY(QTest::qWaitFor([&] { return world.log.text().find("store.failed") != std::string::npos; }));
        QVERIFY(world
                    .begin<int>([](broker::Connection& sql) {
                        sql << "CREATE TABLE later (id INTEGER PRIMARY KEY)";
                        return 0;
                    })
                    .get()
                    .has_value());
        QVERIFY(QTest::qWaitFor(
            [&] {
                return world
                           .begin<int>([](broker::Connection& sql) {
                               int found = 0;
                               sql << "SELECT count(*) FROM later", soci::into(found);
                               return found;
                           })
                           .get()
                    == 1;
            },
            10'000));
    }

    /// Whoever waited for it has been told that it is not done.
    void work_DoneLaterThanItsDeadline_IsRolledBack_data()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        QTest::newRow("PostgreSQL") << true;
    }
    void work_DoneLaterThanItsDeadline_IsRolledBack()
    {
        QFETCH(bool, isShared);
        tests::PostgresServer server;
        if (const QString missing = tests::PostgresServer::missing(); isShared && !missing.isEmpty()) {
            QSKIP(qPrintable(QStringLiteral("NOT TESTED: ") + missing));
        }
        QVERIFY(!isShared || server.start());
        World world;
        QVERIFY(world.open(isShared ? server.url() : "sqlite://:memory:", core::Milliseconds{400}).has_value());
        std::promise<void> gate;
        std::promise<void> isOver;
        const auto late = world
                              .begin<int>([&](broker::Connection& sql) {
                                  World::inserting("late")(sql);
                                  gate.get_future().wait();
                                  isOver.set_value();
                                  return 0;
                              })
                              .get();
        QVERIFY(!late.has_value());
        gate.set_value();
        isOver.get_future().wait();
        // Waits for the row where that is about to be committed.
        QVERIFY(world.begin<int>(World::inserting("late")).get().has_value());
        QCOMPARE(world.count().value_or(-1), 1);
    }

    void server_ThatIsNotThere_IsAClearErrorWithoutThePassword()
    {
        World world;
        const auto opened = world.open("postgresql://vivavoce:marker-password@127.0.0.1:1/none");
        QVERIFY(!opened && opened.error().code == core::ErrorCode::BadConfiguration);
        QVERIFY(opened.error().detail.find("marker-password") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestBrokerDatabase)
#include "test_broker_database.moc"
