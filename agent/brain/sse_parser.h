#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vivavoce::agent::brain {

/// One server-sent event.
struct SseEvent {
    /// "message" where the server named none.
    std::string type;
    std::string data;
};

/// Reads a stream of server-sent events that may be cut anywhere (WHATWG HTML §9.2.6): LF, CR and CRLF, comments, a leading
/// byte order mark, `data` over several lines. An event without data is dropped, and so is one that the end cuts off. Pure.
/// Invariant: holds at most kMaxEventBytes.
class SseParser {
public:
    using Sink = std::function<void(SseEvent)>;
    static constexpr std::size_t kMaxEventBytes = 1 << 20;

    explicit SseParser(Sink sink) : m_sink(std::move(sink)) {}

    /// ProviderMessageTooBig when a line or an event outgrows the bound; nothing may be fed after that.
    [[nodiscard]] core::Expected<void, core::Error> feed(std::string_view bytes);

private:
    void takeLine();

    Sink m_sink;
    std::string m_line;
    std::string m_type;
    std::string m_data;
    bool m_hasData = false;
    bool m_lastWasCr = false;
    bool m_isFirstLine = true;
};

} // namespace vivavoce::agent::brain
