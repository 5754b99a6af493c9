#include "agent/skills/grammar.h"
#include "agent/speech/flite_voice.h"
#include "agent/speech/pocketsphinx_recogniser.h"

#include <QTest>

#include <chrono>
#include <thread>

using namespace vivavoce;
using namespace vivavoce::agent;

/// The real recogniser hears the real voice.
class SpeechPartsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<speech::FliteVoice> m_voice;
    std::unique_ptr<speech::PocketsphinxPool> m_pool;

    std::vector<std::int16_t> speak(const std::string& text, const SpeakingStyle& style = {}) const
    {
        std::vector<std::int16_t> samples;
        (void)m_voice->speak(text, style, [&](std::span<const std::int16_t> piece) {
            samples.insert(samples.end(), piece.begin(), piece.end());
            return true;
        });
        samples.insert(samples.end(), 4000, 0);
        return samples;
    }

    /// As in a conversation, 20 ms at a time.
    Recognition hear(std::span<const std::int16_t> samples, std::vector<std::string>* partials = nullptr) const
    {
        const auto recogniser = m_pool->borrow({});
        if (!recogniser || !(*recogniser)->begin()) {
            return {};
        }
        for (std::size_t i = 0; i < samples.size(); i += 320) {
            const auto partial =
                (*recogniser)->accept(samples.subspan(i, std::min<std::size_t>(320, samples.size() - i)));
            if (partial && partials != nullptr) {
                partials->push_back(*partial);
            }
        }
        return (*recogniser)->finish();
    }

private Q_SLOTS:
    void initTestCase()
    {
        auto voice = speech::FliteVoice::create();
        QVERIFY(voice.has_value());
        m_voice = std::move(*voice);
        speech::RecogniserSettings settings;
        settings.grammarJsgf = skills::commandGrammarJsgf();
        settings.sentences = skills::sampleSentences(5000, 1);
        settings.maxDecoders = 1;
        auto pool = speech::PocketsphinxPool::create(std::move(settings));
        QVERIFY2(pool.has_value(), pool ? "" : pool.error().detail.c_str());
        m_pool = std::move(*pool);
    }

    void commands_AreHeardWordForWord_data()
    {
        QTest::addColumn<std::string>("sentence");
        for (const char* sentence :
            {"what time is it", "what is twelve times seven", "flip a coin", "tell me a joke"}) {
            QTest::newRow(sentence) << std::string(sentence);
        }
    }
    void commands_AreHeardWordForWord()
    {
        QFETCH(std::string, sentence);
        const Recognition heard = hear(speak(sentence));
        QCOMPARE(heard.text, sentence);
        QVERIFY(heard.isCommand);
    }

    void openSentence_IsNotTakenForACommand()
    {
        const Recognition heard = hear(speak("the old man walked slowly along the river bank"));
        QVERIFY(!heard.isCommand);
        QVERIFY2(heard.text.find("river") != std::string::npos, heard.text.c_str());
    }

    void partials_GrowWhileTheUserSpeaks()
    {
        std::vector<std::string> partials;
        (void)hear(speak("what is twelve times seven"), &partials);
        QVERIFY(partials.size() >= 2);
        QVERIFY(partials.front().size() < partials.back().size());
    }

    void silence_IsNothing() { QCOMPARE(hear(std::vector<std::int16_t>(16'000, 0)).text, std::string()); }

    void cancelledUtterance_LeavesNothingBehind()
    {
        const auto first = speak("tell me a joke");
        {
            const auto recogniser = m_pool->borrow({});
            QVERIFY(recogniser.has_value());
            QVERIFY((*recogniser)->begin().has_value());
            (void)(*recogniser)->accept(first);
            (*recogniser)->cancel();
            QCOMPARE((*recogniser)->finish().text, std::string());
        }
        QCOMPARE(hear(speak("what time is it")).text, std::string("what time is it"));
    }

    void pool_LendsOneAtATimeAndStopsWaitingWhenTold()
    {
        auto first = m_pool->borrow({});
        QVERIFY(first.has_value());
        std::stop_source stop;
        stop.request_stop();
        const auto second = m_pool->borrow(stop.get_token());
        QVERIFY(!second.has_value());
        QCOMPARE(second.error().code, core::ErrorCode::Cancelled);
        first->reset();
        QVERIFY(m_pool->borrow(stop.get_token()).has_value());
    }

    void modelThatIsNotThere_IsNamed()
    {
        speech::RecogniserSettings settings;
        settings.modelFolder = "/no/such/folder";
        const auto pool = speech::PocketsphinxPool::create(std::move(settings));
        QVERIFY(!pool.has_value());
        QCOMPARE(pool.error().code, core::ErrorCode::BadConfiguration);
    }

    void badGrammar_IsNamed()
    {
        speech::RecogniserSettings settings;
        settings.grammarJsgf = "this is no grammar";
        const auto pool = speech::PocketsphinxPool::create(std::move(settings));
        QVERIFY(!pool.has_value());
    }

    void voice_ComesInPiecesAndStopsWhenTold()
    {
        std::size_t pieces = 0;
        std::size_t samples = 0;
        QVERIFY(m_voice
                    ->speak("This is a rather long sentence that nobody wants to hear to its end.", {},
                        [&](auto piece) {
                            samples += piece.size();
                            return ++pieces < 3;
                        })
                    .has_value());
        QCOMPARE(pieces, std::size_t{3});
        QVERIFY(samples < speak("This is a rather long sentence that nobody wants to hear to its end.").size() / 2);
    }

    void style_ChangesLengthAndLevel()
    {
        const auto plain = speak("hello there");
        const auto slow = speak("hello there", {0.5, 1.0});
        QVERIFY(slow.size() > plain.size() * 3 / 2);
        const auto quiet = speak("hello there", {1.0, 0.25});
        const auto loudest = [](const std::vector<std::int16_t>& s) { return *std::max_element(s.begin(), s.end()); };
        QVERIFY(loudest(quiet) < loudest(plain) / 3);
        const auto again = speak("hello there");
        QCOMPARE(again.size(), plain.size());
    }
};

QTEST_GUILESS_MAIN(SpeechPartsTest)
#include "test_speech_parts.moc"
