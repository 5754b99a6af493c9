#pragma once

#include "core/ports/settings_store.h"

#include <QString>

namespace vivavoce::platform {

/// Settings in an INI file, written whole or not at all (QSettings writes beside it and renames).
/// Threads: the thread that made it.
class QtSettingsStore final : public core::SettingsStore {
public:
    explicit QtSettingsStore(QString file) : m_file(std::move(file)) {}
    /// Where this user's settings are: "…/vivavoce/vivavoce.ini".
    [[nodiscard]] static QString defaultFile();

    [[nodiscard]] core::Settings load() const override;
    /// Whether each limit and number in it is one; where not, load() takes it for one that nobody has set.
    [[nodiscard]] bool hasProperNumbers() const;
    core::Expected<void, core::Error> save(const core::Settings& settings) override;

private:
    QString m_file;
};

} // namespace vivavoce::platform
