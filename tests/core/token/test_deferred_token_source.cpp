#include "core/token/deferred_token_source.h"
#include "tests/support/fake_ports.h"

#include <QTest>

using namespace vivavoce::core;

namespace {

/// Answers at once with what it was asked.
class EchoSource final : public TokenSource {
public:
    explicit EchoSource(std::vector<std::string>& asked) : m_asked(asked) {}
    void fetch(const TokenQuery& query, TokenCallback done) override
    {
        m_asked.push_back(query.resumeSessionId);
        done(fail(ErrorCode::NotAuthorised, query.resumeSessionId));
    }

private:
    std::vector<std::string>& m_asked;
};

} // namespace

class DeferredTokenSourceTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void fetch_BeforeTheSourceIsKnown_Waits()
    {
        std::vector<std::string> asked;
        std::vector<std::string> answers;
        DeferredTokenSource source;
        const auto note = [&](const Expected<TokenPtr, Error>& token) { answers.push_back(token.error().detail); };
        source.fetch({nullptr, "one"}, note);
        source.fetch({nullptr, "two"}, note);
        QVERIFY(answers.empty());
        source.become(std::make_unique<EchoSource>(asked));
        QCOMPARE(answers, (std::vector<std::string>{"one", "two"}));
        source.fetch({nullptr, "three"}, note);
        QCOMPARE(answers, (std::vector<std::string>{"one", "two", "three"}));
        QCOMPARE(asked, answers);
    }
};

QTEST_APPLESS_MAIN(DeferredTokenSourceTest)
#include "test_deferred_token_source.moc"
