#pragma once

#include "core/ports/tool_catalog.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <vector>

namespace vivavoce::ui {

/// The programs that bring functions. A row keeps its place while the same programs are there.
class ToolServersModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")

public:
    enum Role { Name = Qt::UserRole + 1, CommandLine, Variables, State, IsApproved, HasFailed };

    explicit ToolServersModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    void set(std::vector<core::ToolServer> servers);
    [[nodiscard]] const core::ToolServer* at(int row) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

private:
    std::vector<core::ToolServer> m_servers;
};

} // namespace vivavoce::ui
