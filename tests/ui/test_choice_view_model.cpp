#include "tests/support/manual_clock.h"
#include "tests/ui/ui_fakes.h"
#include "ui/settings/choice_view_model.h"

#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

struct World {
    FakeSettingsStore store;
    core::LiveSettings live{store};
    // 2027-01-15.
    ManualClock clock;
    ui::ChoiceViewModel model{live, &clock, [this](const core::ProviderChoice& choice) {
                                  core::Settings settings = live.current();
                                  settings.choice = choice;
                                  QVERIFY(live.change(settings).has_value());
                              }};

    [[nodiscard]] const core::ProviderChoice& kept() const { return store.kept.choice; }
};

QString is(const char* text)
{
    return QString::fromUtf8(text);
}

} // namespace

class TestChoiceViewModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void choice_IsKeptAsNames_AndTakenBack()
    {
        World world;
        const QSignalSpy provider(&world.model, &ui::ChoiceViewModel::providerChanged);
        QVERIFY(world.model.use(is(" gemini "), is("gemini-3.8-live\t")));
        QVERIFY(world.kept() == (core::ProviderChoice{"gemini", "gemini-3.8-live"}));
        QCOMPARE(world.model.provider(), is("gemini"));
        QCOMPARE(world.model.model(), is("gemini-3.8-live"));
        QVERIFY(world.model.use(is("gemini"), QString()));
        QVERIFY(world.kept() == (core::ProviderChoice{"gemini", ""}));
        QCOMPARE(provider.size(), 1);
        QVERIFY(world.model.use(is("  "), QString()));
        QVERIFY(world.kept() == core::ProviderChoice());
    }

    void name_ThatNoBrokerTakes_IsToldInWords_AndNotKept()
    {
        World world;
        QVERIFY(world.model.use(QString(), is("m")));
        for (const QString& odd :
            {is("gpt realtime"), is("gpt\nrealtime"), is("gpt-réaltime"), is("模型"), QString(QChar(0x7f))}) {
            QVERIFY2(!world.model.use(QString(), odd), qPrintable(odd));
            QVERIFY(world.model.fault().contains(is("not a name")));
            QVERIFY(world.model.isModelWrong() && !world.model.isProviderWrong());
            QVERIFY(!world.model.use(odd, QString()));
            QVERIFY(world.model.isProviderWrong() && !world.model.isModelWrong());
        }
        QVERIFY(!world.model.use(QString(), is("m").repeated(129)));
        QVERIFY(world.model.fault().contains(is("128")));
        QVERIFY(world.kept() == (core::ProviderChoice{"", "m"}));
        world.model.forgetFault();
        QCOMPARE(world.model.fault(), QString());
        QVERIFY(!world.model.isModelWrong());
        QVERIFY(world.model.use(QString(), is("m").repeated(128)));
    }

    void suggestions_AreOfTheProvider_AndOfNoneThatEndsSoon()
    {
        World world;
        QVERIFY(world.model.providers().contains(is("gemini")));
        const QStringList of = world.model.modelsOf(is(" openai "));
        QVERIFY(of.contains(is("gpt-realtime-2.1")));
        QVERIFY(!of.contains(is("gpt-realtime")) && !of.contains(is("gemini-3.8-live")));
        QVERIFY(world.model.modelsOf(QString()).contains(is("gemini-3.8-live")));
        QVERIFY(world.model.modelsOf(is("ours")).isEmpty());
    }

    void end_OfTheChosenModel_IsToldFromItsDayOn()
    {
        World world;
        QVERIFY(world.model.use(QString(), is("gpt-realtime")));
        QCOMPARE(world.model.note(),
            is("gpt-realtime is to be shut down on 2027-01-20, in 5 days. Its successor is gpt-realtime-2.1."));
        // It is eight in the morning.
        world.clock.jumpWall(std::chrono::hours{4 * 24 - 8});
        QVERIFY(world.model.note().contains(is("tomorrow")));
        world.clock.jumpWall(std::chrono::hours{24} - core::Milliseconds{1});
        QVERIFY(world.model.note().contains(is("tomorrow")));
        world.clock.jumpWall(core::Milliseconds{1});
        QCOMPARE(world.model.note(),
            is("gpt-realtime was to be shut down on 2027-01-20. Its successor is gpt-realtime-2.1."));
        world.clock.jumpWall(-std::chrono::hours{91 * 24});
        QCOMPARE(world.model.note(), QString());
        QVERIFY(world.model.use(QString(), QString()));
        QCOMPARE(world.model.note(), QString());
    }

    void voices_AreOfWhoeverAnswers()
    {
        World world;
        const QSignalSpy voices(&world.model, &ui::ChoiceViewModel::voicesChanged);
        QVERIFY2(world.model.voices().isEmpty(), "nobody knows who answers");
        world.model.setServing(is("gemini"));
        QCOMPARE(voices.size(), 1);
        QCOMPARE(world.model.voices().size(), 32);
        QCOMPARE(world.model.voices().at(1), is("Zephyr"));
        world.model.setServing(is("gemini"));
        QCOMPARE(voices.size(), 1);
        // A model tells whose it is, also where no provider is named.
        QVERIFY(world.model.use(QString(), is("gpt-realtime-2.1")));
        QVERIFY(world.model.voices().contains(is("marin")) && !world.model.voices().contains(is("Kore")));
        QVERIFY(world.model.use(QString(), is("house-model")));
        QVERIFY(world.model.voices().isEmpty());
        QVERIFY(world.model.use(is("xai"), is("gpt-realtime-2.1")));
        QVERIFY(world.model.voices().contains(is("eve")));
        QCOMPARE(voices.size(), 4);
    }

    void voice_IsChosenByItsRow_AndTakenBack()
    {
        World world;
        QVERIFY(world.model.use(is("openai"), QString()));
        QCOMPARE(world.model.voiceRow(), 0);
        const auto row = static_cast<int>(world.model.voices().indexOf(is("marin")));
        QVERIFY(row > 0);
        world.model.chooseVoice(row);
        QVERIFY(world.kept() == (core::ProviderChoice{"openai", "", "marin"}));
        QCOMPARE(world.model.voiceRow(), row);
        for (const int other : {-1, static_cast<int>(world.model.voices().size()) - 1, 99}) {
            world.model.chooseVoice(other);
            QCOMPARE(world.model.voice(), is("marin"));
        }
        world.model.chooseVoice(0);
        QVERIFY(world.kept() == (core::ProviderChoice{"openai", ""}));
        QCOMPARE(world.model.voiceRow(), 0);
    }

    void voice_ThatIsTyped_IsKeptAndOffered_IfItIsAName()
    {
        World world;
        QVERIFY(world.model.use(is("openai"), QString()));
        const auto known = world.model.voices().size();
        QVERIFY(!world.model.useVoice(is("two words")));
        QVERIFY(world.model.voiceFault().contains(is("not a name")));
        QCOMPARE(world.model.fault(), QString());
        QVERIFY(world.kept().voice.empty());
        world.model.forgetFault();
        QCOMPARE(world.model.voiceFault(), QString());
        QVERIFY(world.model.useVoice(is(" voice_0123 ")));
        QCOMPARE(world.kept().voice, std::string("voice_0123"));
        QCOMPARE(world.model.voices().size(), known + 1);
        QCOMPARE(world.model.voices().at(world.model.voiceRow()), is("voice_0123"));
        // As the provider spells it, and not beside that.
        QVERIFY(world.model.useVoice(is("Marin")));
        QCOMPARE(world.model.voices().size(), known);
        QCOMPARE(world.model.voices().at(world.model.voiceRow()), is("marin"));
        QCOMPARE(world.kept().voice, std::string("marin"));
    }

    void voice_ThatWasTypedBeforeItsProviderWasKnown_IsShownAsItIsSent()
    {
        World world;
        QVERIFY(world.model.useVoice(is("Marin")));
        world.model.setServing(is("openai"));
        QCOMPARE(world.kept().voice, std::string("Marin"));
        const int row = world.model.voiceRow();
        QCOMPARE(world.model.voices().at(row), is("Marin"));
        QVERIFY(!world.model.voices().contains(is("marin")));
        // Once it is picked, or its provider chosen, it is spelt as it is listed.
        world.model.chooseVoice(row);
        QCOMPARE(world.kept().voice, std::string("marin"));
        world.model.setServing(QString());
        QVERIFY(world.model.useVoice(is("Marin")));
        QVERIFY(world.model.use(is("openai"), QString()));
        QVERIFY(world.kept() == (core::ProviderChoice{"openai", "", "marin"}));
    }

    void voices_AreThoseOfTheKindOfServer()
    {
        World world;
        QVERIFY(world.model.use(is("az824"), QString()));
        QVERIFY2(world.model.voices().isEmpty(), "what that is nobody knows yet");
        const QSignalSpy voices(&world.model, &ui::ChoiceViewModel::voicesChanged);
        world.model.setServing(is("az824"), is("azure"));
        QCOMPARE(voices.size(), 1);
        QVERIFY(world.model.voices().contains(is("marin")));
        QVERIFY(world.model.useVoice(is("Marin")));
        QCOMPARE(world.kept().voice, std::string("marin"));
        // One that has another's name.
        QVERIFY(world.model.use(is("xai"), QString()));
        world.model.setServing(is("xai"), is("localai"));
        QVERIFY(world.model.voices().isEmpty());
    }

    void provider_ThatServed_IsForgottenWithItsBroker()
    {
        World world;
        const auto talkWith = [&](core::Profile profile, const char* address) {
            core::Settings wanted = world.live.current();
            wanted.profile = profile;
            wanted.brokerUrl = address;
            QVERIFY(world.live.change(wanted).has_value());
        };
        talkWith(core::Profile::Broker, "https://one.example");
        world.model.setServing(is("gemini"));
        core::Settings calmer = world.live.current();
        calmer.isMotionReduced = true;
        QVERIFY(world.live.change(calmer).has_value());
        QVERIFY2(!world.model.voices().isEmpty(), "that is no other broker");
        const QSignalSpy voices(&world.model, &ui::ChoiceViewModel::voicesChanged);
        talkWith(core::Profile::Broker, "https://other.example");
        QVERIFY(world.model.voices().isEmpty());
        QCOMPARE(voices.size(), 1);
        world.model.setServing(is("openai"));
        talkWith(core::Profile::ThisComputer, "https://other.example");
        QVERIFY(world.model.voices().isEmpty());
        QCOMPARE(voices.size(), 3);
    }

    void voices_OfAnotherProvider_AreNoOtherVoice()
    {
        World world;
        QVERIFY(world.model.useVoice(is("ours")));
        const QSignalSpy voice(&world.model, &ui::ChoiceViewModel::voiceChanged);
        world.model.setServing(is("openai"));
        QVERIFY2(voice.isEmpty(), "somebody may be typing another one");
        QVERIFY(world.model.useVoice(is("marin")));
        QCOMPARE(voice.size(), 1);
    }

    void voice_OfAnotherProvider_IsForgottenWithTheChoice()
    {
        World world;
        QVERIFY(world.model.use(is("openai"), QString()));
        QVERIFY(world.model.useVoice(is("marin")));
        QVERIFY(world.model.use(is("openai"), is("gpt-realtime-2.1")));
        QCOMPARE(world.kept().voice, std::string("marin"));
        QVERIFY(world.model.use(is("azure"), is("my-deployment")));
        QVERIFY2(world.kept().voice == "marin", "it has that one, too");
        QVERIFY(world.model.use(is("ours"), QString()));
        QVERIFY2(world.kept().voice == "marin", "nobody knows what it has");
        QVERIFY(world.model.use(is("gemini"), QString()));
        QVERIFY(world.kept() == (core::ProviderChoice{"gemini", ""}));
    }

    void model_ThatNobodyKnows_IsTakenWithAWord()
    {
        World world;
        QVERIFY(world.model.use(is("ours"), is("house-model%1")));
        QVERIFY(world.model.note().contains(is("not estimated")));
        QCOMPARE(world.model.fault(), QString());
    }
};

QTEST_MAIN(TestChoiceViewModel)
#include "test_choice_view_model.moc"
