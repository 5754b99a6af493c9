#include "ui/style/error_text.h"

#include <QSet>
#include <QTest>

using namespace vivavoce;

class TestErrorText : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyCode_HasASentenceAndSomethingToDo_data();
    void everyCode_HasASentenceAndSomethingToDo();
    void sentences_AreAllDifferent();
    void code_WithTheOtherSidesOwn_ShowsBoth();
    void everyAddressFault_HasASentence();
    void everyNameFault_HasASentence();
    void everyFaultOfTheWay_HasASentenceAndSomethingToDo();
    void othersWords_AreNoFaultOfTheWay();
    void recordingThatDidNotBegin_SaysWhy();
    void limitThatCannotBeKept_LeadsToTheSettings();
    void damagedConversations_AreNoFullDisk();
    void silence_OfThisComputer_IsNotTheNetworks();
    void choiceThatIsNotTaken_NamesAllThatItMayBe();
    void project_ThatIsNeededOrNotTheUsers_LeadsToItsField();
};

void TestErrorText::everyCode_HasASentenceAndSomethingToDo_data()
{
    QTest::addColumn<int>("code");
    for (int code = 0; code <= static_cast<int>(core::ErrorCode::Internal); ++code) {
        QTest::newRow(std::string(core::codeText(static_cast<core::ErrorCode>(code))).c_str()) << code;
    }
}

void TestErrorText::everyCode_HasASentenceAndSomethingToDo()
{
    QFETCH(int, code);
    const ui::ErrorText text =
        ui::errorText({static_cast<core::ErrorCode>(code), "internal detail 42", std::nullopt, {}});
    QVERIFY2(text.sentence.endsWith(QLatin1Char('.')), "what happened, then what to do: whole sentences");
    QVERIFY(text.sentence.size() >= 20 && text.sentence.size() <= 110);
    QVERIFY(!text.sentence.contains(QLatin1Char('!')));
    QVERIFY(!text.sentence.contains(QStringLiteral("42")));
    QVERIFY(!text.sentence.contains(QStringLiteral("rror")));
    QCOMPARE(text.actionLabel.isEmpty(), text.action == ui::ErrorAction::Nothing);
}

void TestErrorText::sentences_AreAllDifferent()
{
    QSet<QString> seen;
    for (int code = 0; code <= static_cast<int>(core::ErrorCode::Internal); ++code) {
        const QString sentence = ui::errorText({static_cast<core::ErrorCode>(code), "", std::nullopt, {}}).sentence;
        QVERIFY2(!seen.contains(sentence), qPrintable(sentence));
        seen.insert(sentence);
    }
}

void TestErrorText::code_WithTheOtherSidesOwn_ShowsBoth()
{
    QCOMPARE(
        ui::errorCodeText({core::ErrorCode::ProviderQuota, "", std::nullopt, {}}), QStringLiteral("provider.quota"));
    QCOMPARE(ui::errorCodeText({core::ErrorCode::ProviderQuota, "", std::nullopt, "insufficient_quota"}),
        QStringLiteral("provider.quota (insufficient_quota)"));
}

void TestErrorText::everyAddressFault_HasASentence()
{
    for (const auto fault : {core::AddressFault::Empty, core::AddressFault::NotAnAddress, core::AddressFault::Insecure,
             core::AddressFault::TooMuch}) {
        QVERIFY(ui::addressFaultText(fault).size() > 20);
    }
}

void TestErrorText::everyNameFault_HasASentence()
{
    const QString odd = ui::nameFaultText(core::NameFault::Odd);
    const QString tooLong = ui::nameFaultText(core::NameFault::TooLong);
    QVERIFY(odd.size() > 20 && tooLong.size() > 20 && odd != tooLong);
    QVERIFY(tooLong.contains(QString::number(core::kLongestChosenName)));
    QVERIFY(ui::nameFaultText(core::NameFault::Secret).contains(QStringLiteral("key or a token")));
}

