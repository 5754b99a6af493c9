#pragma once

#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// [invoices] and [[invoices.recipients]] of the TOML file.
[[nodiscard]] Written readInvoiceKey(std::string_view key, toml::node& node, Config& config);
void readRecipients(std::string_view key, toml::node& node, Config& config, Problems& problems);

/// What can stand in a table of [[invoices.recipients]].
[[nodiscard]] std::vector<std::string> recipientKeys();

/// What has to go together.
void checkInvoices(const Config& config, Problems& problems);
void printInvoices(const Config& config, toml::table& table);

} // namespace vivavoce::broker
