#include "broker/store/connection.h"

#include <cassert>

namespace vivavoce::broker {

Connection::Run::Run(Connection& connection, const std::string& text)
    : m_connection(connection), m_text(text), m_kept(nullptr)
{
    auto found = connection.m_statements.find(text);
    if (found == connection.m_statements.end()) {
        auto kept = std::make_unique<Kept>(connection);
        kept->statement.alloc();
        kept->statement.prepare(text);
        found = connection.m_statements.emplace(text, std::move(kept)).first;
    }
    m_kept = found->second.get();
    assert(!m_kept->isRunning);
    m_kept->isRunning = true;
}

Connection::Run::~Run()
{
    if (m_kept->isRunning || m_connection.m_statements.size() > kMostKept) {
        m_connection.m_statements.erase(m_text);
    }
}

/// What was bound to it is gone soon.
void Connection::Run::finish()
{
    m_kept->statement.bind_clean_up();
    m_kept->isRunning = false;
}

} // namespace vivavoce::broker
