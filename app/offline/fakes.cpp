#include "app/offline/fakes.h"

#include <QTimer>

#include <algorithm>
#include <cmath>

namespace vivavoce::offline {
namespace {

using namespace core;
namespace notice = core::session_notice;

constexpr const char* kAnswers[] = {
    "It is a quarter past nine. You have the whole morning before you.",
    "A string sounds an octave higher when you halve it, a fifth higher when you take two thirds of it.",
    "That would be 42 kilometres, a little over 26 miles.",
};
constexpr const char* kQuestions[] = {
    "What time is it?", "Why does a string sound higher when it is shorter?", "How long is a marathon?"};

openai::Usage usage(std::int64_t turn)
{
    openai::Usage used;
    used.inputDetails =
        openai::InputTokenDetails{120 * turn, {90, 210 + 160 * turn, 0}, openai::TokenCounts{60, 120 * turn, 0}};
    used.outputDetails = openai::TokenCounts{36 + turn, 310, 0};
    return used;
}

double wave(int look, double base, double depth)
{
    return base + depth * std::sin(look * 0.7) * std::cos(look * 0.23);
}

} // namespace

std::vector<SoundDevice> FakeDevices::devices(SoundDirection direction) const
{
    std::vector<SoundDevice> found;
    std::copy_if(m_devices.begin(), m_devices.end(), std::back_inserter(found),
        [direction](const SoundDevice& device) { return device.direction == direction; });
    return found;
}

core::Expected<void, core::Error> FakeHistory::state() const
{
    return m_isBroken ? core::fail(ErrorCode::HistoryFailed, "made up") : core::Expected<void, core::Error>();
}

core::Expected<void, core::Error> FakeHistory::put(
    const ConversationHead& head, const TranscriptLine& line, std::string_view nextItemId)
{
    auto kept = std::find_if(m_kept.begin(), m_kept.end(), [&](const Kept& each) { return each.head.id == head.id; });
    if (kept == m_kept.end()) {
        kept = m_kept.insert(m_kept.begin(), Kept{head, {}});
    }
    const auto place = [&](std::string_view id) {
        return std::find_if(kept->lines.begin(), kept->lines.end(),
            [id](const TranscriptLine& each) { return each.entry.itemId == id; });
    };
    if (const auto known = place(line.entry.itemId); known != kept->lines.end()) {
        *known = line;
    } else {
        kept->lines.insert(place(nextItemId), line);
    }
    return state();
}

core::Expected<void, core::Error> FakeHistory::drop(const std::string& id, const std::string& itemId)
{
    for (Kept& kept : m_kept) {
        if (kept.head.id == id) {
            std::erase_if(kept.lines, [&](const TranscriptLine& each) { return each.entry.itemId == itemId; });
        }
    }
    return state();
}

core::Expected<std::vector<SavedConversation>, core::Error> FakeHistory::find(const std::string& words)
{
    if (auto now = state(); !now) {
        return core::Unexpected<core::Error>(now.error());
    }
    std::vector<SavedConversation> found;
    for (const Kept& kept : m_kept) {
        const auto line = std::find_if(kept.lines.begin(), kept.lines.end(),
            [&](const TranscriptLine& each) { return each.entry.text.find(words) != std::string::npos; });
        if (line != kept.lines.end()) {
            found.push_back({kept.head, kept.lines.back().end, static_cast<int>(kept.lines.size()), line->entry.text});
        }
    }
    return found;
}

core::Expected<Transcript, core::Error> FakeHistory::open(const std::string& id)
{
    for (const Kept& kept : m_kept) {
        if (kept.head.id == id) {
            return Transcript{kept.head.startedAt, kept.head.model, kept.lines};
        }
    }
    return core::fail(ErrorCode::HistoryFailed, "there is none");
}

core::Expected<void, core::Error> FakeHistory::remove(const std::string& id)
{
    std::erase_if(m_kept, [&](const Kept& each) { return each.head.id == id; });
    return state();
}

core::Expected<void, core::Error> FakeHistory::removeAll()
{
    m_kept.clear();
    return state();
}

core::Expected<std::string, core::Error> FakeHistory::makeSound(const std::string& id, core::SoundFormat)
{
    return "/sound/" + id;
}

std::optional<core::SavedSound> FakeHistory::sound(const std::string& id)
{
    const auto kept = std::find_if(m_kept.begin(), m_kept.end(), [&](const Kept& each) { return each.head.id == id; });
    if (kept == m_kept.end() || !kept->head.soundStart) {
        return std::nullopt;
    }
    return core::SavedSound{m_isSoundLost ? std::string() : "/sound/" + id, *kept->head.soundStart};
}

void FakePlayer::play(const std::string&, core::Milliseconds from)
{
    m_status = {true, from + Milliseconds{2'300}, Milliseconds{78'000}, std::nullopt};
    tell();
}

void FakePlayer::stop()
{
    m_status.isPlaying = false;
    tell();
}

void FakePlayer::tell() const
{
    for (const auto& follower : m_followers) {
        follower();
    }
}

void FakeHistory::fill()
{
    for (std::size_t i = 0; i < std::size(kAnswers); ++i) {
        // 2026-11-27 and the days after it.
        const ConversationHead head{"kept_" + std::to_string(i),
            WallTime{std::chrono::seconds{1'795'770'000 + 86'400 * static_cast<int>(i)}}, "gpt-realtime-2.1-mini",
            Milliseconds{0}};
        TranscriptLine question{
            {"q", Speaker::User, kQuestions[i], true, false}, Milliseconds{2'000}, Milliseconds{4'000}};
        TranscriptLine answer{
            {"r", Speaker::Assistant, kAnswers[i], true, i == 0}, Milliseconds{5'000}, Milliseconds{11'000}};
        answer.entry.wasHeard(i == 0 ? 0.6 : 1);
        answer.entry.text = std::string(answer.entry.heardText());
        answer.entry.heardBytes.reset();
        TranscriptLine thanks{{"t", Speaker::User, "Thank you. That is all for today.", true, false},
            Milliseconds{74'000}, Milliseconds{76'000}};
        for (const TranscriptLine& line : {question, answer, thanks}) {
            static_cast<void>(put(head, line, {}));
        }
    }
}

core::Expected<void, core::Error> FakeFiles::check(const std::string& path) const
{
    return path.starts_with('/') ? core::Expected<void, core::Error>()
                                 : core::fail(ErrorCode::OutputUnwritable, path + " is nowhere");
}

core::Expected<void, core::Error> FakeFiles::write(const std::string& path, std::string_view)
{
    m_written = path;
    return {};
}

std::optional<CaFileFault> checkCaFile(const std::string& path)
{
    return path.ends_with("old.pem") ? std::optional(CaFileFault::Expired)
        : path.ends_with(".pem")     ? std::nullopt
                                     : std::optional(CaFileFault::NotPem);
}

void FakeAccount::start(Way way)
{
    core::SignInStatus status;
    status.stage = way == Way::Browser ? core::SignInStatus::Stage::WaitingForBrowser
                                       : core::SignInStatus::Stage::WaitingForDevice;
    status.offersDevice = true;
    status.userCode = "WDJB-MJHT";
    status.verificationUrl = "https://login.example/device";
    become(std::move(status));
}

void FakeAccount::openAgain()
{
    core::SignInStatus status;
    status.stage = core::SignInStatus::Stage::SignedIn;
    status.name = "Ada Lovelace";
    become(std::move(status));
}

void FakeAccount::become(core::SignInStatus status)
{
    m_status = std::move(status);
    for (const Follower& follower : m_followers) {
        follower(m_status);
    }
}

void FakeTools::decide(const std::string& tool, ToolPolicy policy)
{
    for (OfferedTool& offered : m_tools) {
        if (offered.name == tool) {
            offered.policy = policy;
        }
    }
    tell();
}

Expected<void, Error> FakeTools::useFile(const std::string& file)
{
    if (!file.empty() && !file.ends_with(".json")) {
        return fail(ErrorCode::BadConfiguration, file + ": it has no object \"mcpServers\"");
    }
    m_file = file;
    m_servers.clear();
    tell();
    return {};
}

void FakeTools::bringServers()
{
    using Stage = ToolServer::Stage;
    m_file = "/home/ada/.config/mcp.json";
    m_tools.push_back(
        {"files__read_file", "files", "Reads a file of the folders that it was started with", ToolPolicy::Ask, false});
    m_tools.push_back({"files__write_file", "files", "", ToolPolicy::Never, false});
    m_remarks = {"files__search of files: left to it to check: pattern"};
    m_servers = {
        {"files", "npx -y @modelcontextprotocol/server-filesystem /home/ada/Documents", {}, Stage::Ready, std::nullopt},
        {"mail", "/opt/mail/bin/mail-mcp --account ada@example.com", {"MAIL_TOKEN"}, Stage::NotApproved, std::nullopt},
        {"weather", "weather-mcp", {}, Stage::Failed,
            Error{ErrorCode::ToolFailed, "it has ended with code 1", std::nullopt, {}}}};
    tell();
}

void FakeTools::approve(const std::string& server, const std::string&)
{
    become(server, ToolServer::Stage::Ready);
}

void FakeTools::withdraw(const std::string& server)
{
    become(server, ToolServer::Stage::NotApproved);
}

void FakeTools::startAgain(const std::string& server)
{
    become(server, ToolServer::Stage::Starting);
}

void FakeTools::become(const std::string& server, ToolServer::Stage stage)
{
    for (ToolServer& one : m_servers) {
        if (one.name == server) {
            one.stage = stage;
            one.error.reset();
        }
    }
    tell();
}

void FakeTools::tell() const
{
    for (const Follower& follower : m_followers) {
        follower();
    }
}

void FakeApprovals::answer(const std::string& callId, Approval)
{
    std::erase_if(m_pending, [&](const ApprovalRequest& request) { return request.callId == callId; });
    tell();
}

void FakeApprovals::ask(ApprovalRequest request)
{
    m_pending.push_back(std::move(request));
    tell();
}

void FakeApprovals::tell() const
{
    for (const Follower& follower : m_followers) {
        follower();
    }
}

void FakeDevices::set(std::vector<SoundDevice> devices)
{
    m_devices = std::move(devices);
    if (m_changed) {
        m_changed();
    }
}

VoiceLevels FakeVoice::takeLevels()
{
    const int look = m_isSteady ? 4 : ++m_looks;
    VoiceLevels levels;
    if (m_toneLeft > 0) {
        --m_toneLeft;
        levels.playbackDbfs = -20;
    }
    if (m_isLive && m_activity == Activity::Speaking) {
        levels.playbackDbfs = wave(look, -16, 9);
    }
    if (m_isLive && !m_isMuted) {
        levels.captureDbfs = m_activity == Activity::HearingUser ? wave(look, -17, 9) : wave(look, -45, 2);
    } else if (m_isPreview) {
        levels.captureDbfs = wave(look, -30, 8);
    }
    return levels;
}

void FakeVoice::setActivity(Activity activity, bool isLive)
{
    m_activity = activity;
    m_isLive = isLive;
}

void FakeConversation::add(ConversationListener& listener)
{
    m_listeners.push_back(&listener);
}

void FakeConversation::remove(ConversationListener& listener)
{
    std::erase(m_listeners, &listener);
}

void FakeConversation::tell(const SessionNotice& told)
{
    if (const auto* changed = std::get_if<notice::PhaseChanged>(&told)) {
        m_phase = changed->phase;
        m_voice.setActivity(Activity::Listening, m_phase == Phase::Live);
    } else if (const auto* activity = std::get_if<notice::ActivityChanged>(&told)) {
        m_voice.setActivity(activity->activity, m_phase == Phase::Live);
    } else if (std::holds_alternative<notice::Ended>(told)) {
        m_phase = Phase::Ended;
        m_voice.setActivity(Activity::Listening, false);
    }
    for (ConversationListener* listener : std::vector(m_listeners)) {
        listener->conversationTold(told);
    }
}

void FakeConversation::start()
{
    if (m_isQuiet || (m_phase != Phase::Idle && m_phase != Phase::Ended)) {
        return;
    }
    m_story = {{0, notice::PhaseChanged{Phase::FetchingToken}},
        {300,
            notice::TokenChanged{TokenNews::Acquired, "voice_1_offline", Milliseconds{60'000}, Milliseconds{48'000},
                "openai", "gpt-realtime-2.1-mini"}},
        {0, notice::PhaseChanged{Phase::Connecting}}, {900, notice::PhaseChanged{Phase::Live}},
        {0, notice::ActivityChanged{Activity::Listening}}, {1800, notice::ActivityChanged{Activity::HearingUser}}};
    answer(kQuestions[m_turn % 3], true);
    play();
}

void FakeConversation::stop()
{
    if (m_phase == Phase::Idle || m_phase == Phase::Ended) {
        return;
    }
    m_story = {{0, notice::PhaseChanged{Phase::Closing}}, {150, notice::Ended{}}};
    play();
}

void FakeConversation::say(std::string text)
{
    const ConversationEntry entry{"typed_" + std::to_string(++m_turn), Speaker::User, text, true, false};
    if (m_phase == Phase::Live) {
        m_story.clear();
    }
    m_story.push_back({100, notice::TranscriptChanged{entry}});
    answer(text, false);
    play();
}

void FakeConversation::interrupt()
{
    if (m_phase == Phase::Live) {
        m_story = {{0, notice::ActivityChanged{Activity::Listening}}};
        play();
    }
}

void FakeConversation::answer(const std::string& question, bool isSpoken)
{
    const std::string number = std::to_string(++m_turn);
    if (isSpoken) {
        m_story.push_back({2200, notice::TranscriptChanged{{"user_" + number, Speaker::User, question, true, false}}});
    }
    m_story.push_back({50, notice::ActivityChanged{Activity::Thinking}});
    const ToolCall call{"call_" + number, "look_up", "{}"};
    m_story.push_back({700, notice::ActivityChanged{Activity::RunningTool}});
    m_story.push_back({0, notice::ToolCalled{call}});
    m_story.push_back({900, notice::ToolDone{call, std::string("{}")}});
    m_story.push_back({100, notice::ActivityChanged{Activity::Speaking}});
    const std::string reply = kAnswers[static_cast<std::size_t>(m_turn - 1) % std::size(kAnswers)];
    for (std::size_t end = reply.find(' '); end != std::string::npos; end = reply.find(' ', end + 1)) {
        m_story.push_back({180,
            notice::TranscriptChanged{{"reply_" + number, Speaker::Assistant, reply.substr(0, end), false, false}}});
    }
    m_story.push_back({180, notice::TranscriptChanged{{"reply_" + number, Speaker::Assistant, reply, true, false}}});
    m_story.push_back({200, notice::ReplyUsage{"resp_" + number, usage(m_turn)}});
    m_story.push_back({400, notice::ActivityChanged{Activity::Listening}});
}

void FakeConversation::play()
{
    ++m_generation;
    next();
}

void FakeConversation::next()
{
    if (m_story.empty()) {
        return;
    }
    QTimer::singleShot(m_story.front().afterMs, this, [this, generation = m_generation] {
        if (generation != m_generation || m_story.empty()) {
            return;
        }
        const SessionNotice told = m_story.front().notice;
        m_story.pop_front();
        tell(told);
        if (generation == m_generation) {
            next();
        }
    });
}

} // namespace vivavoce::offline
