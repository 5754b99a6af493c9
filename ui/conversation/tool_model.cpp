#include "ui/conversation/tool_model.h"

#include <algorithm>
#include <utility>

namespace vivavoce::ui {

void ToolModel::called(const core::ToolCall& call)
{
    if (count() == kMost) {
        beginRemoveRows({}, kMost - 1, kMost - 1);
        m_rows.pop_back();
        endRemoveRows();
    }
    beginInsertRows({}, 0, 0);
    m_rows.push_front({call.callId, QString::fromStdString(call.name), true, false});
    endInsertRows();
    Q_EMIT countChanged();
}

void ToolModel::done(const core::ToolCall& call, bool wasFine)
{
    for (int row = 0; row < count(); ++row) {
        Row& known = m_rows[static_cast<std::size_t>(row)];
        if (known.callId == call.callId && known.isRunning) {
            known.isRunning = false;
            known.hasFailed = !wasFine;
            Q_EMIT dataChanged(index(row), index(row), {IsRunning, IsWaiting, HasFailed});
            return;
        }
    }
}

void ToolModel::setWaiting(std::vector<std::string> callIds)
{
    if (callIds == m_waiting) {
        return;
    }
    m_waiting = std::move(callIds);
    if (!m_rows.empty()) {
        Q_EMIT dataChanged(index(0), index(count() - 1), {IsWaiting});
    }
}

bool ToolModel::isWaiting(const Row& row) const
{
    return row.isRunning && std::find(m_waiting.begin(), m_waiting.end(), row.callId) != m_waiting.end();
}

void ToolModel::clear()
{
    if (m_rows.empty()) {
        return;
    }
    beginResetModel();
    m_rows.clear();
    endResetModel();
    Q_EMIT countChanged();
}

QString ToolModel::runningName() const
{
    const auto running = std::find_if(m_rows.begin(), m_rows.end(), [](const Row& row) { return row.isRunning; });
    return running == m_rows.end() ? QString() : running->name;
}

int ToolModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant ToolModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Name:
        return row.name;
    case IsRunning:
        return row.isRunning;
    case IsWaiting:
        return isWaiting(row);
    case HasFailed:
        return row.hasFailed;
    default:
        return {};
    }
}

QHash<int, QByteArray> ToolModel::roleNames() const
{
    return {{Name, "name"}, {IsRunning, "isRunning"}, {IsWaiting, "isWaiting"}, {HasFailed, "hasFailed"}};
}

} // namespace vivavoce::ui
