#include "broker/log.h"

#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>

namespace vivavoce::broker {
namespace {

std::string_view levelName(LogLevel level)
{
    switch (level) {
    case LogLevel::Error:
        return "error";
    case LogLevel::Warning:
        return "warning";
    case LogLevel::Info:
        return "info";
    case LogLevel::Debug:
        return "debug";
    }
    return "error";
}

class SpdLog final : public Log {
public:
    explicit SpdLog(const std::atomic<LogLevel>& atMost)
        : m_atMost(atMost), m_logger("broker", std::make_shared<spdlog::sinks::stderr_sink_mt>())
    {
        m_logger.set_pattern("%v");
        m_logger.flush_on(spdlog::level::info);
    }

    void write(LogLevel level, std::string_view event, const nlohmann::json& fields) override
    {
        if (level > m_atMost) {
            return;
        }
        core::Json line = fields.is_object() ? fields : core::Json::object();
        line["time"] = core::formatRfc3339(std::chrono::system_clock::now());
        line["level"] = levelName(level);
        line["event"] = event;
        m_logger.info(core::writeJson(line));
    }

private:
    const std::atomic<LogLevel>& m_atMost;
    spdlog::logger m_logger;
};

} // namespace

std::unique_ptr<Log> makeStderrLog(const std::atomic<LogLevel>& atMost)
{
    return std::make_unique<SpdLog>(atMost);
}

} // namespace vivavoce::broker