void TestErrorText::everyFaultOfTheWay_HasASentenceAndSomethingToDo()
{
    using Action = ui::ErrorAction;
    const std::pair<const char*, Action> faults[] = {{"proxy.unreachable", Action::ShowNetworkSettings},
        {"proxy.not_found", Action::ShowNetworkSettings}, {"proxy.password", Action::ShowNetworkSettings},
        {"proxy.refused", Action::ShowNetworkSettings}, {"certificate.untrusted", Action::ShowNetworkSettings},
        {"certificate.expired", Action::Retry}, {"certificate.elsewhere", Action::ShowSettings},
        {"network.proxy", Action::ShowNetworkSettings}, {"network.ca_file", Action::ShowNetworkSettings}};
    QSet<QString> seen;
    for (const auto& [fault, action] : faults) {
        const core::Error error{core::ErrorCode::BrokerUnreachable, "", std::nullopt, fault};
        const ui::ErrorText text = ui::errorText(error);
        QVERIFY2(text.sentence.endsWith(QLatin1Char('.')) && text.sentence.size() <= 110, fault);
        QVERIFY2(!seen.contains(text.sentence), fault);
        seen.insert(text.sentence);
        QVERIFY2(text.action == action && !text.actionLabel.isEmpty(), fault);
        QVERIFY2(ui::isOfTheWay(error), fault);
        const core::Error provider{core::ErrorCode::ProviderUnreachable, "", std::nullopt, fault};
        QCOMPARE(ui::errorText(provider).sentence, text.sentence);
    }
}

void TestErrorText::othersWords_AreNoFaultOfTheWay()
{
    const core::Error foreign{core::ErrorCode::ProviderFailed, "", std::nullopt, "proxy.password"};
    QVERIFY(!ui::isOfTheWay(foreign));
    QCOMPARE(ui::errorText(foreign).action, ui::ErrorAction::Retry);
    QVERIFY(!ui::isOfTheWay({core::ErrorCode::BrokerUnreachable, "", std::nullopt, {}}));
}

void TestErrorText::damagedConversations_AreNoFullDisk()
{
    for (const char* fault : {"history.damaged", "history.set_aside"}) {
        const QString sentence = ui::errorText({core::ErrorCode::HistoryFailed, "", std::nullopt, fault}).sentence;
        QVERIFY2(sentence.contains(QStringLiteral("damaged")) && !sentence.contains(QStringLiteral("disk")), fault);
        QVERIFY2(sentence.endsWith(QLatin1Char('.')) && sentence.size() <= 110, qPrintable(sentence));
    }
}

void TestErrorText::silence_OfThisComputer_IsNotTheNetworks()
{
    using core::ErrorCode;
    for (const auto code : {ErrorCode::Timeout, ErrorCode::BrokerUnreachable, ErrorCode::ProviderUnreachable}) {
        const ui::ErrorText text = ui::errorTextHere({code, "", std::nullopt, {}});
        QVERIFY2(!text.sentence.contains(QStringLiteral("network")), qPrintable(text.sentence));
        QVERIFY2(text.sentence.endsWith(QLatin1Char('.')) && text.sentence.size() <= 110, qPrintable(text.sentence));
        QCOMPARE(text.action, ui::ErrorAction::Retry);
        QVERIFY(!text.actionLabel.isEmpty());
    }
    const core::Error proxy{ErrorCode::BrokerUnreachable, "", std::nullopt, "proxy.refused"};
    QCOMPARE(ui::errorTextHere(proxy).sentence, ui::errorText(proxy).sentence);
    const core::Error other{ErrorCode::ChildDied, "", std::nullopt, {}};
    QCOMPARE(ui::errorTextHere(other).sentence, ui::errorText(other).sentence);
}

void TestErrorText::choiceThatIsNotTaken_NamesAllThatItMayBe()
{
    const auto wordsOf = [](core::ErrorCode code) { return ui::errorText({code, "", std::nullopt, {}}).sentence; };
    const QString notAllowed = wordsOf(core::ErrorCode::ChoiceNotAllowed);
    for (const char* part : {"provider", "model", "voice"}) {
        QVERIFY2(notAllowed.contains(QLatin1String(part)), part);
    }
    // A handshake that is answered with 404 or 426 may have gone to the wrong address.
    const QString refused = wordsOf(core::ErrorCode::ChoiceRefused);
    for (const char* part : {"model", "voice", "address"}) {
        QVERIFY2(refused.contains(QLatin1String(part)), part);
    }
}

