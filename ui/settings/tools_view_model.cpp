#include "ui/settings/tools_view_model.h"

#include <QPointer>

#include <string>
#include <utility>

namespace vivavoce::ui {

ToolsViewModel::ToolsViewModel(core::ToolCatalog* catalog, QObject* parent) : QObject(parent), m_catalog(catalog)
{
    if (m_catalog != nullptr) {
        m_catalog->follow([self = QPointer(this)] {
            if (self != nullptr) {
                self->read();
            }
        });
        read();
    }
}

void ToolsViewModel::read()
{
    m_rules.set(m_catalog->tools());
    m_servers.set(m_catalog->servers());
    const QString file = QString::fromStdString(m_catalog->file());
    if (std::exchange(m_file, file) != file) {
        Q_EMIT fileChanged();
    }
    Q_EMIT changed();
}

void ToolsViewModel::decide(int row, int policy)
{
    const std::string name = m_rules.nameAt(row);
    if (!name.empty()) {
        m_catalog->decide(name, m_rules.policyAt(row, policy));
    }
}

bool ToolsViewModel::useFile(const QString& file)
{
    const auto used = m_catalog->useFile(file.trimmed().toStdString());
    m_fault = used ? QString() : QString::fromStdString(used.error().detail);
    Q_EMIT changed();
    return used.has_value();
}

void ToolsViewModel::forgetFault()
{
    if (!m_fault.isEmpty()) {
        m_fault.clear();
        Q_EMIT changed();
    }
}

void ToolsViewModel::approve(int row)
{
    if (const core::ToolServer* server = m_servers.at(row)) {
        // Copies: the rows are others as soon as it is done.
        m_catalog->approve(std::string(server->name), std::string(server->fingerprint));
    }
}

void ToolsViewModel::withdraw(int row)
{
    if (const core::ToolServer* server = m_servers.at(row)) {
        m_catalog->withdraw(std::string(server->name));
    }
}

void ToolsViewModel::startAgain(int row)
{
    if (const core::ToolServer* server = m_servers.at(row)) {
        m_catalog->startAgain(std::string(server->name));
    }
}

QString ToolsViewModel::remarks() const
{
    QStringList lines;
    if (m_catalog != nullptr) {
        for (const std::string& remark : m_catalog->remarks()) {
            lines << QString::fromStdString(remark);
        }
    }
    return lines.join(QLatin1Char('\n'));
}

QString ToolsViewModel::fileFault() const
{
    if (!m_fault.isEmpty() || m_catalog == nullptr) {
        return m_fault;
    }
    const auto fault = m_catalog->fileFault();
    return fault ? QString::fromStdString(fault->detail) : QString();
}

} // namespace vivavoce::ui
