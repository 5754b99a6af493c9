#pragma once

#include "core/base/error.h"
#include "core/ports/tool_runner.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <deque>
#include <string>
#include <vector>

namespace vivavoce::ui {

/// The last tools that the agent used, the newest first. Bounded: the oldest falls out.
class ToolModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    enum Role { Name = Qt::UserRole + 1, IsRunning, IsWaiting, HasFailed };
    static constexpr int kMost = 20;

    explicit ToolModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    /// A new first row that runs.
    void called(const core::ToolCall& call);
    /// The row of this call runs no more. A call that is not, or no longer, in the list is ignored.
    void done(const core::ToolCall& call, bool wasFine);
    /// These calls wait for a person's word; also those whose row is still to come.
    void setWaiting(std::vector<std::string> callIds);
    /// Forgets all rows, for a new conversation.
    void clear();

    /// The newest that still runs; empty: none does.
    [[nodiscard]] QString runningName() const;
    [[nodiscard]] int count() const { return static_cast<int>(m_rows.size()); }
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

private:
    struct Row {
        std::string callId;
        QString name;
        bool isRunning = true;
        bool hasFailed = false;
    };
    [[nodiscard]] bool isWaiting(const Row& row) const;

    std::deque<Row> m_rows;
    std::vector<std::string> m_waiting;
};

} // namespace vivavoce::ui
