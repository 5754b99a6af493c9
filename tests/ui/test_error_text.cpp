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

QTEST_GUILESS_MAIN(TestErrorText)
#include "test_error_text.moc"
