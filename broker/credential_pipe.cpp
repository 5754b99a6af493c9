#include "broker/credential_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::ErrorCode;
using Instant = std::chrono::steady_clock::time_point;

constexpr std::size_t kMaxLineBytes = 4096;

/// A buffer that leaves nothing behind.
struct LineBuffer {
    std::array<char, kMaxLineBytes> bytes{};
    std::size_t size = 0;
    ~LineBuffer() { core::Secret::wipe(bytes.data(), bytes.size()); }
};

/// One byte, so that nothing behind the line is taken; nothing at the end of the pipe.
core::Expected<char, core::Error> readByte(int fd, Instant deadline)
{
    while (true) {
        const auto left = std::chrono::ceil<core::Milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd waiting{fd, POLLIN, 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready == 0) {
            return core::fail(ErrorCode::Timeout, "no credential came through --credential-fd");
        }
        char letter = 0;
        const ssize_t count = ready > 0 ? ::read(fd, &letter, 1) : -1;
        if (count == 1) {
            return letter;
        }
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        return core::fail(ErrorCode::BadConfiguration, "--credential-fd ended before the credential was whole");
    }
}

core::Expected<core::Secret, core::Error> readLine(int fd, Instant deadline)
{
    LineBuffer line;
    while (true) {
        const auto letter = readByte(fd, deadline);
        if (!letter) {
            return core::Unexpected<core::Error>(letter.error());
        }
        if (*letter == '\n') {
            return core::Secret(std::string_view(line.bytes.data(), line.size));
        }
        if (line.size == line.bytes.size() || *letter <= 0x20 || *letter >= 0x7F) {
            return core::fail(
                ErrorCode::BadConfiguration, "--credential-fd: a line is at most 4096 visible ASCII characters");
        }
        line.bytes[line.size++] = *letter;
    }
}

} // namespace

core::Expected<std::vector<core::Secret>, core::Error> readCredentials(
    int fd, std::size_t lines, core::Milliseconds patience)
{
    const Instant deadline = std::chrono::steady_clock::now() + patience;
    std::vector<core::Secret> secrets;
    while (secrets.size() < lines) {
        auto line = readLine(fd, deadline);
        if (!line) {
            return core::Unexpected<core::Error>(line.error());
        }
        if (secrets.empty() && line->empty()) {
            return core::fail(ErrorCode::BadConfiguration, "--credential-fd: the first line is empty");
        }
        secrets.push_back(std::move(*line));
    }
    return secrets;
}

} // namespace vivavoce::broker
