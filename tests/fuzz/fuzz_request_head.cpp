// A connection's first bytes: where the block ends, whether it is let in, and that Beast then reads in it what we read.
#include "net/internal/header_block.h"
#include "tests/fuzz/property.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>

using namespace vivavoce;
using namespace vivavoce::net;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t kMaxBody = 1'000;

/// Byte by byte, in pieces and at once, the end is found at the same place.
HeaderScanner::State scanEverywhere(std::string_view received, std::size_t& size)
{
    HeaderScanner whole;
    const HeaderScanner::State state = whole.scan(received);
    size = whole.size();
    HeaderScanner drops;
    HeaderScanner::State last = HeaderScanner::State::Incomplete;
    for (std::size_t i = 1; i <= received.size() && last == HeaderScanner::State::Incomplete; ++i) {
        last = drops.scan(received.substr(0, i));
    }
    fuzz::require(last == state, "a block ends the same in drops and at once");
    fuzz::require(state != HeaderScanner::State::Complete || drops.size() == size, "and at the same byte");
    return state;
}

void compareWithBeast(std::string_view block, std::string_view behind)
{
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxBody);
    parser.header_limit(1 << 20);
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::const_buffer(block.data(), block.size()), error);
    if (error) {
        return;
    }
    fuzz::require(
        parser.is_header_done() && used == block.size(), "Beast reads a clean block to its end and no further");
    const auto& head = parser.get();
    fuzz::require(head.count(http::field::host) == 1, "a clean block has one host");
    fuzz::require(head.count(http::field::content_length) + head.count(http::field::transfer_encoding) <= 1,
        "a clean block is framed once");
    fuzz::require(head.count(http::field::transfer_encoding) == 0 || parser.chunked(), "every encoding is chunked");
    fuzz::require(
        head.count(http::field::content_length) == 0 || parser.content_length().has_value() || parser.is_done(),
        "every length is understood");
    if (!parser.is_done()) {
        parser.eager(true);
        std::string_view rest = behind;
        while (!error && !rest.empty() && !parser.is_done()) {
            const std::size_t taken = parser.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
            if (taken == 0) {
                break;
            }
            rest.remove_prefix(taken);
        }
        fuzz::require(parser.get().body().size() <= kMaxBody, "a body stays within its limit");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view received = fuzz::textOf(data, size);
    std::size_t end = 0;
    const auto state = scanEverywhere(received, end);
    if (state == HeaderScanner::State::Complete && isCleanHeaderBlock(received.substr(0, end))) {
        compareWithBeast(received.substr(0, end), received.substr(end));
    }
    // Also what the scanner would have stopped: no path may trust the other one.
    (void)isCleanHeaderBlock(received);
    return 0;
}