void TestErrorText::project_ThatIsNeededOrNotTheUsers_LeadsToItsField()
{
    const auto textOf = [](core::ErrorCode code, const char* fault) {
        return ui::errorText({code, "", std::nullopt, fault});
    };
    const ui::ErrorText needed = textOf(core::ErrorCode::ChoiceNotAllowed, "project_needed");
    const ui::ErrorText foreign = textOf(core::ErrorCode::ChoiceNotAllowed, "project_not_allowed");
    QVERIFY(needed.sentence != foreign.sentence);
    for (const ui::ErrorText& text : {needed, foreign}) {
        QVERIFY2(text.sentence.contains(QStringLiteral("project")), qPrintable(text.sentence));
        QVERIFY2(text.sentence.endsWith(QLatin1Char('.')) && text.sentence.size() <= 110, qPrintable(text.sentence));
        QCOMPARE(text.action, ui::ErrorAction::ShowProject);
        QVERIFY(!text.actionLabel.isEmpty());
    }
    // Whoever is no member any more hears so where the session is to be renewed.
    QCOMPARE(textOf(core::ErrorCode::NotAuthorised, "project_not_allowed").sentence, foreign.sentence);
    // Others may call their own faults so.
    QCOMPARE(textOf(core::ErrorCode::ProviderFailed, "project_needed").action, ui::ErrorAction::Retry);
}

void TestErrorText::recordingThatDidNotBegin_SaysWhy()
{
    const auto textOf = [](const char* fault) {
        return ui::errorText({core::ErrorCode::RecordingFailed, "", std::nullopt, fault});
    };
    const ui::ErrorText format = textOf("recording.format");
    QVERIFY(format.sentence.contains(QStringLiteral("WAV")));
    QCOMPARE(format.action, ui::ErrorAction::ShowSettings);
    const ui::ErrorText place = textOf("recording.place");
    QVERIFY(place.sentence.contains(QStringLiteral("folder")));
    for (const QString& sentence : {format.sentence, place.sentence}) {
        QVERIFY(!sentence.contains(QStringLiteral("disk")));
        QVERIFY2(sentence.endsWith(QLatin1Char('.')) && sentence.size() <= 110, qPrintable(sentence));
    }
    QVERIFY(textOf("").sentence.contains(QStringLiteral("disk")));
    // Others may call their own faults so.
    const core::Error foreign{core::ErrorCode::BrokerUnreachable, "", std::nullopt, "recording.format"};
    QVERIFY(!ui::isOfTheWay(foreign));
    QCOMPARE(ui::errorText(foreign).action, ui::ErrorAction::Retry);
    QVERIFY(!ui::isOfTheWay({core::ErrorCode::RecordingFailed, "", std::nullopt, "recording.format"}));
}

void TestErrorText::limitThatCannotBeKept_LeadsToTheSettings()
{
    const core::Error error{core::ErrorCode::BadConfiguration, "", std::nullopt, "limits.month"};
    const ui::ErrorText text = ui::errorText(error);
    QVERIFY2(text.sentence.contains(QStringLiteral("limit of a month")), qPrintable(text.sentence));
    QVERIFY(text.sentence.endsWith(QLatin1Char('.')) && text.sentence.size() <= 110);
    QCOMPARE(text.action, ui::ErrorAction::ShowSettings);
    QVERIFY(!ui::isOfTheWay(error));
    QVERIFY(!ui::errorText({core::ErrorCode::ProviderRefused, "", std::nullopt, "limits.month"})
                 .sentence.contains(QStringLiteral("limit of a month")));
}

QTEST_GUILESS_MAIN(TestErrorText)
#include "test_error_text.moc"
