#include "ui/settings/tool_rules_model.h"

#include "core/tools/readable_text.h"

#include <QStringList>

#include <algorithm>

namespace vivavoce::ui {

void ToolRulesModel::set(std::vector<core::OfferedTool> tools)
{
    const bool isSame =
        std::equal(tools.begin(), tools.end(), m_tools.begin(), m_tools.end(), [](const auto& a, const auto& b) {
            return a.name == b.name && a.source == b.source && a.alwaysAsks == b.alwaysAsks;
        });
    if (!isSame) {
        beginResetModel();
        m_tools = std::move(tools);
        endResetModel();
        return;
    }
    m_tools = std::move(tools);
    if (!m_tools.empty()) {
        Q_EMIT dataChanged(index(0), index(rowCount() - 1), {Description, Policy});
    }
}

core::ToolPolicy ToolRulesModel::policyAt(int row, int policy) const
{
    const bool alwaysAsks = m_tools.at(static_cast<std::size_t>(row)).alwaysAsks;
    return static_cast<core::ToolPolicy>(std::clamp(policy + (alwaysAsks ? 1 : 0), 0, 2));
}

std::string ToolRulesModel::nameAt(int row) const
{
    return row >= 0 && row < rowCount() ? m_tools[static_cast<std::size_t>(row)].name : std::string();
}

int ToolRulesModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_tools.size());
}

QVariant ToolRulesModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::OfferedTool& tool = m_tools[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Name:
        return QString::fromStdString(tool.name);
    case Source:
        return QString::fromStdString(tool.source);
    case Description:
        return QString::fromStdString(
            core::readableText(QString::fromStdString(tool.description).simplified().toStdString()));
    case Policies:
        return tool.alwaysAsks ? QStringList{tr("Asks"), tr("Never")}
                               : QStringList{tr("Always"), tr("Asks"), tr("Never")};
    case Policy:
        return static_cast<int>(tool.policy) - (tool.alwaysAsks ? 1 : 0);
    default:
        return {};
    }
}

QHash<int, QByteArray> ToolRulesModel::roleNames() const
{
    return {
        {Name, "name"}, {Source, "source"}, {Description, "description"}, {Policies, "policies"}, {Policy, "policy"}};
}

} // namespace vivavoce::ui
