#include "broker/store/connection.h"

namespace vivavoce::broker {

Connection::Run::Run(Connection& connection, const std::string& text) : m_connection(connection)
{
    auto found = connection.m_statements.find(text);
    if (found == connection.m_statements.end()) {
        auto statement = std::make_unique<soci::statement>(connection);
        statement->alloc();
        statement->prepare(text);
        found = connection.m_statements.emplace(text, std::move(statement)).first;
    }
    m_statement = found;
}

Connection::Run::~Run()
{
    if (!m_isFinished || m_connection.m_statements.size() > kMostKept) {
        m_connection.m_statements.erase(m_statement);
    }
}

/// What was bound to it is gone soon.
void Connection::Run::finish()
{
    m_statement->second->bind_clean_up();
    m_isFinished = true;
}

} // namespace vivavoce::broker
