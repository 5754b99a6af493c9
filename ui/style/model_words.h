#pragma once

#include "core/models/model_list.h"

#include <QString>

namespace vivavoce::ui {

/// "gpt-realtime is to be shut down on 2027-01-20, in 51 days. Its successor is gpt-realtime-2.1." Translated anew at each call.
[[nodiscard]] QString sunsetWords(const core::Sunset& sunset);

} // namespace vivavoce::ui
