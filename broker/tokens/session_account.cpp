#include "broker/tokens/session_account.h"

#include <utility>

namespace vivavoce::broker {

usage::Account accountOf(const SessionRecord& session, std::string provider, const Budgets& budgets)
{
    usage::Account account;
    account.sessionId = session.id;
    account.caller = session.caller;
    account.issuer = session.issuer;
    account.subject = session.subject;
    account.project = session.project;
    account.provider = std::move(provider);
    account.model = session.model;
    account.transport = transportText(session.transport);
    account.budgets = budgets;
    return account;
}

} // namespace vivavoce::broker
