#pragma once

class QUrl;

namespace vivavoce::platform {

/// Whether plain `http:` or `ws:` may be used: only to this machine, named by a literal loopback address or "localhost".
[[nodiscard]] bool isLoopback(const QUrl& url);

} // namespace vivavoce::platform
