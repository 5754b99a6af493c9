#include "core/protocol/broker/messages.h"

#include "core/base/json.h"
#include "core/base/rfc3339.h"
#include "core/base/visible_ascii.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace vivavoce::core::broker {
namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestInstructions = 16 * 1024;

Unexpected<Error> bad(std::string_view field, std::string_view what)
{
    return fail(ErrorCode::BrokerMalformed, std::string(field) + " " + std::string(what));
}

Expected<Json, Error> parseObject(std::string_view text)
{
    auto parsed = parseJson(text);
    if (!parsed) {
        return bad("the body", "is not JSON: " + parsed.error().detail);
    }
    if (!parsed->is_object()) {
        return bad("the body", "is not a JSON object");
    }
    return std::move(*parsed);
}

/// Reads the fields of one object; the first fault stays.
class Fields {
public:
    explicit Fields(const Json& object, std::string prefix = {}) : m_object(object), m_prefix(std::move(prefix)) {}

    std::string text(const char* name)
    {
        const Json* value = required(name);
        if (value != nullptr && !value->is_string()) {
            fault(name, "is not a string");
            return {};
        }
        return value != nullptr ? value->get<std::string>() : std::string();
    }

    /// Printable ASCII without spaces.
    std::string plainText(const char* name)
    {
        std::string result = text(name);
        if (!isVisibleAscii(result)) {
            fault(name, "is not plain ASCII without spaces");
        }
        return result;
    }

    std::optional<std::string> optionalText(const char* name, std::size_t longest, bool mayHaveLines = false)
    {
        const Json* value = find(name);
        if (value == nullptr) {
            return std::nullopt;
        }
        if (!value->is_string()) {
            fault(name, "is not a string");
            return std::nullopt;
        }
        const auto& result = value->get_ref<const std::string&>();
        if (result.size() > longest) {
            fault(name, "is longer than " + std::to_string(longest) + " bytes");
        } else if (std::any_of(result.begin(), result.end(), [&](char c) { return isControl(c, mayHaveLines); })) {
            fault(name, "has a control character in it");
        }
        return result;
    }

    std::int64_t integer(const char* name)
    {
        const Json* value = required(name);
        if (value != nullptr && !value->is_number_integer()) {
            fault(name, "is not a whole number");
            return 0;
        }
        return value != nullptr ? value->get<std::int64_t>() : 0;
    }

    WallTime time(const char* name)
    {
        const auto parsed = parseRfc3339(text(name));
        if (!parsed) {
            fault(name, "is not an RFC 3339 time");
        }
        return parsed.value_or(WallTime{});
    }

    const Json& object(const char* name)
    {
        static const Json empty = Json::object();
        const Json* value = required(name);
        if (value != nullptr && !value->is_object()) {
            fault(name, "is not an object");
            value = nullptr;
        }
        return value != nullptr ? *value : empty;
    }

    void refuseOthers(std::span<const char* const> known)
    {
        for (const auto& item : m_object.items()) {
            const std::string& name = item.key();
            if (std::none_of(known.begin(), known.end(), [&](const char* k) { return name == k; })) {
                // A name is foreign text, and may be anything: only a tame one is repeated.
                const bool isTame = name.size() <= kLongestName
                    && std::none_of(name.begin(), name.end(), [](char c) { return isControl(c, false); });
                fault(isTame ? name.c_str() : "a field", "is not known");
            }
        }
    }

    const Json* find(const char* name) const
    {
        const auto found = m_object.find(name);
        return found == m_object.end() || found->is_null() ? nullptr : &*found;
    }

    void fault(std::string_view name, std::string_view what)
    {
        if (!m_fault) {
            m_fault = Error{
                ErrorCode::BrokerMalformed, m_prefix + std::string(name) + " " + std::string(what), std::nullopt, {}};
        }
    }
    [[nodiscard]] const std::optional<Error>& firstFault() const { return m_fault; }
    void adopt(const Fields& inner)
    {
        if (!m_fault) {
            m_fault = inner.m_fault;
        }
    }

private:
    static bool isControl(char c, bool mayHaveLines)
    {
        const auto u = static_cast<unsigned char>(c);
        return (u < 0x20 && !(mayHaveLines && (c == '\n' || c == '\t' || c == '\r'))) || u == 0x7F;
    }

    const Json* required(const char* name)
    {
        const Json* value = find(name);
        if (value == nullptr) {
            fault(name, "is missing");
        }
        return value;
    }

    const Json& m_object;
    std::string m_prefix;
    std::optional<Error> m_fault;
};

/// Sound that nobody could play is no sound.
SampleRate rateIn(Fields& audio, const char* name)
{
    const std::int64_t hz = audio.integer(name);
    const SampleRate rate(static_cast<std::uint32_t>(std::clamp<std::int64_t>(hz, 0, SampleRate::kHighest + 1)));
    if (!rate.isValid()) {
        audio.fault(name, "is out of range");
    }
    return rate;
}

