#include "broker/projects/policy_book.h"
#include "broker/projects/policy_json.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::broker;
using core::Json;
using std::chrono_literals::operator""s;

namespace {

Policy policyOf(const char* json)
{
    return readPolicy(Json::parse(json)).value();
}

/// The model that a session gets, or the code of the refusal.
std::string modelOf(const Policy& policy, std::optional<std::string> asked)
{
    core::broker::TokenRequest request;
    request.model = std::move(asked);
    const auto fault = apply(policy, "openai", request);
    return fault ? std::string(faultRow(fault->code).text) : request.model.value_or("any");
}

} // namespace

class TestBrokerPolicy : public QObject {
    Q_OBJECT

private slots:
    void narrowed_IsWhatBothAllow_data()
    {
        QTest::addColumn<QByteArray>("wide");
        QTest::addColumn<QByteArray>("by");
        QTest::addColumn<QByteArray>("both");
        const auto row = [](const char* name, const char* wide, const char* by, const char* both) {
            QTest::newRow(name) << QByteArray(wide) << QByteArray(by) << QByteArray(both);
        };
        row("nothing said", "{}", "{}", "{}");
        row("one says", R"({"models":["a"]})", "{}", R"({"models":["a"]})");
        row("the other says", "{}", R"({"models":["a"]})", R"({"models":["a"]})");
        row("both, in the order of the narrower", R"({"models":["a","b","c"]})", R"({"models":["c","x","b"]})",
            R"({"models":["c","b"]})");
        row("nothing in common is none, not any", R"({"voices":["a"]})", R"({"voices":["b"]})", R"({"voices":[]})");
        row("none stays none", R"({"providers":[]})", R"({"providers":["b"]})", R"({"providers":[]})");
        row("the shorter", R"({"longestSession":60})", R"({"longestSession":90})", R"({"longestSession":60})");
        row("the shorter of the narrower", R"({"longestSession":90})", R"({"longestSession":60})",
            R"({"longestSession":60})");
        row("fewer", R"({"sessionsOfProject":5,"sessionsPerUser":1})", R"({"sessionsOfProject":0,"sessionsPerUser":2})",
            R"({"sessionsOfProject":0,"sessionsPerUser":1})");
        row("who keeps what is said can be told not to", R"({"transcripts":true})", R"({"transcripts":false})",
            R"({"transcripts":false})");
        row("who does not keep it stays so", R"({"transcripts":false})", R"({"transcripts":true})",
            R"({"transcripts":false})");
        row("fewer days", R"({"transcripts":true,"transcriptDays":7})", R"({"transcriptDays":30})",
            R"({"transcripts":true,"transcriptDays":7})");
        row("the narrower's instructions", R"({"instructions":"wide"})", R"({"instructions":"narrow"})",
            R"({"instructions":"narrow"})");
        row("the wider's instructions", R"({"instructions":"wide"})", "{}", R"({"instructions":"wide"})");
    }
    void narrowed_IsWhatBothAllow()
    {
        QFETCH(QByteArray, wide);
        QFETCH(QByteArray, by);
        QFETCH(QByteArray, both);
        const Json result = writePolicy(narrowed(policyOf(wide), policyOf(by)));
        QVERIFY2(result == Json::parse(both.toStdString()), result.dump().c_str());
    }

    void apply_ChoosesTheFirstAndRefusesTheRest()
    {
        QCOMPARE(modelOf({}, std::nullopt), std::string("any"));
        QCOMPARE(modelOf({}, "x"), std::string("x"));
        const Policy two = policyOf(R"({"models":["a","b"]})");
        QCOMPARE(modelOf(two, std::nullopt), std::string("a"));
        QCOMPARE(modelOf(two, "b"), std::string("b"));
        QCOMPARE(modelOf(two, "c"), std::string("not_allowed"));
        const Policy none = policyOf(R"({"models":[]})");
        QCOMPARE(modelOf(none, std::nullopt), std::string("not_allowed"));
        QCOMPARE(modelOf(none, "a"), std::string("not_allowed"));
        QCOMPARE(modelOf(policyOf(R"({"providers":["gemini"]})"), "a"), std::string("not_allowed"));
        QCOMPARE(modelOf(policyOf(R"({"providers":["openai"]})"), "a"), std::string("a"));
    }

