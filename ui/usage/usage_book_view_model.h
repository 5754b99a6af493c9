#pragma once

#include "core/base/clock.h"
#include "core/settings/live_settings.h"
#include "core/usage/broker_ledger.h"
#include "ui/usage/usage_span_model.h"
#include "ui/usage/usage_words.h"

#include <QObject>
#include <QString>
#include <QStringList>

#include <functional>
#include <optional>

namespace vivavoce::ui {

/// What was used on this computer, by day and month, beside what the broker has in its books; and what a month may cost.
/// Days and months are UTC's, as prices and brokers' ledgers are.
class UsageBookViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(bool isEmpty READ isEmpty NOTIFY changed)
    Q_PROPERTY(vivavoce::ui::UsageWords today READ today NOTIFY changed)
    Q_PROPERTY(vivavoce::ui::UsageWords month READ month NOTIFY changed)
    /// Days, or months, the newest first.
    Q_PROPERTY(vivavoce::ui::UsageSpanModel* spans READ spans CONSTANT)
    Q_PROPERTY(bool isByMonth READ isByMonth WRITE setByMonth NOTIFY changed)
    /// Why the last thing could not be done; empty: it was.
    Q_PROPERTY(QString fault READ fault NOTIFY changed)
    /// A broker is used: what it has can be asked for.
    Q_PROPERTY(bool hasBroker READ hasBroker NOTIFY changed)
    Q_PROPERTY(bool isAsking READ isAsking NOTIFY changed)
    /// What was counted here and there this month, or why nobody knows; empty: it was not asked for yet.
    Q_PROPERTY(QString comparison READ comparison NOTIFY changed)
    /// Why the two may differ, or that they do not.
    Q_PROPERTY(QString explanation READ explanation NOTIFY changed)
    /// The same of the last conversation; empty: nobody knows.
    Q_PROPERTY(QString lastConversation READ lastConversation NOTIFY changed)
    /// What a month may cost, in words, and which of them holds.
    Q_PROPERTY(QStringList monthLimits READ monthLimits NOTIFY changed)
    Q_PROPERTY(int monthLimit READ monthLimit WRITE setMonthLimit NOTIFY changed)
    /// How much of it is left, or that nobody knows; empty: there is no limit.
    Q_PROPERTY(QString leftOfLimit READ leftOfLimit NOTIFY changed)
    /// Whether all figures are to go is being asked.
    Q_PROPERTY(bool isClearing READ isClearing NOTIFY changed)

public:
    /// Of whom the query names; the answer may come at any time later.
    using AskBroker = std::function<void(const core::UsageQuery& query, core::BrokerLedger::Done done)>;
    struct Dependencies {
        core::UsageBook& book;
        core::LiveSettings& settings;
        const core::Clock& clock;
        /// Null: nobody is asked.
        AskBroker ask = nullptr;
    };

    explicit UsageBookViewModel(Dependencies dependencies, QObject* parent = nullptr);

    /// Reads the book anew, and asks the broker.
    Q_INVOKABLE void refresh();
    Q_INVOKABLE void askBroker();
    Q_INVOKABLE void askToClear();
    Q_INVOKABLE void confirmClear();
    Q_INVOKABLE void cancelClear();

    [[nodiscard]] bool isEmpty() const { return m_isEmpty; }
    [[nodiscard]] UsageWords today() const { return wordsOf(m_today); }
    [[nodiscard]] UsageWords month() const { return wordsOf(m_month.value_or(core::UsageSum())); }
    [[nodiscard]] UsageSpanModel* spans() { return &m_spans; }
    [[nodiscard]] bool isByMonth() const { return m_isByMonth; }
    void setByMonth(bool isByMonth);
    [[nodiscard]] QString fault() const { return m_fault; }
    [[nodiscard]] bool hasBroker() const;
    [[nodiscard]] bool isAsking() const { return m_isAsking; }
    [[nodiscard]] QString comparison() const { return m_comparison; }
    [[nodiscard]] QString explanation() const { return m_explanation; }
    [[nodiscard]] QString lastConversation() const { return m_lastConversation; }
    [[nodiscard]] QStringList monthLimits() const;
    [[nodiscard]] int monthLimit() const;
    void setMonthLimit(int row);
    [[nodiscard]] QString leftOfLimit() const;
    [[nodiscard]] bool isClearing() const { return m_isClearing; }

Q_SIGNALS:
    void changed();

private:
    /// Of the book; an empty one where it cannot be read, which `m_fault` tells then.
    [[nodiscard]] std::vector<core::UsageSum> read(const core::UsageQuery& query);
    /// Of all of it; nothing where the book cannot be read.
    [[nodiscard]] std::optional<core::UsageSum> readSum(const core::UsageQuery& query);
    void readBook();
    [[nodiscard]] std::string todaysDay() const;
    void monthCame(const core::UsageSum& here, const core::Expected<core::BrokerUsage, core::Error>& answer);
    void askForLastConversation();

    Dependencies m_deps;
    UsageSpanModel m_spans;
    core::UsageSum m_today;
    /// Nothing: the book cannot be read.
    std::optional<core::UsageSum> m_month = core::UsageSum();
    bool m_isEmpty = true;
    bool m_isByMonth = false;
    bool m_isClearing = false;
    bool m_isAsking = false;
    /// Which question this is: what comes late to an earlier one is not shown.
    int m_question = 0;
    QString m_fault;
    QString m_comparison;
    QString m_explanation;
    QString m_lastConversation;
};

} // namespace vivavoce::ui