void put(Json& object, const char* name, const std::optional<std::string>& value)
{
    if (value) {
        object[name] = *value;
    }
}

template <typename T>
Expected<T, Error> result(T value, const Fields& fields)
{
    if (fields.firstFault()) {
        return Unexpected<Error>(*fields.firstFault());
    }
    return value;
}

} // namespace

std::string encode(const TokenRequest& request)
{
    Json object = Json::object();
    put(object, "projectId", request.projectId);
    put(object, "clientInstance", request.clientInstance);
    put(object, "provider", request.provider);
    put(object, "model", request.model);
    put(object, "voice", request.voice);
    put(object, "instructions", request.instructions);
    put(object, "resumeSessionId", request.resumeSessionId);
    return writeJson(object);
}

std::string encode(const RefreshRequest& request)
{
    Json object = Json::object();
    put(object, "clientInstance", request.clientInstance);
    return writeJson(object);
}

std::string encode(const UsageReport& report)
{
    Json object{{"sessionId", report.sessionId}, {"connectedMs", report.connectedMs}, {"toolCalls", report.toolCalls}};
    put(object, "transcriptionModel", report.transcriptionModel);
    Json events = Json::array();
    for (const std::string& event : report.events) {
        events.push_back(parseJson(event).value_or(Json()));
    }
    object["events"] = std::move(events);
    return writeJson(object);
}

Expected<TokenRequest, Error> decodeTokenRequest(std::string_view text)
{
    const auto object = parseObject(text);
    if (!object) {
        return Unexpected<Error>(object.error());
    }
    Fields fields(*object);
    constexpr const char* known[] = {
        "projectId", "clientInstance", "provider", "model", "voice", "instructions", "resumeSessionId"};
    fields.refuseOthers(known);
    TokenRequest request;
    request.projectId = fields.optionalText("projectId", kLongestName);
    request.clientInstance = fields.optionalText("clientInstance", kLongestName);
    request.provider = fields.optionalText("provider", kLongestName);
    request.model = fields.optionalText("model", kLongestName);
    request.voice = fields.optionalText("voice", kLongestName);
    request.instructions = fields.optionalText("instructions", kLongestInstructions, true);
    request.resumeSessionId = fields.optionalText("resumeSessionId", kLongestName);
    return result(std::move(request), fields);
}

Expected<UsageReport, Error> decodeUsageReport(std::string_view text)
{
    const auto object = parseObject(text);
    if (!object) {
        return Unexpected<Error>(object.error());
    }
    Fields fields(*object);
    constexpr const char* known[] = {"sessionId", "connectedMs", "toolCalls", "transcriptionModel", "events"};
    fields.refuseOthers(known);
    UsageReport report;
    report.sessionId = fields.text("sessionId");
    report.connectedMs = fields.integer("connectedMs");
    report.toolCalls = fields.integer("toolCalls");
    report.transcriptionModel = fields.optionalText("transcriptionModel", kLongestName);
    if (report.sessionId.size() > kLongestName) {
        fields.fault("sessionId", "is too long");
    }
    for (const auto& [name, count] : {std::pair("connectedMs", report.connectedMs), {"toolCalls", report.toolCalls}}) {
        constexpr std::int64_t kMost = 1'000'000'000;
        if (count < 0 || count > kMost) {
            fields.fault(name, "is out of range");
        }
    }
    if (const Json* const events = fields.find("events")) {
        if (!events->is_array() || events->size() > kMostReportedEvents
            || !std::all_of(events->begin(), events->end(), [](const Json& event) { return event.is_object(); })) {
            fields.fault("events", "is not an array of at most 16 objects");
        } else {
            std::transform(events->begin(), events->end(), std::back_inserter(report.events),
                [](const Json& event) { return writeJson(event); });
        }
    }
    return result(std::move(report), fields);
}

Expected<RefreshRequest, Error> decodeRefreshRequest(std::string_view text)
{
    const auto object = parseObject(text);
    if (!object) {
        return Unexpected<Error>(object.error());
    }
    Fields fields(*object);
    constexpr const char* known[] = {"clientInstance"};
    fields.refuseOthers(known);
    RefreshRequest request;
    request.clientInstance = fields.optionalText("clientInstance", kLongestName);
    return result(std::move(request), fields);
}

