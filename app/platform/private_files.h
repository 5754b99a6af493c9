#pragma once

#include "core/ports/text_files.h"

namespace vivavoce::platform {

/// Files of mode 0600, written beside their place and renamed (QSaveFile). What is no plain file (a pipe, a device) is written to as it is.
/// Threads: the thread that made it.
class PrivateFiles final : public core::TextFiles {
public:
    [[nodiscard]] std::string usualFolder() const override;
    [[nodiscard]] bool exists(const std::string& path) const override;
    [[nodiscard]] core::Expected<void, core::Error> check(const std::string& path) const override;
    core::Expected<void, core::Error> write(const std::string& path, std::string_view text) override;
};

} // namespace vivavoce::platform
