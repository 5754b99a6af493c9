#pragma once

#include "core/ports/device_catalog.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// The devices of one direction; first "whatever the system uses", unless there is none at all.
class DeviceModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")
    Q_PROPERTY(bool isEmpty READ isEmpty NOTIFY changed)

public:
    enum Role { DeviceId = Qt::UserRole + 1, Name };

    explicit DeviceModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    /// `chosenId` stays in the list where it is unplugged, so that the choice is not lost from sight.
    void setDevices(std::vector<core::SoundDevice> devices, const std::string& chosenId);
    [[nodiscard]] int rowOf(const std::string& deviceId) const;
    [[nodiscard]] std::string idAt(int row) const;
    /// No device is there, whatever was once chosen.
    [[nodiscard]] bool isEmpty() const { return m_isEmpty; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void changed();

private:
    struct Row {
        std::string id;
        QString name;
        bool operator==(const Row&) const = default;
    };
    std::vector<Row> m_rows;
    bool m_isEmpty = true;
};

} // namespace vivavoce::ui
