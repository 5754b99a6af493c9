// The load of `./dev bench relay` and of the relay's soak: bench/peers/relay starts it and tells it what to do, a line each on its standard
// input; it answers with JSON. It ends with its input, and after an hour and a half at the latest.
#include "bench/relay/load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using std::chrono::milliseconds;
using vivavoce::bench::Load;

constexpr unsigned kLongest = 90 * 60;

void say(const std::string& json)
{
    std::cout << json << std::endl;
}

void allowManyFiles()
{
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/// PORT PATH SESSIONS [file with tokens]
void open(Load& load, std::istream& words)
{
    Load::Target target;
    std::size_t sessions = 0;
    std::string file;
    words >> target.port >> target.path >> sessions >> file;
    std::ifstream tokens(file);
    for (std::string token; std::getline(tokens, token);) {
        target.tokens.push_back(token);
    }
    const std::string failure = load.open(target, sessions);
    say(failure.empty() ? R"({"event":"open"})" : R"({"event":"failed","why":")" + failure + R"("})");
}

/// MESSAGES_A_SECOND BYTES MILLISECONDS
void run(Load& load, std::istream& words)
{
    double rate = 0;
    std::size_t bytes = 0;
    std::int64_t time = 0;
    words >> rate >> bytes >> time;
    const Load::Figures figures = load.run(
        rate, bytes, milliseconds(time), [](const char* what) { say(std::string(R"({"event":")") + what + R"("})"); });
    std::ostringstream json;
    json << R"({"event":"ran","sent":)" << figures.sent << R"(,"received":)" << figures.received << R"(,"misplaced":)"
         << figures.misplaced << R"(,"measured":)" << figures.measured << R"(,"p50":)" << figures.p50Us << R"(,"p99":)"
         << figures.p99Us << '}';
    say(json.str());
}

void obey(Load& load, const std::string& line)
{
    std::istringstream words(line);
    std::string verb;
    std::int64_t time = 0;
    words >> verb;
    if (verb == "open") {
        open(load, words);
    } else if (verb == "run") {
        run(load, words);
    } else if (verb == "stall") {
        words >> time;
        say(R"({"event":"stalled","taken":)" + std::to_string(load.stall(milliseconds(time))) + "}");
    } else if (verb == "wait") {
        words >> time;
        load.wait(milliseconds(time));
        say(R"({"event":"waited"})");
    } else if (verb == "close") {
        say(load.close() ? R"({"event":"closed"})" : R"({"event":"failed","why":"some sessions did not close"})");
    } else {
        say(R"({"event":"failed","why":"no such verb"})");
    }
}

} // namespace

int main()
{
    alarm(kLongest);
    allowManyFiles();
    Load load;
    say(R"({"event":"listening","port":)" + std::to_string(load.port()) + "}");
    for (std::string line; std::getline(std::cin, line);) {
        obey(load, line);
    }
    return 0;
}
