#include "ui/settings/device_model.h"

#include <algorithm>

namespace vivavoce::ui {

void DeviceModel::setDevices(std::vector<core::SoundDevice> devices, const std::string& chosenId)
{
    std::vector<Row> rows;
    bool isChosenThere = chosenId.empty();
    for (const core::SoundDevice& device : devices) {
        if (rows.empty()) {
            rows.push_back({"", tr("As the system (%1)").arg(QString::fromStdString(device.name))});
        }
        rows.push_back({device.id, QString::fromStdString(device.name)});
        isChosenThere = isChosenThere || device.id == chosenId;
    }
    if (!isChosenThere && !rows.empty()) {
        rows.push_back({chosenId, tr("Your choice (not connected)")});
    }
    const bool isEmpty = devices.empty();
    if (rows == m_rows && isEmpty == m_isEmpty) {
        return;
    }
    beginResetModel();
    m_rows = std::move(rows);
    m_isEmpty = isEmpty;
    endResetModel();
    Q_EMIT changed();
}

int DeviceModel::rowOf(const std::string& deviceId) const
{
    const auto row = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& known) { return known.id == deviceId; });
    return row == m_rows.end() ? -1 : static_cast<int>(row - m_rows.begin());
}

std::string DeviceModel::idAt(int row) const
{
    return row >= 0 && row < rowCount() ? m_rows[static_cast<std::size_t>(row)].id : std::string();
}

int DeviceModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant DeviceModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case DeviceId:
        return QString::fromStdString(row.id);
    case Qt::DisplayRole:
    case Name:
        return row.name;
    default:
        return {};
    }
}

QHash<int, QByteArray> DeviceModel::roleNames() const
{
    return {{DeviceId, "deviceId"}, {Name, "name"}};
}

} // namespace vivavoce::ui
