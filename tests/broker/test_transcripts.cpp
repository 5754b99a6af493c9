#include "broker/projects/table_projects.h"
#include "broker/store/connection.h"
#include "broker/transcripts/internal/transcript_rows.h"
#include "broker/transcripts/transcript_book.h"
#include "broker/transcripts/transcript_desk.h"
#include "broker/transcripts/transcript_files.h"
#include "net/timer.h"
#include "tests/broker/limits_harness.h"
#include "tests/broker/postgres_server.h"

#include <nlohmann/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <QTest>

#include <algorithm>
#include <future>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::transcripts::Conversation;
using broker::transcripts::Extent;
using broker::transcripts::Line;
using broker::transcripts::Reader;
using broker::transcripts::Speaker;
using broker::transcripts::Transcript;
using broker::transcripts::TranscriptBook;
using broker::transcripts::TranscriptDesk;
using broker::transcripts::TranscriptQuery;
using core::Json;
using Leave = TranscriptDesk::Leave;
using Words = TranscriptDesk::Words;

namespace {

constexpr const char* kAlice = "2:18:https://id.example:alice";
constexpr const char* kBob = "2:18:https://id.example:bob";
constexpr auto kDay = std::chrono::hours(24);

std::string idOf(int number)
{
    return "voice_" + std::to_string(1'800'000'000 + number) + "_abcdefghijklmnopqrstuv";
}

Line line(std::int64_t position, Speaker speaker, std::string text, Extent extent = Extent::Whole)
{
    Line made;
    made.position = position;
    made.speaker = speaker;
    made.text = std::move(text);
    made.extent = extent;
    made.at = core::WallTime(std::chrono::seconds(1'800'000'000 + position));
    return made;
}

Reader all()
{
    return {"root", true, true};
}

struct World {
    explicit World(const std::string& url, TranscriptDesk::Settings settings = {})
    {
        broker::Database::Settings store;
        store.url = core::Secret(url);
        store.deadline = core::Milliseconds(10'000);
        database = std::move(broker::Database::open(std::move(store), log).value());
        run("DELETE FROM transcripts");
        run("DELETE FROM transcript_removals");
        run("DELETE FROM transcript_streams");
        run("DELETE FROM projects");
        run("DELETE FROM sessions");
        desk = std::make_unique<TranscriptDesk>(
            settings, std::chrono::days(30), TranscriptDesk::Dependencies{*database, clock, log});
        book = std::make_unique<TranscriptBook>(*database, clock);
    }

    void run(const std::string& text)
    {
        const std::function<int(broker::Connection&)> work = [&](broker::Connection& sql) {
            sql << text;
            return 0;
        };
        QVERIFY(wait(database->run<int>(work)).has_value());
    }
    long long count(const std::string& from)
    {
        const std::function<long long(broker::Connection&)> work = [&](broker::Connection& sql) {
            long long found = 0;
            sql << "SELECT COUNT(*) FROM " + from, soci::into(found);
            return found;
        };
        return wait(database->run<long long>(work)).value();
    }
    template <typename T>
    T wait(net::Awaitable<T> task)
    {
        return finish(threads, std::move(task));
    }
    std::shared_ptr<const Conversation> conversation(
        int number, const std::string& caller = kAlice, const std::string& project = "choir", std::int64_t days = 30)
    {
        const auto made = std::make_shared<Conversation>();
        made->session = idOf(number);
        made->project = project;
        made->caller = caller;
        made->issuer = "https://id.example";
        made->subject = caller.substr(caller.rfind(':') + 1);
        made->model = "m";
        made->startedAt = core::WallTime(std::chrono::seconds(1'800'000'000 + number));
        made->begun = desk->nextBeginning();
        made->kept = std::chrono::days(days);
        return made;
    }
    TranscriptDesk::Keeping keeping()
    {
        return {[this](std::shared_ptr<const Conversation> of) -> net::Awaitable<Leave> {
                    ++asked;
                    co_return of->session == unknown ? Leave::Unknown : leave;
                },
            areProjectsInTable};
    }
    void tell() { finishVoid(desk->tell(keeping())); }
    /// A stream that is kept has begun, and the store knows it.
    std::shared_ptr<const Conversation> begun(int number)
    {
        auto of = conversation(number);
        desk->begin(of, Words::Kept);
        tell();
        return of;
    }
    void end(const std::shared_ptr<const Conversation>& of)
    {
        desk->end(of);
        tell();
    }
    /// What waits is gone, and all that was known.
    void killBroker()
    {
        clock.advance(core::Milliseconds(1'000));
        desk = std::make_unique<TranscriptDesk>(
            TranscriptDesk::Settings{}, std::chrono::days(30), TranscriptDesk::Dependencies{*database, clock, log});
    }
    void endSession(int number) { run("DELETE FROM sessions WHERE id = '" + idOf(number) + "'"); }
    bool isWhole(int number) { return wait(book->find(all(), idOf(number))).value().head.isWhole; }
    void say(const std::shared_ptr<const Conversation>& of, std::int64_t position, const std::string& text)
    {
        desk->take(of, line(position, Speaker::User, text));
        tell();
    }
    std::vector<std::string> said(int number, Reader reader = all())
    {
        const auto found = wait(book->find(std::move(reader), idOf(number)));
        std::vector<std::string> texts;
        if (found) {
            std::transform(found->lines.begin(), found->lines.end(), std::back_inserter(texts),
                [](const Line& one) { return one.text; });
        }
        return texts;
    }
    /// The numbers of the sessions that a search finds.
    std::vector<std::string> found(TranscriptQuery query, Reader reader = all())
    {
        const auto page = wait(book->search(std::move(reader), std::move(query)));
        std::vector<std::string> ids;
        for (const Transcript& one : page.value().transcripts) {
            ids.push_back(one.head.of.session);
        }
        return ids;
    }
    std::vector<std::string> containing(const std::string& text)
    {
        TranscriptQuery query;
        query.text = text;
        return found(query);
    }
    /// Transcripts of the choir without a line.
    void fill(int count, long long bytes)
    {
        run("INSERT INTO transcripts (session, project, caller, issuer, subject, model, started_at, last_at, "
            "forget_at, line_count, bytes, is_whole) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < "
            + std::to_string(count)
            + ") SELECT 'voice_' || (1800000000 + i) || '_x', 'choir', 'c', '', '', 'm', 0, 0, 4000000000000, 0, "
            + std::to_string(bytes) + ", 1 FROM n");
    }
    /// One that is kept, and may not have said anything yet.
    void openSession(int number, const std::string& caller, const std::string& project = "choir", bool isKept = true)
    {
        run("INSERT INTO sessions (id, transport, caller, issuer, subject, project, client_instance, model, started_at, "
            "token, expires_at, renewals, claim, claim_until, claim_request, repeat_of, repeat_request, repeat_until, "
            "repeat_sealed, keeps_transcript) VALUES ('"
            + idOf(number) + "', 'relay', '" + caller + "', '', '', '" + project + "', '', 'm', 0, '"
            + std::to_string(number) + "', 4000000000000, 0, '', 0, '', '', '', 0, '', " + (isKept ? "1" : "0") + ")");
    }
    void finishVoid(net::Awaitable<> task)
    {
        auto result = boost::asio::co_spawn(threads.executor(), std::move(task), boost::asio::use_future);
        result.get();
    }

    NetThreads threads;
    SharedClock clock;
    CapturedLog log;
    std::unique_ptr<broker::Database> database;
    std::unique_ptr<TranscriptDesk> desk;
    std::unique_ptr<TranscriptBook> book;
    Leave leave = Leave::Yes;
    /// Nobody can tell of that session.
    std::string unknown;
    bool areProjectsInTable = false;
    int asked = 0;
};

using Ids = std::vector<std::string>;
using Texts = std::vector<std::string>;

} // namespace

/// What was said is in the store as long as it may be, and found by those who may.
class TestTranscripts : public QObject {
    Q_OBJECT

    std::unique_ptr<PostgresServer> m_server;

    void bothStores()
    {
        QTest::addColumn<bool>("isShared");
        QTest::newRow("SQLite") << false;
        if (m_server != nullptr) {
            QTest::newRow("PostgreSQL") << true;
        } else {
            qWarning("not tried on PostgreSQL: %s", qPrintable(PostgresServer::missing()));
        }
    }
    std::string url()
    {
        const bool isShared = *static_cast<bool*>(QTest::qData("isShared", qMetaTypeId<bool>()));
        return isShared ? m_server->url() : "sqlite://:memory:";
    }

private slots:
    void initTestCase()
    {
        if (PostgresServer::missing().isEmpty()) {
            m_server = std::make_unique<PostgresServer>();
            QVERIFY(m_server->start());
        }
    }

    void lines_AreKeptInOrder_AndAgainWhereTheyChange_data() { bothStores(); }
    void lines_AreKeptInOrder_AndAgainWhereTheyChange()
    {
        World world(url());
        const auto of = world.conversation(1);
        world.desk->take(of, line(20, Speaker::Assistant, "It is noon."));
        world.desk->take(of, line(10, Speaker::User, "What time is it?"));
        world.tell();
        world.say(of, 30, "Thanks.");
        // What became known of it later; and the same told twice.
        world.desk->take(of, line(20, Speaker::Assistant, "It is", Extent::Interrupted));
        world.desk->take(of, line(10, Speaker::User, "What time is it?"));
        world.tell();
        // Another stream of the session comes after it, wherever its positions are.
        const auto again = world.conversation(1);
        world.say(again, 5, "Hello again");
        QCOMPARE(world.said(1), (Texts{"What time is it?", "It is", "Thanks.", "Hello again"}));
        const auto whole = world.wait(world.book->find(all(), idOf(1))).value();
        QCOMPARE(whole.head.lines, std::size_t{4});
        QVERIFY(whole.head.isWhole);
        QVERIFY(whole.lines[1].extent == Extent::Interrupted);
        QVERIFY(whole.lines[1].speaker == Speaker::Assistant);
        QCOMPARE(whole.head.of.project, std::string("choir"));
        QCOMPARE(world.desk->waiting(), std::size_t{0});
    }

    void history_ThatAClientTellsAgain_IsNotKeptTwice_data() { bothStores(); }
    void history_ThatAClientTellsAgain_IsNotKeptTwice()
    {
        World world(url());
        world.say(world.conversation(1), 10, "What time is it?");
        const auto again = world.conversation(1);
        for (const auto& [position, text] : {std::pair(1, "What time is it?"), std::pair(2, "And now?")}) {
            Line opening = line(position, Speaker::User, text);
            opening.isOpening = true;
            world.desk->take(again, opening);
        }
        // Said once more, in the middle of the conversation.
        world.desk->take(again, line(3, Speaker::User, "What time is it?"));
        world.tell();
        QCOMPARE(world.said(1), (Texts{"What time is it?", "And now?", "What time is it?"}));
    }

    void searches_FindInAnyCase_AndTakeNothingForAWildcard_data() { bothStores(); }
    void searches_FindInAnyCase_AndTakeNothingForAWildcard()
    {
        World world(url());
        world.say(world.conversation(1), 1, "Zażółć GĘŚLĄ jaźń: 100% sicher");
        world.say(world.conversation(2), 1, "100 percent, a_b and it's \"quoted\" \\ here!");
        world.say(world.conversation(3), 1, "Σίσυφος ПРИВЕТ axb");
        QCOMPARE(world.containing("zażółć gęślą"), (Ids{idOf(1)}));
        QCOMPARE(world.containing("ΣΊΣΥΦΟΣ"), (Ids{idOf(3)}));
        QCOMPARE(world.containing("привет"), (Ids{idOf(3)}));
        QCOMPARE(world.containing("100%"), (Ids{idOf(1)}));
        QCOMPARE(world.containing("A_B"), (Ids{idOf(2)}));
        QCOMPARE(world.containing("%"), (Ids{idOf(1)}));
        QCOMPARE(world.containing("it's \"quoted\""), (Ids{idOf(2)}));
        QCOMPARE(world.containing("\\"), (Ids{idOf(2)}));
        QCOMPARE(world.containing("here!"), (Ids{idOf(2)}));
        QCOMPARE(world.containing("nowhere"), Ids());
        world.say(world.conversation(4), 1, "Die Größe von İstanbul");
        for (const char* const text : {"GRÖSSE", "größe", "GRÖẞE", "istanbul", "İSTANBUL"}) {
            QCOMPARE(world.containing(text), (Ids{idOf(4)}));
        }
        QCOMPARE(world.found({}), (Ids{idOf(4), idOf(3), idOf(2), idOf(1)}));
    }

    void lists_AreNarrowed_AndGoOnWhereTheyEnded_data() { bothStores(); }
    void lists_AreNarrowed_AndGoOnWhereTheyEnded()
    {
        World world(url());
        for (int i = 0; i < 6; ++i) {
            world.say(world.conversation(i, i % 2 == 0 ? kAlice : kBob, i < 3 ? "choir" : "band"), 1, "word");
        }
        TranscriptQuery query;
        query.project = "choir";
        QCOMPARE(world.found(query), (Ids{idOf(2), idOf(1), idOf(0)}));
        query.caller = kBob;
        QCOMPARE(world.found(query), (Ids{idOf(1)}));
        query = {};
        query.from = core::WallTime(std::chrono::seconds(1'800'000'002));
        query.to = core::WallTime(std::chrono::seconds(1'800'000'004));
        QCOMPARE(world.found(query), (Ids{idOf(3), idOf(2)}));
        for (const std::optional<std::string>& text :
            {std::optional<std::string>(), std::optional<std::string>("WORD")}) {
            query = {};
            query.text = text;
            query.most = 4;
            const auto first = world.wait(world.book->search(all(), query)).value();
            QCOMPARE(first.transcripts.size(), std::size_t{4});
            QVERIFY(first.next.has_value());
            query.before = first.next;
            const auto rest = world.wait(world.book->search(all(), query)).value();
            QCOMPARE(rest.transcripts.size(), std::size_t{2});
            QVERIFY(!rest.next.has_value());
            QCOMPARE(rest.transcripts.back().head.of.session, idOf(0));
        }
    }

    void aSearchForWhatIsRare_LooksThroughSoMany_AndGoesOn_data() { bothStores(); }
    void aSearchForWhatIsRare_LooksThroughSoMany_AndGoesOn()
    {
        World world(url());
        world.say(world.conversation(0), 1, "rare");
        world.fill(1'500, 0);
        TranscriptQuery query;
        query.text = "rare";
        const auto first = world.wait(world.book->search(all(), query)).value();
        QVERIFY(first.transcripts.empty());
        QVERIFY(first.next.has_value());
        query.before = first.next;
        const auto second = world.wait(world.book->search(all(), query)).value();
        QCOMPARE(second.transcripts.size(), std::size_t{1});
        QVERIFY(!second.next.has_value());
    }

    void aSearchThroughLongTranscripts_LooksThroughSoMuch_AndGoesOn_data() { bothStores(); }
    void aSearchThroughLongTranscripts_LooksThroughSoMuch_AndGoesOn()
    {
        World world(url());
        world.say(world.conversation(0), 1, "rare");
        world.fill(40, 1'024LL * 1'024);
        TranscriptQuery query;
        query.text = "rare";
        const auto first = world.wait(world.book->search(all(), query)).value();
        QVERIFY(first.transcripts.empty());
        QCOMPARE(first.next.value_or(""), std::string("voice_1800000009_x"));
        query.before = first.next;
        const auto second = world.wait(world.book->search(all(), query)).value();
        QCOMPARE(second.transcripts.size(), std::size_t{1});
        QVERIFY(!second.next.has_value());
    }

    void transcripts_AreReadAndDeleted_ByThoseWhoMay_data() { bothStores(); }
    void transcripts_AreReadAndDeleted_ByThoseWhoMay()
    {
        World world(url());
        broker::TableProjects table(*world.database, world.clock);
        for (const char* const project : {"choir", "band"}) {
            QVERIFY(world.wait(table.put(project, {})).has_value());
        }
        QVERIFY(world.wait(table.addMember("choir", "carol", broker::TableProjects::Role::Admin)).has_value());
        QVERIFY(world.wait(table.addMember("choir", "dave")).has_value());
        QVERIFY(world.wait(table.addMember("band", "erin", broker::TableProjects::Role::Admin)).has_value());
        world.say(world.conversation(1, kAlice, "choir"), 1, "word");
        world.say(world.conversation(2, kBob, "choir"), 1, "word");
        world.say(world.conversation(3, kAlice, "band"), 1, "word");
        const auto reads = [&](const char* who, bool areAdminsInTable = true) {
            TranscriptQuery query;
            query.text = "word";
            const Ids found = world.found(query, {who, false, areAdminsInTable});
            // One by one as in a list.
            for (int i = 1; i <= 3; ++i) {
                const bool isListed = std::find(found.begin(), found.end(), idOf(i)) != found.end();
                if (world.said(i, {who, false, areAdminsInTable}).empty() == isListed) {
                    qFatal("a list and a transcript differ");
                }
            }
            return found;
        };
        QCOMPARE(reads(kAlice), (Ids{idOf(3), idOf(1)}));
        QCOMPARE(reads(kBob), (Ids{idOf(2)}));
        QCOMPARE(reads("carol"), (Ids{idOf(2), idOf(1)}));
        QCOMPARE(reads("erin"), (Ids{idOf(3)}));
        QCOMPARE(reads("dave"), Ids());
        // Projects are kept elsewhere now: what the table says of them counts no more.
        QCOMPARE(reads("carol", false), Ids());
        const auto isAdmin = [&](const char* who) {
            return world.wait(world.book->isAdmin({who, false, true})).value();
        };
        QVERIFY(isAdmin("carol") && !isAdmin("dave") && !isAdmin(kAlice));
        const auto isAdminOf = [&](const char* who, const std::string& project) {
            return world.wait(world.book->isAdmin({who, false, true}, project)).value();
        };
        QVERIFY(isAdminOf("carol", "choir") && !isAdminOf("carol", "band") && !isAdminOf("dave", "choir"));

        QVERIFY(!world.wait(world.book->remove({"erin", false, true}, idOf(1))).has_value());
        QVERIFY(!world.wait(world.book->remove({kBob, false, true}, idOf(1))).has_value());
        QCOMPARE(world.wait(world.book->removeOf({"erin", false, true}, kAlice, std::nullopt)).value(), std::size_t{1});
        QCOMPARE(world.found({}), (Ids{idOf(2), idOf(1)}));
        QCOMPARE(world.wait(world.book->removeOf(all(), kAlice, std::string("band"))).value(), std::size_t{0});
        QCOMPARE(world.wait(world.book->removeOf({kAlice, false, true}, kAlice, std::nullopt)).value(), std::size_t{1});
        QVERIFY(world.wait(world.book->remove({"carol", false, true}, idOf(2))).has_value());
        QCOMPARE(world.count("transcript_lines"), 0LL);
    }

    void whatWasDeleted_StaysSo_ThoughTheConversationGoesOn_data() { bothStores(); }
    void whatWasDeleted_StaysSo_ThoughTheConversationGoesOn()
    {
        World world(url());
        const auto of = world.conversation(1);
        world.say(of, 1, "before");
        // Said before it was deleted, and not written yet.
        world.desk->take(of, line(2, Speaker::User, "meanwhile"));
        QVERIFY(world.wait(world.book->remove(all(), idOf(1))).has_value());
        world.tell();
        world.say(world.conversation(1), 1, "in a new stream");
        QVERIFY(world.found({}).empty());
        QCOMPARE(world.count("transcript_lines"), 0LL);
        // Other sessions of the user go on.
        world.say(world.conversation(2), 1, "later");
        QCOMPARE(world.found({}), (Ids{idOf(2)}));
    }

    void aDeletion_OutrunsTheFirstLineOfASession_data() { bothStores(); }
    void aDeletion_OutrunsTheFirstLineOfASession()
    {
        World world(url());
        for (int i = 1; i <= 3; ++i) {
            world.openSession(i, i < 3 ? kAlice : kBob);
            world.desk->take(world.conversation(i, i < 3 ? kAlice : kBob), line(1, Speaker::User, "waits"));
        }
        const Reader alice{kAlice, false, true};
        QVERIFY(!world.wait(world.book->remove({kBob, false, true}, idOf(1))).has_value());
        QCOMPARE(world.wait(world.book->whose(alice, idOf(1))).value(), std::string(kAlice));
        QVERIFY(world.wait(world.book->remove(alice, idOf(1))).has_value());
        // Once.
        QVERIFY(!world.wait(world.book->remove(alice, idOf(1))).has_value());
        QCOMPARE(world.wait(world.book->removeOf(alice, kAlice, std::nullopt)).value(), std::size_t{0});
        world.tell();
        QCOMPARE(world.found({}), Ids{idOf(3)});
        // One of which nothing is kept has nothing that could be deleted.
        world.openSession(4, kAlice, "choir", false);
        QVERIFY(!world.wait(world.book->remove(alice, idOf(4))).has_value());
        QCOMPARE(world.count("transcript_removals"), 2LL);
    }

    void aProjectOfManyConversations_GoesPieceByPiece_AndLast()
    {
        World world("sqlite://:memory:");
        broker::TableProjects table(*world.database, world.clock);
        QVERIFY(world.wait(table.put("choir", {})).has_value());
        world.fill(250, 0);
        world.run("CREATE TRIGGER kept BEFORE DELETE ON projects BEGIN SELECT RAISE(ABORT, 'kept'); END");
        QVERIFY(!world.wait(table.remove("choir")).has_value());
        QCOMPARE(world.count("transcripts"), 0LL);
        QCOMPARE(world.count("transcript_removals"), 250LL);
        QCOMPARE(world.count("projects"), 1LL);
        world.run("DROP TRIGGER kept");
        QVERIFY(world.wait(table.remove("choir")).has_value());
        QCOMPARE(world.count("projects"), 0LL);
    }

    void aProjectThatGoes_WhileItsFirstLineIsWritten_TakesThatWithIt()
    {
        if (m_server == nullptr) {
            QSKIP(qPrintable(PostgresServer::missing()));
        }
        World world(m_server->url());
        broker::TableProjects table(*world.database, world.clock);
        QVERIFY(world.wait(table.put("choir", {})).has_value());
        const auto of = world.conversation(1);
        std::promise<void> written;
        std::promise<void> goOn;
        const std::function<int(broker::Connection&)> work = [&, release = goOn.get_future().share()](
                                                                 broker::Connection& sql) {
            using namespace broker::transcripts;
            rows::write(sql, *of, {line(1, Speaker::User, "word")}, rows::Projects::InTable, world.clock.wallNow());
            written.set_value();
            release.wait();
            return 0;
        };
        auto writing = begin(world.threads, world.database->run<int>(work));
        written.get_future().wait();
        auto removal = begin(world.threads, table.remove("choir"));
        const auto isOver = [&] { return removal.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
        // It waits for the writer, or has seen nothing of it.
        const bool hasCome = QTest::qWaitFor([&] { return isOver() || world.count("pg_locks WHERE NOT granted") > 0; });
        goOn.set_value();
        QVERIFY(hasCome);
        QVERIFY(writing.get().has_value());
        QVERIFY(removal.get().has_value());
        QCOMPARE(world.count("transcripts"), 0LL);
    }

    void aProjectThatGoes_TakesWhatWasSaidWithIt_data() { bothStores(); }
    void aProjectThatGoes_TakesWhatWasSaidWithIt()
    {
        World world(url());
        world.areProjectsInTable = true;
        broker::TableProjects table(*world.database, world.clock);
        QVERIFY(world.wait(table.put("choir", {})).has_value());
        QVERIFY(world.wait(table.put("band", {})).has_value());
        const auto of = world.conversation(1);
        world.say(of, 1, "word");
        world.say(world.conversation(2, kAlice, "band"), 1, "word");
        QVERIFY(world.wait(table.remove("choir")).has_value());
        QCOMPARE(world.found({}), (Ids{idOf(2)}));
        // What was said and is not written yet, of sessions that had no transcript, too.
        world.say(of, 2, "after");
        world.say(world.conversation(3), 1, "after");
        QCOMPARE(world.found({}), (Ids{idOf(2)}));
    }

    void transcripts_GoWhenTheirTimeIsOver_data() { bothStores(); }
    void transcripts_GoWhenTheirTimeIsOver()
    {
        World world(url());
        const auto goesOn = world.conversation(1, kAlice, "choir", 2);
        world.say(goesOn, 1, "word");
        world.say(world.conversation(2, kAlice, "choir", 2), 1, "word");
        world.say(world.conversation(3, kAlice, "band", 30), 1, "word");
        world.clock.advance(kDay);
        world.say(goesOn, 2, "word");
        world.clock.advance(kDay);
        world.finishVoid(world.desk->forget());
        // From the last word on.
        QCOMPARE(world.found({}), (Ids{idOf(3), idOf(1)}));
        world.clock.advance(kDay);
        world.finishVoid(world.desk->forget());
        QCOMPARE(world.found({}), (Ids{idOf(3)}));
        // The broker's own time may become shorter.
        world.desk->setKept(std::chrono::days(3));
        world.finishVoid(world.desk->forget());
        QVERIFY(world.found({}).empty());
        QCOMPARE(world.count("transcript_lines"), 0LL);
    }

    void aSessionWithoutEnd_IsKeptUpToItsBounds_AndSaysSo_data() { bothStores(); }
    void aSessionWithoutEnd_IsKeptUpToItsBounds_AndSaysSo()
    {
        World world(url());
        const auto of = world.conversation(1);
        const std::string much(16 * 1024, 'x');
        for (int i = 0; i < 70; ++i) {
            world.desk->take(of, line(i, Speaker::User, much));
        }
        world.tell();
        const auto whole = world.wait(world.book->find(all(), idOf(1))).value();
        QCOMPARE(whole.lines.size(), std::size_t{64});
        QVERIFY(!whole.head.isWhole);
        // A line that becomes shorter is taken.
        world.say(of, 0, "short");
        QCOMPARE(world.said(1).front(), std::string("short"));
    }

    void whatNobodyMayKeepAnyMore_IsNotWritten_AndWhatNobodyKnowsOfWaits()
    {
        World world("sqlite://:memory:");
        const auto of = world.conversation(1);
        world.leave = Leave::Unknown;
        world.say(of, 1, "waits");
        QCOMPARE(world.desk->waiting(), std::size_t{1});
        world.leave = Leave::Yes;
        world.tell();
        QCOMPARE(world.said(1), (Texts{"waits"}));
        world.leave = Leave::No;
        const int asked = world.asked;
        world.say(of, 2, "on an answer of just now");
        QCOMPARE(world.asked, asked);
        world.clock.advance(core::Milliseconds(10'000));
        world.say(of, 3, "marker");
        QCOMPARE(world.said(1), (Texts{"waits", "on an answer of just now"}));
        QCOMPARE(world.desk->waiting(), std::size_t{0});
        QCOMPARE(world.desk->lost(), std::uint64_t{0});
    }

    void whileNobodyCanTell_OneIsAskedOf_AndTheOthersHaveTheirTurn()
    {
        World world("sqlite://:memory:");
        for (int i = 1; i <= 3; ++i) {
            const auto of = world.conversation(i);
            world.desk->take(of, line(1, Speaker::User, "one"));
            world.desk->take(of, line(2, Speaker::User, "two"));
        }
        world.leave = Leave::Unknown;
        world.tell();
        QCOMPARE(world.asked, 1);
        QCOMPARE(world.desk->waiting(), std::size_t{6});
        world.leave = Leave::Yes;
        world.unknown = idOf(1);
        world.tell();
        world.tell();
        QCOMPARE(world.found({}), (Ids{idOf(3), idOf(2)}));
        QCOMPARE(world.desk->waiting(), std::size_t{2});
        world.unknown.clear();
        world.tell();
        QCOMPARE(world.said(1), (Texts{"one", "two"}));
    }

    void whatALineBecame_StaysSo_ThoughNobodyCouldTellAtFirst()
    {
        World world("sqlite://:memory:");
        const auto of = world.conversation(1);
        world.desk->take(of, line(1, Speaker::User, "before"));
        world.desk->take(of, line(1, Speaker::User, "after"));
        const auto keeping = [&world]() {
            TranscriptDesk::Keeping made;
            made.mayKeep = [&world](std::shared_ptr<const Conversation>) -> net::Awaitable<Leave> {
                co_return ++world.asked == 1 ? Leave::Unknown : Leave::Yes;
            };
            return made;
        };
        for (int i = 0; i < 2; ++i) {
            world.finishVoid(world.desk->tell(keeping()));
        }
        QCOMPARE(world.said(1), Texts{"after"});
    }

    void atTheEnd_WhatNobodyAnswersFor_IsLost_AndSaid_data() { bothStores(); }
    void atTheEnd_WhatNobodyAnswersFor_IsLost_AndSaid()
    {
        World world(url());
        const auto of = world.conversation(1);
        world.say(of, 1, "word");
        world.say(world.conversation(2), 1, "word");
        world.clock.advance(core::Milliseconds(10'000));
        world.desk->take(of, line(2, Speaker::User, "marker"));
        TranscriptDesk::Keeping hangs;
        hangs.mayKeep = [](std::shared_ptr<const Conversation>) -> net::Awaitable<Leave> {
            net::Timer never(co_await boost::asio::this_coro::executor, std::chrono::hours(1));
            co_await never.async_wait(net::asTuple);
            co_return Leave::Unknown;
        };
        // Comes back.
        world.finishVoid(world.desk->flush(std::move(hangs), core::Milliseconds(1'000)));
        QCOMPARE(world.desk->waiting(), std::size_t{0});
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
        QVERIFY(!world.isWhole(1));
        QVERIFY(world.isWhole(2));
        QVERIFY(world.log.text().find("transcripts.lost") != std::string::npos);
        QVERIFY(world.log.text().find("marker") == std::string::npos);
    }

    void atTheEnd_AllThatMayBeWritten_IsWritten()
    {
        World world("sqlite://:memory:");
        for (int i = 1; i <= 3; ++i) {
            world.desk->take(world.conversation(i), line(1, Speaker::User, "word"));
        }
        world.unknown = idOf(1);
        world.finishVoid(world.desk->flush(world.keeping(), core::Milliseconds(20'000)));
        QCOMPARE(world.found({}), (Ids{idOf(3), idOf(2)}));
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
    }

    void whoSaysTooMuch_LosesIt_AndNobodyElse()
    {
        TranscriptDesk::Settings settings;
        settings.mostLines = 6;
        World world("sqlite://:memory:", settings);
        world.desk->take(world.conversation(1), line(1, Speaker::User, "first"));
        const auto of = world.conversation(2);
        for (int i = 0; i < 20; ++i) {
            world.desk->take(of, line(i, Speaker::User, std::to_string(i)));
        }
        world.desk->take(world.conversation(3), line(1, Speaker::User, "last"));
        QCOMPARE(world.desk->lost(), std::uint64_t{16});
        world.tell();
        QCOMPARE(world.said(1), Texts{"first"});
        QCOMPARE(world.said(2), (Texts{"16", "17", "18", "19"}));
        QCOMPARE(world.said(3), Texts{"last"});
        QVERIFY(world.isWhole(1) && !world.isWhole(2) && world.isWhole(3));
    }

    void aSession_HasARoomOfItsOwn()
    {
        TranscriptDesk::Settings settings;
        settings.mostLinesOfSession = 2;
        World world("sqlite://:memory:", settings);
        const auto of = world.conversation(1);
        for (int i = 1; i <= 3; ++i) {
            world.desk->take(of, line(i, Speaker::User, std::to_string(i)));
        }
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
        world.tell();
        QCOMPARE(world.said(1), (Texts{"1", "2"}));
        QVERIFY(!world.isWhole(1));
    }

    void aLossBeforeTheFirstLine_IsSaidByTheTranscript_data() { bothStores(); }
    void aLossBeforeTheFirstLine_IsSaidByTheTranscript()
    {
        World world(url());
        const auto of = world.conversation(1);
        Line loss;
        loss.isCut = true;
        world.desk->take(of, loss);
        world.tell();
        QVERIFY(world.found({}).empty());
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
        world.say(of, 1, "word");
        QCOMPARE(world.said(1), Texts{"word"});
        QVERIFY(!world.isWhole(1));
    }

    void aBrokerThatIsKilled_LeavesTranscriptsThatSayIt_data() { bothStores(); }
    void aBrokerThatIsKilled_LeavesTranscriptsThatSayIt()
    {
        World world(url());
        for (int i = 1; i <= 3; ++i) {
            world.openSession(i, kAlice);
        }
        const auto comesAgain = world.begun(1);
        // Nothing of it is there yet.
        const auto silent = world.begun(2);
        world.say(comesAgain, 1, "first");
        QVERIFY(world.isWhole(1));
        world.desk->take(comesAgain, line(2, Speaker::User, "second"));
        world.desk->take(silent, line(1, Speaker::User, "first"));
        world.killBroker();
        world.say(world.begun(3), 1, "first");
        world.killBroker();
        for (int i = 1; i <= 2; ++i) {
            const auto again = world.begun(i);
            world.say(again, 1, "third");
            QVERIFY(!world.isWhole(i));
            world.end(again);
            QVERIFY(!world.isWhole(i));
        }
        QCOMPARE(world.said(1), (Texts{"first", "third"}));
        // It may be running yet, with another broker.
        QVERIFY(world.isWhole(3));
        world.endSession(3);
        QVERIFY(!world.isWhole(3));
        const auto page = world.wait(world.book->search(all(), {})).value();
        QVERIFY(std::none_of(
            page.transcripts.begin(), page.transcripts.end(), [](const Transcript& one) { return one.head.isWhole; }));
        QCOMPARE(page.transcripts.size(), std::size_t{3});
    }

    void aStreamThatEndsInOrder_LeavesNothingOpen_data() { bothStores(); }
    void aStreamThatEndsInOrder_LeavesNothingOpen()
    {
        World world(url());
        world.openSession(1, kAlice);
        const auto former = world.begun(1);
        world.say(former, 1, "one");
        // Its client has come again, and the former's last words are on their way.
        const auto next = world.begun(1);
        world.say(next, 1, "three");
        QVERIFY(!world.isWhole(1));
        world.desk->take(former, line(2, Speaker::User, "two"));
        world.end(former);
        QCOMPARE(world.said(1), (Texts{"one", "two", "three"}));
        QVERIFY(world.isWhole(1));
        world.endSession(1);
        QVERIFY(!world.isWhole(1));
        // The broker goes down.
        world.desk->take(next, line(2, Speaker::User, "four"));
        world.desk->end(next);
        world.finishVoid(world.desk->flush(world.keeping(), core::Milliseconds(20'000)));
        QCOMPARE(world.said(1).size(), std::size_t{4});
        QVERIFY(world.isWhole(1));
        QCOMPARE(world.count("transcript_streams"), 0LL);
    }

    void theEndOfAStream_ComesBehindItsLines()
    {
        World world("sqlite://:memory:");
        const auto of = world.begun(1);
        world.say(of, 1, "one");
        world.clock.advance(core::Milliseconds(10'000));
        world.unknown = idOf(1);
        world.desk->take(of, line(2, Speaker::User, "two"));
        world.end(of);
        QCOMPARE(world.count("transcript_streams"), 1LL);
        world.unknown.clear();
        world.tell();
        world.tell();
        QCOMPARE(world.count("transcript_streams"), 0LL);
        QCOMPARE(world.said(1), (Texts{"one", "two"}));
    }

    void streamsOfWhichNothingIsThere_AreForgotten_data() { bothStores(); }
    void streamsOfWhichNothingIsThere_AreForgotten()
    {
        World world(url());
        world.begun(1);
        world.say(world.begun(2), 1, "word");
        world.killBroker();
        world.clock.advance(2 * kDay);
        world.finishVoid(world.desk->forget());
        QCOMPARE(world.count("transcript_streams"), 2LL);
        world.clock.advance(2 * kDay);
        world.finishVoid(world.desk->forget());
        QCOMPARE(world.count("transcript_streams"), 1LL);
        QVERIFY(!world.isWhole(2));
    }

    void whatIsLeftOutInTheMiddle_IsSaid_AndNothingOfIt_data() { bothStores(); }
    void whatIsLeftOutInTheMiddle_IsSaid_AndNothingOfIt()
    {
        World world(url());
        const auto of = world.conversation(1);
        const auto another = world.conversation(2);
        const auto askAgain = [&](Leave leave) {
            world.leave = leave;
            world.clock.advance(core::Milliseconds(10'000));
        };
        world.say(of, 1, "before");
        QVERIFY(world.isWhole(1));
        askAgain(Leave::No);
        world.say(of, 2, "marker");
        world.say(another, 1, "marker");
        QVERIFY(!world.isWhole(1));
        askAgain(Leave::Yes);
        world.say(of, 3, "after");
        world.say(another, 2, "after");
        QCOMPARE(world.said(1), (Texts{"before", "after"}));
        QCOMPARE(world.said(2), Texts{"after"});
        QVERIFY(!world.isWhole(1) && !world.isWhole(2));
        // And where it was in a stream of its own.
        for (const auto& [number, words] :
            {std::pair(3, Words::LeftOut), std::pair(4, Words::Over), std::pair(5, Words::LeftOut)}) {
            if (number < 5) {
                world.say(world.conversation(number), 1, "before");
                QVERIFY(world.isWhole(number));
            }
            world.desk->begin(world.conversation(number), words);
            world.tell();
            world.say(world.conversation(number), 1, "after");
            QVERIFY(!world.isWhole(number));
        }
        // Of one of which nothing was ever kept nothing is remembered.
        world.desk->begin(world.conversation(6), Words::Over);
        world.tell();
        world.say(world.conversation(6), 1, "word");
        QVERIFY(world.isWhole(6));
        QCOMPARE(world.count("transcript_streams"), 2LL);
        QCOMPARE(world.desk->lost(), std::uint64_t{0});
    }

    void whileTheStoreIsAway_LinesWait_AndTheOldestAreLostBeyondTheRoom()
    {
        if (m_server == nullptr) {
            QSKIP(qPrintable(PostgresServer::missing()));
        }
        PostgresServer server;
        QVERIFY(server.start());
        TranscriptDesk::Settings settings;
        settings.mostLines = 3;
        World world(server.url(), settings);
        const auto of = world.conversation(1);
        world.say(of, 1, "marker one");
        server.stop();
        for (int i = 2; i <= 6; ++i) {
            world.desk->take(of, line(i, Speaker::User, "marker " + std::to_string(i)));
        }
        world.tell();
        QCOMPARE(world.desk->waiting(), std::size_t{3});
        QCOMPARE(world.desk->lost(), std::uint64_t{2});
        QVERIFY(server.start());
        QTRY_VERIFY_WITH_TIMEOUT((world.tell(), world.desk->waiting() == 0), 20'000);
        QCOMPARE(world.said(1), (Texts{"marker one", "marker 4", "marker 5", "marker 6"}));
        QVERIFY(!world.wait(world.book->find(all(), idOf(1))).value().head.isWhole);
        // It is told, and nothing of what was said.
        QVERIFY(world.log.text().find("transcripts.lost") != std::string::npos);
        QVERIFY(world.log.text().find("marker") == std::string::npos);
    }

    void whatTheStoreNeverTakes_DoesNotKeepOthersFromIt_data() { bothStores(); }
    void whatTheStoreNeverTakes_DoesNotKeepOthersFromIt()
    {
        World world(url());
        // What no column takes as it is: NUL, and what is no UTF-8.
        std::string strange = "a";
        strange += '\0';
        strange += "\xFF\xC3(b";
        world.say(world.conversation(1), 1, strange);
        QCOMPARE(world.said(1), (Texts{"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD(b"}));
        // And a session whose name is too long for one.
        auto broken = std::make_shared<Conversation>(*world.conversation(2));
        broken->session = std::string(200, 's');
        world.run("ALTER TABLE transcripts RENAME TO away");
        world.desk->take(broken, line(1, Speaker::User, "never"));
        for (int i = 0; i < 5; ++i) {
            world.tell();
        }
        QCOMPARE(world.desk->waiting(), std::size_t{0});
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
        world.run("ALTER TABLE away RENAME TO transcripts");
        world.say(world.conversation(3), 1, "word");
        QCOMPARE(world.found({}).front(), idOf(3));
    }

    void whatTheStoreDoesNotTake_IsLostAlone_data() { bothStores(); }
    void whatTheStoreDoesNotTake_IsLostAlone()
    {
        World world(url());
        if (world.database->kind() == broker::Database::Kind::Sqlite) {
            world.run("CREATE TRIGGER refused BEFORE INSERT ON transcripts WHEN length(NEW.session) > 80 "
                      "BEGIN SELECT RAISE(ABORT, 'too long'); END");
        }
        auto broken = std::make_shared<Conversation>(*world.conversation(1));
        broken->session = std::string(200, 's');
        world.desk->take(broken, line(1, Speaker::User, "never"));
        world.desk->take(world.conversation(2), line(1, Speaker::User, "word"));
        for (int i = 0; i < 5; ++i) {
            world.tell();
        }
        QCOMPARE(world.said(2), Texts{"word"});
        QCOMPARE(world.desk->waiting(), std::size_t{0});
        QCOMPARE(world.desk->lost(), std::uint64_t{1});
    }

    void aStoreWithTooMuchToDo_LosesNothing()
    {
        World world("sqlite://:memory:");
        broker::Database::Settings none;
        none.url = core::Secret("sqlite://:memory:");
        none.maxQueued = 0;
        const auto busy = std::move(broker::Database::open(std::move(none), world.log).value());
        TranscriptDesk desk({}, std::chrono::days(30), TranscriptDesk::Dependencies{*busy, world.clock, world.log});
        desk.take(world.conversation(1), line(1, Speaker::User, "waits"));
        for (int i = 0; i < 10; ++i) {
            world.finishVoid(desk.tell(world.keeping()));
        }
        QVERIFY(busy->isWorking());
        QCOMPARE(desk.waiting(), std::size_t{1});
        QCOMPARE(desk.lost(), std::uint64_t{0});
    }

    void files_AreAsTheyWereAgreed()
    {
        World world("sqlite://:memory:");
        auto of = std::make_shared<Conversation>(*world.conversation(1));
        of->subject = "=cmd()";
        Transcript one;
        one.head.of = *of;
        one.head.lastAt = one.head.keptUntil = of->startedAt;
        one.head.lines = 3;
        one.head.isWhole = false;
        one.lines = {line(0, Speaker::User, "one, \"two\""),
            line(1, Speaker::Assistant, "=1+1\nuser: forged", Extent::Interrupted), line(2, Speaker::Tool, "look_up")};
        const std::string whose = idOf(1) + ",choir," + kAlice + ",https://id.example,'=cmd(),m,2027-01-15T08:00:01Z,";
        QCOMPARE(broker::transcripts::writeCsv({one}),
            "session,project,user,issuer,subject,model,started_at,number,at,speaker,extent,text\r\n" + whose
                + "1,2027-01-15T08:00:00Z,user,whole,\"one, \"\"two\"\"\"\r\n" + whose
                + "2,2027-01-15T08:00:01Z,assistant,interrupted,\"'=1+1\nuser: forged\"\r\n" + whose
                + "3,2027-01-15T08:00:02Z,tool,whole,look_up\r\n");
        QCOMPARE(broker::transcripts::writeText({one}),
            "Session " + idOf(1)
                + ", project choir, user =cmd() of https://id.example, model m, since 2027-01-15T08:00:01Z, not whole\n"
                  "2027-01-15T08:00:00Z user: one, \"two\"\n"
                  "2027-01-15T08:00:01Z assistant (interrupted): =1+1\n    user: forged\n"
                  "2027-01-15T08:00:02Z tool: look_up\n");
        const Json json = broker::transcripts::writeJson(one);
        QCOMPARE(json.at("lines").at(1).dump(),
            std::string(R"({"at":"2027-01-15T08:00:01Z","extent":"interrupted","number":2,"speaker":"assistant",)")
                + R"("text":"=1+1\nuser: forged"})");
        QCOMPARE(json.at("isWhole").get<bool>(), false);
    }
};

QTEST_GUILESS_MAIN(TestTranscripts)
#include "test_transcripts.moc"
