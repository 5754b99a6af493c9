#include "broker/projects/policy.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// In the order of the narrower one, which so chooses the default.
void narrow(Allowed& wide, const Allowed& by)
{
    if (!by) {
        return;
    }
    std::vector<std::string> both = *by;
    if (wide) {
        std::erase_if(both, [&](const std::string& name) { return !holds(*wide, name); });
    }
    wide = std::move(both);
}

template <typename T>
void narrow(std::optional<T>& wide, const std::optional<T>& by)
{
    if (by) {
        wide = wide ? std::min(*wide, *by) : *by;
    }
}

/// Whether what was asked for is one of them; the first one where nothing was.
bool choose(const Allowed& allowed, std::optional<std::string>& asked)
{
    if (!allowed) {
        return true;
    }
    if (!asked && !allowed->empty()) {
        asked = allowed->front();
    }
    return asked && holds(*allowed, *asked);
}

Fault notAllowed(const char* what)
{
    return {FaultCode::NotAllowed, what, std::nullopt};
}

} // namespace

Policy narrowed(Policy wide, const Policy& by)
{
    narrow(wide.providers, by.providers);
    narrow(wide.models, by.models);
    narrow(wide.voices, by.voices);
    narrow(wide.tools, by.tools);
    wide.isRelayed = wide.isRelayed || by.isRelayed;
    for (const auto budget : {&Budgets::userDay, &Budgets::userMonth, &Budgets::projectDay, &Budgets::projectMonth}) {
        narrow((wide.budgets.*budget).nanoDollars, (by.budgets.*budget).nanoDollars);
        narrow((wide.budgets.*budget).connected, (by.budgets.*budget).connected);
    }
    // Of yes and no, no is the narrower.
    narrow(wide.transcripts, by.transcripts);
    narrow(wide.transcriptDays, by.transcriptDays);
    narrow(wide.longestSession, by.longestSession);
    narrow(wide.sessionsOfProject, by.sessionsOfProject);
    narrow(wide.sessionsOfUser, by.sessionsOfUser);
    if (by.instructions) {
        wide.instructions = by.instructions;
    }
    return wide;
}

std::optional<Fault> apply(const Policy& policy, const std::string& provider, core::broker::TokenRequest& request)
{
    if (policy.providers && !holds(*policy.providers, provider)) {
        return notAllowed("provider is not one of those that are allowed here");
    }
    if (!choose(policy.models, request.model)) {
        return notAllowed("model is not one of those that are allowed here");
    }
    if (!choose(policy.voices, request.voice)) {
        return notAllowed("voice is not one of those that are allowed here");
    }
    if (policy.instructions && request.instructions) {
        return notAllowed("instructions are the operator's here");
    }
    if (policy.instructions) {
        request.instructions = policy.instructions;
    }
    return std::nullopt;
}

} // namespace vivavoce::broker
