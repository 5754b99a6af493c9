#include "agent/brain/sentence_splitter.h"

#include <QtTest/QtTest>

using vivavoce::agent::brain::SentenceSplitter;

class TestSentenceSplitter : public QObject {
    Q_OBJECT

    static QStringList split(const std::string& text, std::size_t pieceSize)
    {
        SentenceSplitter splitter;
        QStringList sentences;
        for (std::size_t at = 0; at < text.size(); at += pieceSize) {
            for (const std::string& sentence : splitter.add(std::string_view(text).substr(at, pieceSize))) {
                sentences << QString::fromStdString(sentence);
            }
        }
        if (const std::string rest = splitter.finish(); !rest.empty()) {
            sentences << QString::fromStdString(rest);
        }
        return sentences;
    }

private slots:
    void add_Text_IsCutIntoSentencesWhateverThePieces_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("sentences");
        QTest::newRow("two") << "Hello there. How are you?" << QStringList{"Hello there.", "How are you?"};
        QTest::newRow("abbreviations") << "Dr. Smith met Mr. J. Doe, e.g. today. Good."
                                       << QStringList{"Dr. Smith met Mr. J. Doe, e.g. today.", "Good."};
        QTest::newRow("decimals") << "Pi is 3.14 or so. Yes." << QStringList{"Pi is 3.14 or so.", "Yes."};
        QTest::newRow("number at the end") << "It is 5. Next one." << QStringList{"It is 5.", "Next one."};
        QTest::newRow("ellipsis") << "Well... maybe not. Wait... No!"
                                  << QStringList{"Well... maybe not.", "Wait...", "No!"};
        QTest::newRow("quotes") << "He said \"Go!\" Then he left." << QStringList{"He said \"Go!\"", "Then he left."};
        QTest::newRow("no as a word") << "I say no. Not today." << QStringList{"I say no.", "Not today."};
        QTest::newRow("no as number") << "Take No. 5 now. Fine." << QStringList{"Take No. 5 now.", "Fine."};
        QTest::newRow("lines") << "First\nSecond item\n\nThird" << QStringList{"First", "Second item", "Third"};
        QTest::newRow("white space") << "  One.   Two.  " << QStringList{"One.", "Two."};
        QTest::newRow("host") << "See example.com for more. Bye." << QStringList{"See example.com for more.", "Bye."};
        QTest::newRow("none") << "no end" << QStringList{"no end"};
        QTest::newRow("empty") << "" << QStringList{};
    }

    void add_Text_IsCutIntoSentencesWhateverThePieces()
    {
        QFETCH(QString, text);
        QFETCH(QStringList, sentences);
        for (const std::size_t size :
            {std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(7), std::size_t(1000)}) {
            QCOMPARE(split(text.toStdString(), size), sentences);
        }
    }

    void add_WholeSentence_ComesBeforeTheTextEnds()
    {
        SentenceSplitter splitter;
        QVERIFY(splitter.add("It is one o'clock.").empty());
        QCOMPARE(splitter.add(" A").size(), std::size_t(1));
    }

    void add_VeryLongSentence_IsCutAtCommas()
    {
        std::string text;
        for (int i = 0; i < 60; ++i) {
            text += "some more words, ";
        }
        const QStringList sentences = split(text, 5);
        QVERIFY(sentences.size() >= 4);
        for (const QString& sentence : sentences) {
            QVERIFY(sentence.size() <= static_cast<int>(SentenceSplitter::kLongSentence));
            QVERIFY(sentence.endsWith(','));
        }
        QCOMPARE(sentences.join(' '), QString::fromStdString(text).trimmed());
    }

    void add_EndlessWordOfUmlauts_IsCutBetweenCharacters()
    {
        const QString text = QString(300, QChar(0xE4));
        const QStringList parts = split(text.toStdString(), 3);
        QVERIFY(parts.size() > 1);
        QCOMPARE(parts.join(QString()), text);
    }
};

QTEST_GUILESS_MAIN(TestSentenceSplitter)
#include "test_sentence_splitter.moc"
