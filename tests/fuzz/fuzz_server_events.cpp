// Events of a provider, as a client reads them: whatever they hold, what was read can be written and read again.
#include "core/protocol/openai/codec.h"
#include "tests/fuzz/property.h"

using namespace vivavoce;
using namespace vivavoce::core::openai;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::textOf(data, size);
    if (const auto event = decodeServerEvent(text)) {
        const std::string once = encode(*event);
        const auto again = decodeServerEvent(once);
        fuzz::require(again.has_value(), "a server event that was read can be written and read again");
        fuzz::require(encode(*again) == once, "a server event is the same after another round");
    } else {
        fuzz::require(fuzz::isTame(event.error().message), "an error's text is one line");
    }
    for (const Dialect dialect : {Dialect::Ga, Dialect::Beta}) {
        if (const auto event = decodeClientEvent(text, dialect)) {
            const std::string once = encode(*event, dialect);
            const auto again = decodeClientEvent(once, dialect);
            fuzz::require(again.has_value(), "a client event that was read can be written and read again");
            fuzz::require(encode(*again, dialect) == once, "a client event is the same after another round");
        }
    }
    return 0;
}
