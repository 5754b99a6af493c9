#include "net/internal/acknowledged.h"

#ifdef __linux__
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

#include <array>
#include <cstring>

namespace vivavoce::net {

std::optional<std::uint64_t> acknowledged(TcpSocket& socket)
{
#ifdef __linux__
    // tcpi_bytes_acked of linux/tcp.h, which cannot be included beside netinet/tcp.h; that one ends before it.
    constexpr std::size_t kOffset = 120;
    std::array<char, 256> info{};
    auto size = static_cast<socklen_t>(info.size());
    std::uint64_t bytes = 0;
    if (::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, info.data(), &size) == 0
        && size >= kOffset + sizeof(bytes)) {
        std::memcpy(&bytes, info.data() + kOffset, sizeof(bytes));
        return bytes;
    }
#else
    static_cast<void>(socket);
#endif
    return std::nullopt;
}

} // namespace vivavoce::net
