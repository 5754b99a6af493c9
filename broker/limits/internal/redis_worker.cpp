#include "broker/limits/internal/redis_worker.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#ifndef _WIN32
#include <csignal>
#endif

namespace vivavoce::broker {
namespace {

using core::Unexpected;

/// One round trip carries so many: enough to keep up, few enough that the last of them is still in time.
constexpr std::size_t kJobsAtOnce = 128;

void blockBrokenPipeSignal()
{
#ifndef _WIN32
    // hiredis writes without MSG_NOSIGNAL: a Redis that has gone would end the whole process.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
#endif
}

void refuseAll(std::vector<RedisWorker::Job> jobs, const std::string& reason)
{
    for (RedisWorker::Job& job : jobs) {
        job.done(Unexpected<StoreDown>(StoreDown{reason}));
    }
}

} // namespace

RedisWorker::RedisWorker(RedisAddress address, Settings settings, std::vector<const char*> scripts, Log& log)
    : m_address(std::move(address)), m_settings(std::move(settings)), m_log(log)
{
    for (const char* const script : scripts) {
        m_scripts.push_back({script, {}});
    }
    m_thread = std::thread([this] { run(); });
}

RedisWorker::~RedisWorker()
{
    {
        const std::lock_guard lock(m_mutex);
        m_isStopping = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

std::optional<StoreDown> RedisWorker::submit(Job job)
{
    {
        const std::lock_guard lock(m_mutex);
        // Under the lock: who gets in here is seen by whoever clears the queue after the link was lost.
        if (m_link == Link::Down || m_isStopping) {
            return StoreDown{"Redis is away"};
        }
        if (m_jobs.size() >= m_settings.maxQueued) {
            return StoreDown{"too many wait for Redis"};
        }
        m_jobs.push_back(std::move(job));
    }
    m_wake.notify_one();
    return std::nullopt;
}

void RedisWorker::run()
{
    blockBrokenPipeSignal();
    core::Milliseconds wait = m_settings.firstPause;
    while (!isStopping()) {
        if (auto connected = connect(); !connected) {
            lose(connected.error());
            pause(wait);
            wait = std::min(2 * wait, m_settings.longestPause);
            continue;
        }
        wait = m_settings.firstPause;
        m_link = Link::Up;
        m_log.write(LogLevel::Info, "limits.redis_up", nlohmann::json::object());
        runUntilLost();
    }
    m_connection.reset();
    refuseAll(takeAll(), "the broker is going down");
}

void RedisWorker::runUntilLost()
{
    while (!isStopping()) {
        auto jobs = nextJobs();
        auto done = answer(std::move(jobs));
        if (!done) {
            m_connection.reset();
            lose(done.error());
            pause(m_settings.firstPause);
            return;
        }
    }
}

core::Expected<void, std::string> RedisWorker::connect()
{
    auto opened = RedisConnection::open(m_address, m_settings.deadline);
    if (!opened) {
        return Unexpected<std::string>(std::move(opened.error()));
    }
    for (Loaded& loaded : m_scripts) {
        auto answer = (*opened)->ask({"SCRIPT", "LOAD", loaded.script});
        if (!answer) {
            return Unexpected<std::string>("SCRIPT LOAD: " + answer.error());
        }
        loaded.hash = std::move(answer->text);
    }
    // A full Redis and a replica answer, but decide nothing.
    if (auto answer = (*opened)->ask({"SET", m_settings.probeKey, "1", "PX", "1000"}); !answer) {
        return Unexpected<std::string>("SET: " + answer.error());
    }
    m_connection = std::move(*opened);
    return {};
}

std::vector<RedisWorker::Job> RedisWorker::nextJobs()
{
    std::unique_lock lock(m_mutex);
    m_wake.wait_for(lock, m_settings.pingEvery, [this] { return !m_jobs.empty() || m_isStopping; });
    std::vector<Job> jobs;
    while (!m_jobs.empty() && jobs.size() < kJobsAtOnce) {
        jobs.push_back(std::move(m_jobs.front()));
        m_jobs.pop_front();
    }
    return jobs;
}

core::Expected<void, std::string> RedisWorker::answer(std::vector<Job> jobs)
{
    const Time now = std::chrono::steady_clock::now();
    const auto late =
        std::stable_partition(jobs.begin(), jobs.end(), [&](const Job& job) { return now < job.deadline; });
    std::vector<Job> tooLate(std::make_move_iterator(late), std::make_move_iterator(jobs.end()));
    jobs.erase(late, jobs.end());
    refuseAll(std::move(tooLate), "Redis did not answer in time");
    if (jobs.empty()) {
        auto answer = m_connection->ask({"PING"});
        return answer ? core::Expected<void, std::string>() : Unexpected<std::string>("PING: " + answer.error());
    }
    auto values = ask(jobs);
    if (!values) {
        refuseAll(std::move(jobs), values.error());
        return Unexpected<std::string>(std::move(values.error()));
    }
    core::Expected<void, std::string> result;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        RedisValue& value = (*values)[i];
        if (value.kind == RedisValue::Kind::Error) {
            result = Unexpected<std::string>(value.text);
            jobs[i].done(Unexpected<StoreDown>(StoreDown{value.text}));
        } else {
            jobs[i].done(std::move(value));
        }
    }
    return result;
}

RedisConnection::Command RedisWorker::commandOf(const Job& job, const std::string& count, bool isWhole) const
{
    RedisConnection::Command command;
    if (isWhole) {
        command = {"EVAL", job.script};
    } else {
        const auto loaded = std::find_if(
            m_scripts.begin(), m_scripts.end(), [&](const Loaded& known) { return known.script == job.script; });
        command = {"EVALSHA", loaded->hash};
    }
    command.emplace_back(count);
    command.insert(command.end(), job.keys.begin(), job.keys.end());
    command.insert(command.end(), job.arguments.begin(), job.arguments.end());
    return command;
}

core::Expected<std::vector<RedisValue>, std::string> RedisWorker::ask(const std::vector<Job>& jobs)
{
    std::vector<std::string> counts;
    counts.reserve(jobs.size());
    std::vector<RedisConnection::Command> commands;
    for (const Job& job : jobs) {
        counts.push_back(std::to_string(job.keys.size()));
        commands.push_back(commandOf(job, counts.back(), false));
    }
    auto values = m_connection->run(commands);
    if (!values) {
        return values;
    }
    // Somebody emptied Redis' memory of scripts: then the whole script goes there, which it keeps again.
    std::vector<std::size_t> unknown;
    commands.clear();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if ((*values)[i].kind == RedisValue::Kind::Error && (*values)[i].text == "NOSCRIPT") {
            unknown.push_back(i);
            commands.push_back(commandOf(jobs[i], counts[i], true));
        }
    }
    auto again = m_connection->run(commands);
    if (!again) {
        return again;
    }
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        (*values)[unknown[i]] = std::move((*again)[i]);
    }
    return values;
}

void RedisWorker::lose(const std::string& reason)
{
    // Told once, not at each attempt.
    if (m_link.exchange(Link::Down) != Link::Down) {
        m_log.write(LogLevel::Warning, "limits.redis_down", {{"reason", reason}});
    }
    refuseAll(takeAll(), reason);
}

void RedisWorker::pause(core::Milliseconds duration)
{
    std::unique_lock lock(m_mutex);
    m_wake.wait_for(lock, duration, [this] { return m_isStopping; });
}

std::vector<RedisWorker::Job> RedisWorker::takeAll()
{
    const std::lock_guard lock(m_mutex);
    std::vector<Job> jobs(std::make_move_iterator(m_jobs.begin()), std::make_move_iterator(m_jobs.end()));
    m_jobs.clear();
    return jobs;
}

bool RedisWorker::isStopping() const
{
    const std::lock_guard lock(m_mutex);
    return m_isStopping;
}

} // namespace vivavoce::broker
