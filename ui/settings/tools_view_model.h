#pragma once

#include "core/ports/tool_catalog.h"
#include "ui/settings/tool_rules_model.h"
#include "ui/settings/tool_servers_model.h"

#include <QObject>
#include <QStringList>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// What a person decides of the functions that the agent may ask for.
/// Lifetime: the catalogue outlives it.
class ToolsViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")
    Q_PROPERTY(bool isThere READ isThere CONSTANT)
    Q_PROPERTY(vivavoce::ui::ToolRulesModel* rules READ rules CONSTANT)
    Q_PROPERTY(vivavoce::ui::ToolServersModel* servers READ servers CONSTANT)
    /// Functions that are left out or not checked in full, a line each.
    Q_PROPERTY(QString remarks READ remarks NOTIFY changed)
    Q_PROPERTY(QString file READ file NOTIFY fileChanged)
    /// Why it is not used, or not any more; empty: it is.
    Q_PROPERTY(QString fileFault READ fileFault NOTIFY changed)

public:
    /// Null: there are no functions to decide on.
    explicit ToolsViewModel(core::ToolCatalog* catalog, QObject* parent = nullptr);

    Q_INVOKABLE void decide(int row, int policy);
    /// Whether it is one; otherwise `fileFault` says why not, and nothing changes.
    Q_INVOKABLE bool useFile(const QString& file);
    Q_INVOKABLE void forgetFault();
    /// What that row shows may be started, now and with the program.
    Q_INVOKABLE void approve(int row);
    Q_INVOKABLE void withdraw(int row);
    Q_INVOKABLE void startAgain(int row);

    [[nodiscard]] bool isThere() const { return m_catalog != nullptr; }
    [[nodiscard]] ToolRulesModel* rules() { return &m_rules; }
    [[nodiscard]] ToolServersModel* servers() { return &m_servers; }
    [[nodiscard]] QString remarks() const;
    [[nodiscard]] QString file() const { return m_file; }
    [[nodiscard]] QString fileFault() const;

Q_SIGNALS:
    void changed();
    void fileChanged();

private:
    void read();

    core::ToolCatalog* m_catalog;
    ToolRulesModel m_rules;
    ToolServersModel m_servers;
    QString m_file;
    QString m_fault;
};

} // namespace vivavoce::ui
