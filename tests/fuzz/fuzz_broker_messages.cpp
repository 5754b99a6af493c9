// Bodies of requests to the broker and of its answers.
#include "core/protocol/broker/health.h"
#include "core/protocol/broker/messages.h"
#include "tests/fuzz/property.h"

using namespace vivavoce;
using namespace vivavoce::core::broker;

namespace {

template <typename Decode>
void roundTrip(std::string_view text, Decode decode)
{
    const auto message = decode(text);
    if (!message) {
        fuzz::require(fuzz::isTame(message.error().detail), "an error's text is one line");
        return;
    }
    const std::string once = encode(*message);
    const auto again = decode(once);
    fuzz::require(again.has_value(), "what was read can be written and read again");
    fuzz::require(encode(*again) == once, "it is the same after another round");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::textOf(data, size);
    roundTrip(text, &decodeTokenRequest);
    roundTrip(text, &decodeRefreshRequest);
    roundTrip(text, &decodeTokenResponse);
    roundTrip(text, &decodeProblem);
    roundTrip(text, &decodeHealth);
    return 0;
}
