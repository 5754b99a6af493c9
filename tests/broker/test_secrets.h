#pragma once

namespace vivavoce::tests {

/// What a broker of the tests signs with: as strong as an operator's has to be, so no test depends on a weak one getting through.
inline constexpr const char* kTestSecret = "zmBnzXjcWi_FkC75UDGxUvbqxLxdWU5d9kUL8ZXbbGjKY8gk_WYNm06Dldz9VVsa";
/// Another one.
inline constexpr const char* kOtherTestSecret = "UCulNQXtSj-1ZXTSrThir_9ePXeLquuR-dx_1H6vF1EDSyYpQLF0g3BM0hvdnHp3";

} // namespace vivavoce::tests
