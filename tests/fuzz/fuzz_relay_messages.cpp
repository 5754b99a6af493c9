#include "broker/relay/client_message_check.h"
#include "broker/relay/internal/message_scan.h"
#include "broker/relay/session_meter.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <memory>
#include <string>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

/// No bill takes anything back.
void meterOf(const relay::MessageScan& scan, const std::string& text)
{
    static const auto prices = std::make_shared<const core::PriceList>(core::PriceList::builtIn());
    relay::SessionMeter meter({"gpt-realtime", prices, core::WallTime(), false});
    const auto bill = meter.read(scan, text);
    for (const usage::Measure measure : usage::allMeasures()) {
        if ((bill && bill->amounts[measure] < 0) || meter.stream(core::Milliseconds(1))[measure] < 0) {
            std::abort();
        }
    }
}

} // namespace

/// What the relay lets through means the same to another reader: neither its type nor what is locked differs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    const auto other = core::parseJson(text);
    const relay::MessageScan scan = relay::scanMessage(text);
    meterOf(scan, text);
    if (scan.fault.empty() && other) {
        const auto type = other->find("type");
        if (type == other->end() || !type->is_string() || type->get_ref<const std::string&>() != scan.type) {
            std::abort();
        }
    }
    relay::Locks locks;
    locks.model = "gpt-realtime";
    locks.areInstructionsFixed = true;
    net::WebSocketMessage message;
    message.data = text;
    const relay::Verdict verdict = relay::ClientMessageCheck(locks).look(message);
    const bool isUpdate = other && other->is_object() && other->value("type", core::Json()) == "session.update";
    if (verdict.kind == relay::Verdict::Kind::Pass && isUpdate) {
        const auto session = other->value("session", core::Json::object());
        if (session.is_object()
            && (session.contains("instructions")
                || session.value("model", core::Json("gpt-realtime")) != "gpt-realtime")) {
            std::abort();
        }
    }
    if (message.data != text) {
        std::abort();
    }
    return 0;
}
