#include "ui/usage/usage_book_view_model.h"

#include "core/usage/utc_day.h"
#include "ui/style/error_text.h"

#include <QLocale>
#include <QPointer>

#include <algorithm>
#include <utility>

namespace vivavoce::ui {
namespace {

/// So many rows are looked at on a page.
constexpr std::size_t kMostDays = 31;
constexpr std::size_t kMostMonths = 24;

/// What is offered, and what holds: the file may say something else.
std::vector<int> limitCents(const core::Settings& settings)
{
    std::vector<int> offered{0, 500, 1'000, 2'000, 5'000, 10'000, 20'000};
    const auto place = std::lower_bound(offered.begin(), offered.end(), settings.monthLimitCents);
    if (place == offered.end() || *place != settings.monthLimitCents) {
        offered.insert(place, settings.monthLimitCents);
    }
    return offered;
}

QString refusalText(const core::Error& error)
{
    switch (error.code) {
    case core::ErrorCode::NotAuthorised:
        return UsageBookViewModel::tr(
            "The broker does not show you its figures. Sign in, or ask whoever runs it for the right to see your own.");
    case core::ErrorCode::BrokerMalformed:
        return UsageBookViewModel::tr("This broker does not tell what was used.");
    default:
        return errorText(error).sentence;
    }
}

/// More tokens for less money, or fewer for more, have a reason besides.
bool isPriceAgainstIt(core::UsageAgreement agreement, std::int64_t here, std::int64_t broker)
{
    return (agreement == core::UsageAgreement::BrokerHasMore && broker < here)
        || (agreement == core::UsageAgreement::BrokerHasLess && broker > here);
}

QString explanationOf(const core::UsageFigures& here, const core::BrokerUsage& broker)
{
    const core::UsageAgreement agreement = core::compare(here, broker.figures);
    const std::int64_t reported = broker.reportedNanoDollars;
    QString words;
    switch (agreement) {
    case core::UsageAgreement::Same:
        return UsageBookViewModel::tr("They agree.");
    case core::UsageAgreement::OtherPrices:
        words = UsageBookViewModel::tr("Both have counted the same tokens: the broker has other prices.");
        break;
    case core::UsageAgreement::BrokerHasMore:
        words = UsageBookViewModel::tr(
            "The broker also counts what you use on other devices, and what is in the book of this computer no longer.");
        break;
    case core::UsageAgreement::BrokerHasLess:
        words =
            UsageBookViewModel::tr("The broker may not have heard of everything: it knows you under the name that you "
                                   "use now, and of what goes straight to the provider what it is told.");
        break;
    }
    if (isPriceAgainstIt(agreement, here.nanoDollars, broker.figures.nanoDollars)) {
        words = (agreement == core::UsageAgreement::BrokerHasMore
                        ? UsageBookViewModel::tr("The broker has counted more tokens, at other prices.")
                        : UsageBookViewModel::tr("The broker has counted fewer tokens, at other prices."))
            + QLatin1Char(' ') + words;
    }
    if (reported > 0) {
        words += QLatin1Char(' ')
            + UsageBookViewModel::tr(
                "%1 of the broker's figure went straight to the provider, and is what clients have said.")
                  .arg(dollars(reported));
    }
    return words;
}

} // namespace

UsageBookViewModel::UsageBookViewModel(Dependencies dependencies, QObject* parent)
    : QObject(parent), m_deps(std::move(dependencies))
{
    m_deps.settings.follow([this](const core::Settings&) { Q_EMIT changed(); });
}

void UsageBookViewModel::refresh()
{
    readBook();
    Q_EMIT changed();
    askBroker();
}

std::string UsageBookViewModel::todaysDay() const
{
    return core::utcDay(m_deps.clock.wallNow());
}

std::vector<core::UsageSum> UsageBookViewModel::read(const core::UsageQuery& query)
{
    auto sums = m_deps.book.sums(query);
    if (!sums) {
        m_fault = errorText(sums.error()).sentence;
        return {};
    }
    return std::move(*sums);
}

std::optional<core::UsageSum> UsageBookViewModel::readSum(const core::UsageQuery& query)
{
    auto sums = read(query);
    return sums.empty() ? std::nullopt : std::optional(std::move(sums.front()));
}

void UsageBookViewModel::readBook()
{
    m_fault.clear();
    core::UsageQuery query;
    query.from = query.to = todaysDay();
    m_today = readSum(query).value_or(core::UsageSum());
    query.from = core::firstOfMonth(query.to);
    m_month = readSum(query);
    core::UsageQuery spans;
    spans.by = m_isByMonth ? core::UsageGrouping::Month : core::UsageGrouping::Day;
    spans.most = m_isByMonth ? kMostMonths : kMostDays;
    m_spans.set(read(spans));
    // What cannot be read can be cleared.
    m_isEmpty = m_spans.count() == 0 && m_fault.isEmpty();
}

void UsageBookViewModel::setByMonth(bool isByMonth)
{
    if (std::exchange(m_isByMonth, isByMonth) != isByMonth) {
        readBook();
        Q_EMIT changed();
    }
}

bool UsageBookViewModel::hasBroker() const
{
    return m_deps.ask != nullptr && m_deps.settings.current().profile == core::Profile::Broker;
}

void UsageBookViewModel::askBroker()
{
    ++m_question;
    m_isAsking = false;
    m_comparison.clear();
    m_explanation.clear();
    m_lastConversation.clear();
    if (hasBroker() && m_fault.isEmpty()) {
        core::UsageQuery query;
        query.to = todaysDay();
        query.from = core::firstOfMonth(query.to);
        query.broker = m_deps.settings.current().brokerUrl;
        const core::UsageSum here = readSum(query).value_or(core::UsageSum());
        m_isAsking = true;
        m_deps.ask(query,
            [self = QPointer(this), question = m_question, here](
                const core::Expected<core::BrokerUsage, core::Error>& answer) {
                if (self != nullptr && self->m_question == question) {
                    self->monthCame(here, answer);
                }
            });
    }
    Q_EMIT changed();
}

void UsageBookViewModel::monthCame(
    const core::UsageSum& here, const core::Expected<core::BrokerUsage, core::Error>& answer)
{
    m_isAsking = false;
    if (!answer) {
        m_comparison = refusalText(answer.error());
        Q_EMIT changed();
        return;
    }
    m_comparison = tr("This month, this computer counted %1 with this broker, and the broker %2.")
                       .arg(dollars(here.figures.nanoDollars), dollars(answer->figures.nanoDollars));
    m_explanation = explanationOf(here.figures, *answer);
    Q_EMIT changed();
    askForLastConversation();
}

void UsageBookViewModel::askForLastConversation()
{
    core::UsageQuery query;
    query.broker = m_deps.settings.current().brokerUrl;
    query.by = core::UsageGrouping::Session;
    query.most = 1;
    const auto last = read(query);
    if (last.empty()) {
        return;
    }
    query.session = last.front().key;
    m_deps.ask(query,
        [self = QPointer(this), question = m_question, here = last.front().figures](
            const core::Expected<core::BrokerUsage, core::Error>& answer) {
            // A broker that does not tell sessions apart has said enough.
            if (self == nullptr || self->m_question != question || !answer) {
                return;
            }
            const bool isSame = core::compare(here, answer->figures) == core::UsageAgreement::Same;
            self->m_lastConversation = answer->sessions == 0
                ? tr("The broker has nothing of the last conversation in its books.")
                : isSame ? tr("The last conversation is counted the same at both: %1.").arg(dollars(here.nanoDollars))
                         : tr("The last conversation: %1 here, %2 at the broker.")
                               .arg(dollars(here.nanoDollars), dollars(answer->figures.nanoDollars));
            Q_EMIT self->changed();
        });
}

QStringList UsageBookViewModel::monthLimits() const
{
    QStringList words;
    for (const int cents : limitCents(m_deps.settings.current())) {
        words << (cents == 0 ? tr("No limit") : dollars(cents * core::kNanoDollarsInACent));
    }
    return words;
}

int UsageBookViewModel::monthLimit() const
{
    const auto values = limitCents(m_deps.settings.current());
    return static_cast<int>(
        std::find(values.begin(), values.end(), m_deps.settings.current().monthLimitCents) - values.begin());
}

void UsageBookViewModel::setMonthLimit(int row)
{
    core::Settings settings = m_deps.settings.current();
    const auto values = limitCents(settings);
    if (row < 0 || static_cast<std::size_t>(row) >= values.size()) {
        return;
    }
    settings.monthLimitCents = values[static_cast<std::size_t>(row)];
    const auto saved = m_deps.settings.change(settings);
    m_fault = saved ? QString() : errorText(saved.error()).sentence;
    Q_EMIT changed();
}

QString UsageBookViewModel::leftOfLimit() const
{
    const std::int64_t limit = m_deps.settings.current().monthLimitCents * core::kNanoDollarsInACent;
    if (limit == 0) {
        return {};
    }
    if (!m_month) {
        return tr("Nobody knows how much of it is left: the figures cannot be read. Until they can, or are deleted, no "
                  "conversation with a broker that is counted here begins.");
    }
    const std::int64_t left = limit - m_month->figures.nanoDollars;
    return left > 0
        ? tr("%1 of it is left this month.").arg(dollars(left))
        : tr("It is used up: no conversation with a broker that is counted here begins before the next month.");
}

void UsageBookViewModel::askToClear()
{
    m_isClearing = true;
    Q_EMIT changed();
}

void UsageBookViewModel::confirmClear()
{
    if (!std::exchange(m_isClearing, false)) {
        return;
    }
    const auto cleared = m_deps.book.clear();
    refresh();
    if (!cleared) {
        m_fault = errorText(cleared.error()).sentence;
        Q_EMIT changed();
    }
}

void UsageBookViewModel::cancelClear()
{
    m_isClearing = false;
    Q_EMIT changed();
}

} // namespace vivavoce::ui