    void readPolicy_NamesTheMemberAtFault_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QByteArray>("fault");
        const auto row = [](const char* json, const char* fault) {
            QTest::newRow(json) << QByteArray(json) << QByteArray(fault);
        };
        row("[]", "policy");
        row("null", "policy");
        row(R"({"foreign\n":1})", "policy");
        row(R"({"models":"a"})", "policy.models");
        row(R"({"models":[""]})", "policy.models");
        row(R"({"models":[1]})", "policy.models");
        row(R"({"instructions":["a"]})", "policy.instructions");
        row(R"({"longestSession":0})", "policy.longestSession");
        row(R"({"longestSession":1.5})", "policy.longestSession");
        row(R"({"longestSession":18446744073709551615})", "policy.longestSession");
        row(R"({"sessionsPerUser":-1})", "policy.sessionsPerUser");
        row(R"({"sessionsOfProject":100001})", "policy.sessionsOfProject");
    }
    void readPolicy_NamesTheMemberAtFault()
    {
        QFETCH(QByteArray, json);
        QFETCH(QByteArray, fault);
        const auto policy = readPolicy(Json::parse(json.toStdString()));
        QVERIFY(!policy.has_value());
        QCOMPARE(policy.error(), fault.toStdString());
    }

    void policyChanges_NamesAllMembers_AlsoWhereTheirValuesFindNoRoom()
    {
        const Policy before = policyOf(R"({"relay":true,"userDollarsPerDay":0.5})");
        const Policy after = policyOf(R"({"userDollarsPerDay":2,"models":["a"],"voices":["b"],"longestSession":60})");
        QCOMPARE(policyChanges(before, before, 100), std::string());
        QCOMPARE(policyChanges(before, after, 1'000),
            std::string("relay true -> unset, models unset -> [\"a\"], voices unset -> [\"b\"], "
                        "longestSession unset -> 60, userDollarsPerDay 0.5 -> 2.0"));
        QCOMPARE(policyChanges(before, after, 70),
            std::string("relay true -> unset, models, voices, longestSession, userDollarsPerDay"));
        // No part of a letter is left over.
        const std::string words = std::string(78, 'x') + "\xC3\xA9";
        Policy wordy;
        wordy.instructions = words;
        QCOMPARE(policyChanges({}, wordy, 1'000), "instructions unset -> \"" + std::string(78, 'x') + "... (82 bytes)");
    }

    void policyNames_AreAllThatCanBeWritten()
    {
        for (const std::string& name : policyNames()) {
            const std::string fault = policyFault(Json{{name, nullptr}});
            QVERIFY2(fault.starts_with("policy." + name + " has to be "), fault.c_str());
        }
        QCOMPARE(policyFault(Json{{"relay", true}}), std::string());
    }

    void of_AppliesEachRowThatStandsForTheSession()
    {
        const PolicyBook book(policyOf(R"({"models":["a","b","c"],"sessionsPerUser":5})"),
            {{"choir", "", "", policyOf(R"({"models":["b","c"],"longestSession":60})")},
                {"", "https://id.example", "", policyOf(R"({"instructions":"theirs"})")},
                {"choir", "https://id.example", "alice", policyOf(R"({"models":["c"],"instructions":"hers"})")}});
        const auto text = [&](const char* issuer, const char* subject, const char* project) {
            return writePolicy(book.of(issuer, subject, project)).dump();
        };
        QCOMPARE(
            text("https://other.example", "alice", ""), std::string(R"({"models":["a","b","c"],"sessionsPerUser":5})"));
        QCOMPARE(text("https://other.example", "alice", "choir"),
            std::string(R"({"longestSession":60,"models":["b","c"],"sessionsPerUser":5})"));
        QCOMPARE(text("https://id.example", "bob", ""),
            std::string(R"({"instructions":"theirs","models":["a","b","c"],"sessionsPerUser":5})"));
        QCOMPARE(text("https://id.example", "alice", "choir"),
            std::string(R"({"instructions":"hers","longestSession":60,"models":["c"],"sessionsPerUser":5})"));
        // What the project itself says comes last.
        const Policy own = book.of("https://other.example", "bob", "choir", policyOf(R"({"models":["c"]})"));
        QCOMPARE(*own.models, std::vector<std::string>{"c"});
        QVERIFY(own.longestSession == 60s);
    }

    void transcripts_AreKept_WhereTheProjectWantsIt_AndNobodySaysNo_data()
    {
        QTest::addColumn<QByteArray>("all");
        QTest::addColumn<QByteArray>("ofRow");
        QTest::addColumn<QByteArray>("whose");
        QTest::addColumn<QByteArray>("ofProject");
        QTest::addColumn<QByteArray>("project");
        QTest::addColumn<bool>("areKept");
        const auto row = [](const char* name, const char* all, const char* whose, const char* ofRow,
                             const char* ofProject, const char* project, bool areKept) {
            QTest::newRow(name) << QByteArray(all) << QByteArray(ofRow) << QByteArray(whose) << QByteArray(ofProject)
                                << QByteArray(project) << areKept;
        };
        constexpr const char* kYes = R"({"transcripts":true})";
        constexpr const char* kNo = R"({"transcripts":false})";
        row("nobody says anything", "{}", "", "{}", "{}", "choir", false);
        row("the project's own policy", "{}", "", "{}", kYes, "choir", true);
        row("a row of the project", "{}", "project", kYes, "{}", "choir", true);
        row("everybody's policy alone", kYes, "", "{}", "{}", "choir", false);
        row("a row of a user alone", "{}", "user", kYes, "{}", "choir", false);
        row("a row of a user in the project", "{}", "project and user", kYes, "{}", "choir", false);
        row("no project", "{}", "", kYes, kYes, "", false);
        row("the operator says no", kNo, "", "{}", kYes, "choir", false);
        row("a user's says no", "{}", "user", kNo, kYes, "choir", false);
        row("the project says no", "{}", "project", kYes, kNo, "choir", false);
        row("another project's row", "{}", "another project", kYes, "{}", "choir", false);
    }
    void transcripts_AreKept_WhereTheProjectWantsIt_AndNobodySaysNo()
    {
        QFETCH(QByteArray, all);
        QFETCH(QByteArray, ofRow);
        QFETCH(QByteArray, whose);
        QFETCH(QByteArray, ofProject);
        QFETCH(QByteArray, project);
        PolicyRow row;
        row.project = whose.contains("another") ? "band" : whose.contains("project") ? "choir" : "";
        row.subject = whose.contains("user") ? "u1" : "";
        row.policy = policyOf(ofRow);
        const PolicyBook book(policyOf(all), {row});
        const Policy policy = book.of("https://id.example", "u1", project.toStdString(), policyOf(ofProject));
        QTEST(policy.areTranscriptsKept(), "areKept");
    }
};

QTEST_GUILESS_MAIN(TestBrokerPolicy)
#include "test_broker_policy.moc"