std::string encode(const TokenResponse& response)
{
    Json limits = Json::object();
    if (response.limits.maxSessionSeconds) {
        limits["maxSessionSeconds"] = *response.limits.maxSessionSeconds;
    }
    const ConnectAudio& audio = response.connect.audio;
    Json sound{{"encoding", audio.encoding}, {"rate", audio.rates.input.hz()}};
    if (audio.rates.output != audio.rates.input) {
        sound["outputRate"] = audio.rates.output.hz();
    }
    Json object{{"tokenType", response.tokenType}, {"sessionId", response.sessionId}, {"expiresIn", response.expiresIn},
        {"expiresAt", formatRfc3339(response.expiresAt)}, {"refreshAfter", formatRfc3339(response.refreshAfter)},
        {"provider", response.provider}, {"model", response.model}, {"transport", response.transport},
        {"connect",
            {{"url", response.connect.url}, {"auth", response.connect.auth}, {"dialect", response.connect.dialect},
                {"audio", std::move(sound)}}},
        {"limits", std::move(limits)}};
    if (!response.connect.profile.empty()) {
        object["connect"]["profile"] = response.connect.profile;
    }
    if (response.areTranscriptsKept) {
        object["transcriptsKept"] = true;
    }
    object["token"] = response.token.reveal();
    std::string text = writeJson(object);
    wipeString(object["token"].get_ref<std::string&>());
    return text;
}

Expected<TokenResponse, Error> decodeTokenResponse(std::string_view text)
{
    auto object = parseObject(text);
    if (!object) {
        return Unexpected<Error>(object.error());
    }
    Fields fields(*object);
    TokenResponse response;
    std::string token = fields.plainText("token");
    response.token = Secret(token);
    wipeString(token);
    if (response.token.empty()) {
        fields.fault("token", "is empty");
    }
    response.tokenType = fields.text("tokenType");
    response.sessionId = fields.text("sessionId");
    response.expiresIn = fields.integer("expiresIn");
    if (response.expiresIn <= 0) {
        fields.fault("expiresIn", "is not positive");
    }
    response.expiresAt = fields.time("expiresAt");
    response.refreshAfter = fields.time("refreshAfter");
    response.provider = fields.text("provider");
    response.model = fields.text("model");
    // Brokers before the relay do not say.
    response.transport = fields.optionalText("transport", kLongestName).value_or("direct");
    if (response.transport != "direct" && response.transport != "relay") {
        fields.fault("transport", "is neither direct nor relay");
    }
    if (const Json* const kept = fields.find("transcriptsKept")) {
        response.areTranscriptsKept = kept->is_boolean() && kept->get<bool>();
        if (!kept->is_boolean()) {
            fields.fault("transcriptsKept", "is neither true nor false");
        }
    }
    Fields connect(fields.object("connect"), "connect.");
    response.connect.url = connect.plainText("url");
    response.connect.auth = connect.plainText("auth");
    response.connect.dialect = connect.text("dialect");
    response.connect.profile = connect.optionalText("profile", kLongestName).value_or(std::string());
    Fields audio(connect.object("audio"), "connect.audio.");
    response.connect.audio.encoding = audio.text("encoding");
    VoiceRates& rates = response.connect.audio.rates;
    rates.input = rateIn(audio, "rate");
    rates.output = audio.find("outputRate") != nullptr ? rateIn(audio, "outputRate") : rates.input;
    connect.adopt(audio);
    fields.adopt(connect);
    if (const Json* limits = fields.find("limits"); limits != nullptr && limits->is_object()) {
        Fields limitFields(*limits, "limits.");
        if (limitFields.find("maxSessionSeconds") != nullptr) {
            response.limits.maxSessionSeconds = limitFields.integer("maxSessionSeconds");
        }
        fields.adopt(limitFields);
    }
    if (auto found = object->find("token"); found != object->end() && found->is_string()) {
        wipeString(found->get_ref<std::string&>());
    }
    return result(std::move(response), fields);
}

std::string encode(const Problem& problem)
{
    Json object{{"type", problem.type}, {"title", problem.title}, {"status", problem.status},
        {"detail", problem.detail}, {"code", problem.code}};
    if (problem.retryAfter) {
        object["retryAfter"] = *problem.retryAfter;
    }
    if (!problem.violatedPolicies.empty()) {
        object["violated-policies"] = problem.violatedPolicies;
    }
    return writeJson(object);
}

Expected<Problem, Error> decodeProblem(std::string_view text)
{
    const auto object = parseObject(text);
    if (!object) {
        return Unexpected<Error>(object.error());
    }
    Fields fields(*object);
    Problem problem;
    problem.type = fields.optionalText("type", kLongestInstructions).value_or("about:blank");
    problem.title = fields.optionalText("title", kLongestInstructions).value_or(std::string());
    problem.detail = fields.optionalText("detail", kLongestInstructions, true).value_or(std::string());
    problem.code = fields.text("code");
    problem.status = static_cast<int>(fields.find("status") != nullptr ? fields.integer("status") : 0);
    if (fields.find("retryAfter") != nullptr) {
        problem.retryAfter = fields.integer("retryAfter");
    }
    return result(std::move(problem), fields);
}

} // namespace vivavoce::core::broker
