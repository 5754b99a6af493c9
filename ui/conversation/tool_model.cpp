#include "ui/conversation/tool_model.h"

#include <algorithm>

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
            Q_EMIT dataChanged(index(row), index(row), {IsRunning, HasFailed});
            return;
        }
    }
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
    case HasFailed:
        return row.hasFailed;
    default:
        return {};
    }
}

QHash<int, QByteArray> ToolModel::roleNames() const
{
    return {{Name, "name"}, {IsRunning, "isRunning"}, {HasFailed, "hasFailed"}};
}

} // namespace vivavoce::ui
