#include "agent/skills/grammar.h"
#include "agent/skills/rule_brain.h"
#include "tests/agent/skills/recording_sink.h"
#include "tests/support/manual_clock.h"

#include <QtTest/QtTest>

#include <set>

using namespace vivavoce;
using namespace vivavoce::agent::skills;

class TestGrammar : public QObject {
    Q_OBJECT

private slots:
    void commandGrammar_EveryNamedRule_IsDefinedBefore()
    {
        const QString text = QString::fromStdString(commandGrammarJsgf());
        QVERIFY(text.startsWith("#JSGF V1.0;\ngrammar commands;\n"));
        QCOMPARE(text.count("public <"), 1);
        const QRegularExpression name("<([a-z]+)>");
        for (auto found = name.globalMatch(text); found.hasNext();) {
            const QString rule = found.next().captured(1);
            QCOMPARE(
                text.count(QRegularExpression("^(public )?<" + rule + "> = ", QRegularExpression::MultilineOption)), 1);
        }
    }

    void sampleSentences_SameSeed_AreTheSameAndWithoutDuplicates()
    {
        const auto sentences = sampleSentences(500, 3);
        QCOMPARE(sentences.size(), std::size_t(500));
        QCOMPARE(sentences, sampleSentences(500, 3));
        QVERIFY(sentences != sampleSentences(500, 4));
        QCOMPARE(std::set<std::string>(sentences.begin(), sentences.end()).size(), std::size_t(500));
        for (const std::string& sentence : sentences) {
            QVERIFY2(QRegularExpression("^[a-z']+( [a-z']+)*$").match(QString::fromStdString(sentence)).hasMatch(),
                sentence.c_str());
        }
    }

    /// What the grammar offers without a declared function must be understood.
    void sampleSentences_OfTheSkills_AreUnderstood()
    {
        const tests::ManualClock clock;
        std::size_t refused = 0;
        std::size_t asked = 0;
        for (const std::string& sentence : sampleSentences(1500, 9)) {
            static const QRegularExpression kThings(
                "weather|light|room|temperature (in|to)|color|door|window|music|song|volume to|map|time is it in|go back|^yes|^no");
            if (QString::fromStdString(sentence).contains(kThings)) {
                continue;
            }
            RuleBrain brain(clock, 1);
            agent::BrainRequest request;
            request.items.push_back({agent::DialogueItem::Kind::UserMessage, sentence, {}, {}, true});
            tests::RecordingSink sink;
            QVERIFY(brain.reply(request, sink, {}));
            ++asked;
            if (sink.text.find("I heard:") != std::string::npos) {
                qWarning("not understood: %s", sentence.c_str());
                ++refused;
            }
        }
        QVERIFY(asked > 500);
        QCOMPARE(refused, std::size_t(0));
    }
};

QTEST_GUILESS_MAIN(TestGrammar)
#include "test_grammar.moc"
