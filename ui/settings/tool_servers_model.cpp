#include "ui/settings/tool_servers_model.h"

#include <QStringList>

#include <algorithm>

namespace vivavoce::ui {
namespace {

using Stage = core::ToolServer::Stage;

} // namespace

void ToolServersModel::set(std::vector<core::ToolServer> servers)
{
    const bool isSame = std::equal(servers.begin(), servers.end(), m_servers.begin(), m_servers.end(),
        [](const auto& a, const auto& b) { return a.name == b.name; });
    if (!isSame) {
        beginResetModel();
        m_servers = std::move(servers);
        endResetModel();
        return;
    }
    m_servers = std::move(servers);
    if (!m_servers.empty()) {
        Q_EMIT dataChanged(index(0), index(rowCount() - 1));
    }
}

const core::ToolServer* ToolServersModel::at(int row) const
{
    return row >= 0 && row < rowCount() ? &m_servers[static_cast<std::size_t>(row)] : nullptr;
}

int ToolServersModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_servers.size());
}

QVariant ToolServersModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::ToolServer& server = m_servers[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Name:
        return QString::fromStdString(server.name);
    case CommandLine:
        return QString::fromStdString(server.commandLine);
    case Variables: {
        QStringList names;
        for (const std::string& name : server.environment) {
            names << QString::fromStdString(name);
        }
        return names.isEmpty() ? QString() : tr("It is given: %1").arg(names.join(QStringLiteral(", ")));
    }
    case State:
        switch (server.stage) {
        case Stage::NotApproved:
            return tr("Not started: you have not allowed it");
        case Stage::Off:
            return tr("Not running");
        case Stage::Starting:
            return tr("Starting…");
        case Stage::Ready:
            return tr("Running");
        case Stage::Failed:
            return tr("Stopped: %1").arg(server.error ? QString::fromStdString(server.error->detail) : QString());
        }
        return {};
    case IsApproved:
        return server.stage != Stage::NotApproved;
    case HasFailed:
        return server.stage == Stage::Failed;
    default:
        return {};
    }
}

QHash<int, QByteArray> ToolServersModel::roleNames() const
{
    return {{Name, "name"}, {CommandLine, "commandLine"}, {Variables, "variables"}, {State, "serverState"},
        {IsApproved, "isApproved"}, {HasFailed, "hasFailed"}};
}

} // namespace vivavoce::ui
