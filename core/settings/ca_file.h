#pragma once

#include <functional>
#include <optional>
#include <string>

namespace vivavoce::core {

enum class CaFileFault {
    /// It is not there, is no file, or may not be read.
    Unreadable,
    Empty,
    /// It holds no certificate in PEM form.
    NotPem,
    /// Every one of them has run out.
    Expired,
};

/// Judges a file of authorities (PEM); nothing where it will do.
using CheckCaFile = std::function<std::optional<CaFileFault>(const std::string& path)>;

} // namespace vivavoce::core
