#pragma once

#include "core/ports/tool_catalog.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <vector>

namespace vivavoce::ui {

/// The functions that the agent may ask for, and whether they run. A row keeps its place while the same functions are there.
class ToolRulesModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")

public:
    enum Role { Name = Qt::UserRole + 1, Source, Description, Policies, Policy };

    explicit ToolRulesModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    void set(std::vector<core::OfferedTool> tools);
    /// What row `policy` of its `policies` stands for.
    [[nodiscard]] core::ToolPolicy policyAt(int row, int policy) const;
    [[nodiscard]] std::string nameAt(int row) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

private:
    std::vector<core::OfferedTool> m_tools;
};

} // namespace vivavoce::ui
