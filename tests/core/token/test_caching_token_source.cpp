#include "core/token/caching_token_source.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_executor.h"

#include <QTest>

#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

class CachingTokenSourceTest : public QObject {
    Q_OBJECT

    /// What one fetch was answered with; nothing until then.
    using Answer = std::shared_ptr<std::optional<Expected<TokenPtr, Error>>>;

    struct World {
        ManualClock clock;
        ManualExecutor executor{clock};
        FakeTokenSource inner;
        CachingTokenSource cache{inner, clock, executor};

        Answer fetch(TokenQuery query = {})
        {
            auto answer = std::make_shared<std::optional<Expected<TokenPtr, Error>>>();
            cache.fetch(query, [answer](Expected<TokenPtr, Error> result) { *answer = std::move(result); });
            executor.runPosted();
            return answer;
        }
        TokenPtr fill(Milliseconds life = Milliseconds{60'000})
        {
            const auto answer = fetch();
            const TokenPtr token = makeToken(clock.now(), life);
            inner.answer(token);
            return token;
        }
    };

    static Error unreachable() { return {ErrorCode::BrokerUnreachable, "no route", std::nullopt, {}}; }

private Q_SLOTS:
    void fetch_Twice_AsksInnerOnce()
    {
        World world;
        const TokenPtr token = world.fill();
        const auto second = world.fetch();
        QVERIFY(second->has_value());
        QCOMPARE((*second)->value(), token);
        QCOMPARE(world.inner.queries.size(), std::size_t{1});
    }

    void fetch_WhileOneIsUnderWay_WaitsForItsAnswer()
    {
        World world;
        const auto first = world.fetch();
        const auto second = world.fetch();
        QVERIFY(!first->has_value() && !second->has_value());
        QCOMPARE(world.inner.queries.size(), std::size_t{1});
        const TokenPtr token = makeToken(world.clock.now());
        world.inner.answer(token);
        QCOMPARE((*first)->value(), token);
        QCOMPARE((*second)->value(), token);
    }

    void fetch_WhenRenewalIsDue_RenewsWithTheOldToken()
    {
        World world;
        const TokenPtr old = world.fill();
        world.clock.advance(Milliseconds{30'000});
        const auto answer = world.fetch();
        QCOMPARE(world.inner.queries.back().previous, old);
        const TokenPtr fresh = makeToken(world.clock.now());
        world.inner.answer(fresh);
        QCOMPARE((*answer)->value(), fresh);
    }

    void fetch_WhenRenewalFailsForNow_ServesTheOldToken()
    {
        World world;
        const TokenPtr old = world.fill();
        world.clock.advance(Milliseconds{30'000});
        const auto answer = world.fetch();
        world.inner.answer(Unexpected<Error>(unreachable()));
        QCOMPARE((*answer)->value(), old);
    }

    void fetch_WhenRenewalFailsForGood_DropsTheOldToken()
    {
        World world;
        world.fill();
        world.clock.advance(Milliseconds{30'000});
        const auto answer = world.fetch();
        world.inner.answer(fail(ErrorCode::NotAuthorised, "session ended"));
        QVERIFY(!(*answer)->has_value());
        const auto later = world.fetch();
        QVERIFY(world.inner.queries.back().previous == nullptr);
        QVERIFY(!later->has_value());
    }

    void fetch_WhenRenewalFailsAfterExpiry_IsAnError()
    {
        World world;
        world.fill();
        world.clock.advance(Milliseconds{59'000});
        const auto answer = world.fetch();
        world.clock.advance(Milliseconds{1'000});
        world.inner.answer(Unexpected<Error>(unreachable()));
        QVERIFY(!(*answer)->has_value());
        QCOMPARE((*answer)->error().code, ErrorCode::BrokerUnreachable);
    }

    void fetch_OfAnExpiredToken_AsksForANewOne()
    {
        World world;
        world.fill();
        world.clock.advance(Milliseconds{60'000});
        (void)world.fetch();
        QCOMPARE(world.inner.queries.size(), std::size_t{2});
        QVERIFY(world.inner.queries.back().previous == nullptr);
    }

    void renewal_Explicit_IsNeverAnsweredWithTheOldToken()
    {
        World world;
        const TokenPtr old = world.fill();
        const auto renewal = world.fetch({old, {}});
        QVERIFY(!renewal->has_value());
        world.inner.answer(Unexpected<Error>(unreachable()));
        QVERIFY(!(*renewal)->has_value());
    }

    void renewal_OfASupersededToken_IsServedByItsSuccessor()
    {
        World world;
        const TokenPtr old = world.fill();
        (void)world.fetch({old, {}});
        const TokenPtr successor = makeToken(world.clock.now());
        world.inner.answer(successor);
        const auto late = world.fetch({old, {}});
        QCOMPARE((*late)->value(), successor);
        QCOMPARE(world.inner.queries.size(), std::size_t{2});
    }

    void discard_MakesTheNextFetchAskAgain()
    {
        World world;
        const TokenPtr token = world.fill();
        world.cache.discard(makeToken(world.clock.now()));
        QCOMPARE((*world.fetch())->value(), token);
        world.cache.discard(token);
        (void)world.fetch();
        QVERIFY(world.inner.queries.back().previous == nullptr);
        QCOMPARE(world.inner.queries.size(), std::size_t{2});
    }

    void clockOfTheWall_SetByAnHour_ChangesNothing()
    {
        World world;
        const TokenPtr token = world.fill();
        world.clock.jumpWall(Milliseconds{3'600'000});
        QCOMPARE((*world.fetch())->value(), token);
        world.clock.jumpWall(Milliseconds{-7'200'000});
        QCOMPARE((*world.fetch())->value(), token);
    }

    void answer_AfterTheCacheIsGone_IsIgnored()
    {
        ManualClock clock;
        ManualExecutor executor(clock);
        FakeTokenSource inner;
        bool wasCalled = false;
        {
            CachingTokenSource cache(inner, clock, executor);
            cache.fetch({}, [&](const auto&) { wasCalled = true; });
        }
        inner.answer(makeToken(clock.now()));
        QVERIFY(!wasCalled);
    }

    void callback_ThatFetchesAgain_IsServed()
    {
        World world;
        TokenPtr second;
        world.cache.fetch({},
            [&](const auto&) { world.cache.fetch({}, [&](Expected<TokenPtr, Error> result) { second = *result; }); });
        const TokenPtr token = makeToken(world.clock.now());
        world.inner.answer(token);
        world.executor.runPosted();
        QCOMPARE(second, token);
    }
};

QTEST_GUILESS_MAIN(CachingTokenSourceTest)
#include "test_caching_token_source.moc"
