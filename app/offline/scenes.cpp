#include "app/offline/scenes.h"

namespace vivavoce::offline {
namespace {

using namespace core;
namespace notice = core::session_notice;

constexpr QSize kWide{1120, 760};
constexpr QSize kSmallest{340, 520};

void enter(const Stage& stage, const char* id, Speaker speaker, const char* text, bool isFinal = true,
    bool wasInterrupted = false)
{
    core::ConversationEntry entry{id, speaker, text, isFinal, wasInterrupted};
    if (wasInterrupted) {
        entry.wasHeard(0.6);
    }
    stage.conversation.tell(notice::TranscriptChanged{entry});
}

void connected(const Stage& stage)
{
    stage.conversation.tell(notice::TokenChanged{TokenNews::Acquired, "voice_1_abc", Milliseconds{60'000},
        Milliseconds{36'000}, "openai", "gpt-realtime-2.1-mini"});
    stage.conversation.tell(notice::PhaseChanged{Phase::Live});
}

void talk(const Stage& stage)
{
    enter(stage, "1", Speaker::User, "Good morning. What is the tallest mountain in Europe?");
    enter(stage, "2", Speaker::Assistant,
        "Good morning. That is Mount Elbrus in the Caucasus, 5,642 metres high. If you draw the border of Europe further "
        "north, it is Mont Blanc, with 4,806 metres.");
    enter(stage, "3", Speaker::User, "And how long does it take to climb Mont Blanc?");
}

void spend(const Stage& stage)
{
    openai::Usage usage;
    usage.inputDetails = openai::InputTokenDetails{2'304, {180, 3'120, 0}, openai::TokenCounts{128, 2'176, 0}};
    usage.outputDetails = openai::TokenCounts{142, 1'260, 0};
    stage.conversation.tell(notice::ReplyUsage{"r0", usage});
    usage.outputDetails = openai::TokenCounts{84, 640, 0};
    stage.conversation.tell(notice::ReplyUsage{"r1", usage});
    const ToolCall search{"c1", "search_the_web", "{}"};
    stage.conversation.tell(notice::ToolCalled{search});
    stage.conversation.tell(notice::ToolDone{search, std::string("{}")});
    const ToolCall weather{"c2", "weather_forecast", "{}"};
    stage.conversation.tell(notice::ToolCalled{weather});
    stage.conversation.tell(notice::ToolDone{weather, fail(ErrorCode::ToolFailed, "no answer")});
}

void during(const Stage& stage, Activity activity)
{
    connected(stage);
    talk(stage);
    spend(stage);
    stage.conversation.tell(notice::ActivityChanged{activity});
    if (activity == Activity::RunningTool) {
        stage.conversation.tell(notice::ToolCalled{{"c3", "weather_forecast", "{}"}});
    }
    if (activity == Activity::Speaking) {
        enter(stage, "4", Speaker::Assistant, "Most people take two days for it: one up to the hut, and", false);
    }
}

std::function<void(const Stage&)> live(Activity activity)
{
    return [activity](const Stage& stage) { during(stage, activity); };
}

std::function<void(const Stage&)> failed(Error error)
{
    return [error = std::move(error)](const Stage& stage) {
        connected(stage);
        talk(stage);
        stage.conversation.tell(notice::Ended{error});
    };
}

void longTalk(const Stage& stage)
{
    connected(stage);
    for (int i = 0; i < 40; ++i) {
        enter(stage, ("u" + std::to_string(i)).c_str(), Speaker::User, "Tell me more about that.");
        enter(stage, ("a" + std::to_string(i)).c_str(), Speaker::Assistant,
            i % 3 == 0
                ? "Gladly. There is a good deal to tell, and I will keep it to what matters: the first part is about "
                  "how the string is made, the second about how it is tuned, and the last about who plays it."
                : "Of course.",
            true, i % 4 == 1);
    }
}

void longWords(const Stage& stage)
{
    connected(stage);
    enter(stage, "1", Speaker::User,
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsentwurfsvorlage");
    enter(stage, "2", Speaker::Assistant,
        "https://example.com/a/very/long/path/that/never/ends/and/has/no/place/to/break/at/all?with=a&query=that&goes=on");
    enter(stage, "3", Speaker::User, "<b>not bold</b> & \"quotes\" — ελληνικά, עברית, 日本語");
    stage.conversation.tell(notice::ActivityChanged{Activity::RunningTool});
    stage.conversation.tell(
        notice::ToolCalled{{"c", "look_up_the_opening_hours_of_every_library_in_the_country", "{}"}});
    stage.conversation.tell(notice::Problem{Error{ErrorCode::ProviderMalformed, "", std::nullopt,
        "invalid_request_error.conversation_item_truncate_audio_end_ms"}});
}

void asked(const Stage& stage, const char* tool, const char* arguments)
{
    stage.conversation.tell(notice::ToolCalled{{"c9", tool, arguments}});
    const bool isLink = tool == std::string("open_link");
    stage.approvals.ask(
        {"c9", tool, isLink ? "Vivavoce" : "files", arguments, SystemClock().now() + Milliseconds{30'000}, isLink});
}

void askedForALink(const Stage& stage)
{
    during(stage, Activity::RunningTool);
    asked(stage, "open_link", R"({"url":"https://www.chamonix.example/routes/gouter?season=2027"})");
}

void askedForMuch(const Stage& stage)
{
    during(stage, Activity::RunningTool);
    asked(stage, "files__write_file",
        R"({"path":"/home/ada/Documents/A folder with a rather long name/plan.md","content":"# Plan\n\nFirst up to the hut, then early in the morning over the ridge to the top, and down by noon before the snow gets soft. Take crampons, a rope, and two litres of water for each of you.","overwrite":true,"mode":"0600"})");
    stage.approvals.ask({"c10", "files__delete", "files", "{}", SystemClock().now() + Milliseconds{30'000}});
}

void broker(Settings& settings)
{
    settings.profile = Profile::Broker;
    settings.brokerUrl = "https://voice.example";
}

/// With a broker that is asked for this model.
std::function<void(Settings&)> choosing(const char* model)
{
    return [model](Settings& settings) {
        broker(settings);
        settings.choice = {"openai", model, "marin"};
    };
}

/// Of a model that its provider shuts down.
void meetOldModel(const Stage& stage)
{
    during(stage, Activity::Listening);
    stage.conversation.tell(notice::TokenChanged{
        TokenNews::Acquired, "voice_1_abc", Milliseconds{60'000}, Milliseconds{36'000}, "openai", "gpt-realtime"});
}

/// Of a model that nobody knows the price of.
void meetUnknownModel(const Stage& stage)
{
    during(stage, Activity::Listening);
    stage.conversation.tell(notice::TokenChanged{
        TokenNews::Acquired, "voice_1_abc", Milliseconds{60'000}, Milliseconds{36'000}, "openai", "house-model"});
}

std::vector<Scene> conversationScenes()
{
    const auto phase = [](Phase reached, Milliseconds retryIn = {}) {
        return [reached, retryIn](const Stage& stage) {
            talk(stage);
            stage.conversation.tell(notice::PhaseChanged{reached, retryIn});
        };
    };
    const auto nothing = [](Settings&) {};
    return {
        {QStringLiteral("idle")},
        {QStringLiteral("connecting"), {420, 720}, nothing,
            [](const Stage& stage) { stage.conversation.tell(notice::PhaseChanged{Phase::Connecting}); }},
        {QStringLiteral("reconnecting"), {420, 720}, nothing, phase(Phase::Waiting, Milliseconds{2'000})},
        {QStringLiteral("listening"), {420, 720}, nothing, live(Activity::Listening)},
        {QStringLiteral("listening-empty"), {420, 720}, nothing, connected},
        {QStringLiteral("hearing"), {420, 720}, broker, live(Activity::HearingUser), -1, {}, {}, true},
        {QStringLiteral("thinking"), {420, 720}, nothing, live(Activity::Thinking)},
        {QStringLiteral("tool"), {420, 720}, nothing, live(Activity::RunningTool)},
        {QStringLiteral("approval"), {420, 720}, nothing, askedForALink, -1, {}, {}, true},
        {QStringLiteral("approval-long"), {420, 720}, nothing, askedForMuch, -1, QStringLiteral("allowTool")},
        {QStringLiteral("approval-smallest"), kSmallest, nothing, askedForMuch},
        {QStringLiteral("approval-wide"), kWide, broker, askedForALink},
        {QStringLiteral("timer"), {420, 720}, nothing,
            [](const Stage& stage) {
                during(stage, Activity::Listening);
                stage.tellTimer({"timer_1", "tea"});
            }},
        {QStringLiteral("speaking"), {420, 720}, broker, live(Activity::Speaking), -1, {}, {}, true},
        {QStringLiteral("push-to-talk"), {420, 720},
            [](Settings& settings) { settings.talkMode = TalkMode::PushToTalk; }, live(Activity::Listening)},
        {QStringLiteral("muted"), {420, 720}, nothing, live(Activity::Listening), -1, {}, {QStringLiteral("mute")}},
        {QStringLiteral("recording"), {420, 720},
            [](Settings& settings) { settings.keepsConversations = settings.recordsSound = true; },
            live(Activity::HearingUser), -1, {}, {}, true},
        {QStringLiteral("recording-smallest"), kSmallest,
            [](Settings& settings) { settings.keepsConversations = settings.recordsSound = true; },
            live(Activity::Speaking)},
        {QStringLiteral("reduced-motion"), {420, 720}, [](Settings& settings) { settings.isMotionReduced = true; },
            live(Activity::Speaking)},
        {QStringLiteral("failed-broker"), {420, 720}, broker,
            failed({ErrorCode::BrokerUnreachable, "", std::nullopt, {}}), -1, {}, {}, true},
        {QStringLiteral("failed-sound"), {420, 720}, nothing, failed({ErrorCode::SoundFailed, "", std::nullopt, {}})},
        {QStringLiteral("failed-quota"), kSmallest, broker,
            failed({ErrorCode::ProviderQuota, "", std::nullopt, "insufficient_quota"})},
        {QStringLiteral("problem"), {420, 720}, broker,
            [](const Stage& stage) {
                during(stage, Activity::Listening);
                stage.conversation.tell(notice::Problem{Error{ErrorCode::ToolFailed, "", std::nullopt, {}}});
            }},
        {QStringLiteral("no-microphone"), kSmallest, nothing,
            [](const Stage& stage) {
                during(stage, Activity::Listening);
                stage.conversation.tell(notice::Problem{Error{ErrorCode::SoundNoMicrophone, "", std::nullopt, {}}});
            }},
        {QStringLiteral("long-transcript"), {420, 720}, nothing, longTalk},
        {QStringLiteral("long-words"), kSmallest, broker, longWords},
        {QStringLiteral("old-model"), {420, 720}, broker, meetOldModel},
        {QStringLiteral("old-model-smallest"), kSmallest, broker, meetOldModel},
        {QStringLiteral("wide-unknown-model"), kWide, broker, meetUnknownModel},
        {QStringLiteral("smallest"), kSmallest, nothing, live(Activity::Listening)},
        {QStringLiteral("focus-talk"), {420, 720}, nothing, live(Activity::Listening), -1, QStringLiteral("talk")},
        {QStringLiteral("focus-text"), {420, 720}, nothing, live(Activity::Listening), -1, QStringLiteral("text")},
        {QStringLiteral("wide-idle"), kWide},
        {QStringLiteral("wide-speaking"), kWide, broker, live(Activity::Speaking), -1, {}, {}, true},
        {QStringLiteral("wide-long"), kWide, broker, longTalk},
    };
}

std::vector<Scene> networkScenes()
{
    const auto own = [](Settings& settings) {
        broker(settings);
        settings.network = {ProxyChoice::Own, "http://proxy.example:3128", "/etc/ssl/ours.pem"};
    };
    const auto nothing = [](const Stage&) {};
    const auto scene = [&](const char* name, QSize size, const std::function<void(Settings&)>& settings,
                           std::vector<std::pair<QString, QString>> typed = {}, QStringList press = {}) {
        Scene made{QString::fromLatin1(name), size, settings, nothing, 890, {}, std::move(press)};
        made.typed = std::move(typed);
        Settings chosen;
        settings(chosen);
        // Then the card of provider and model is above it.
        made.settingsScroll += chosen.profile == Profile::Broker ? 300 : 0;
        return made;
    };
    const QString address = QStringLiteral("proxyAddress");
    const QString file = QStringLiteral("caFile");
    Scene failed{QStringLiteral("failed-proxy"), {420, 720}, broker, [](const Stage& stage) {
                     stage.conversation.tell(
                         notice::Ended{Error{ErrorCode::BrokerUnreachable, "", std::nullopt, "proxy.password"}});
                 }};
    Scene unknown{QStringLiteral("failed-certificate"), kSmallest, broker, [](const Stage& stage) {
                      stage.conversation.tell(notice::Ended{
                          Error{ErrorCode::BrokerUnreachable, "", std::nullopt, "certificate.untrusted"}});
                  }};
    Scene account{QStringLiteral("account-proxy"), kSmallest, broker,
        [](const Stage& stage) {
            SignInStatus status;
            status.stage = SignInStatus::Stage::Failed;
            status.error = Error{ErrorCode::ProviderUnreachable, "", std::nullopt, "proxy.refused"};
            stage.account.become(status);
        },
        -1, {}, {}, false, true};
    Scene notice{QStringLiteral("settings-damaged"), kSmallest,
        [](Settings& settings) { settings.profile = Profile::None; },
        [](const Stage& stage) { stage.tellDamagedSettings(); }};
    Scene typed{QStringLiteral("too-long"), kSmallest, [](Settings&) {},
        [](const Stage& stage) { during(stage, Activity::Listening); }};
    typed.typed = {{QStringLiteral("text"), QStringLiteral("And another thing. ").repeated(260)}};
    return {scene("settings-network", {420, 720}, [](Settings&) {}), scene("settings-network-own", {420, 720}, own),
        scene("settings-network-wrong", kSmallest, own,
            {{address, QStringLiteral("proxy.example")}, {file, QStringLiteral("/etc/ssl/old.pem")}},
            {QStringLiteral("useProxy"), QStringLiteral("useCaFile")}),
        scene("settings-network-wide", kWide, own, {{file, QString()}}), std::move(failed), std::move(unknown),
        std::move(account), std::move(notice), std::move(typed)};
}

std::vector<Scene> accountScenes()
{
    const auto stage = [](SignInStatus status) {
        return [status = std::move(status)](const Stage& on) { on.account.become(status); };
    };
    SignInStatus device;
    device.stage = SignInStatus::Stage::WaitingForDevice;
    device.userCode = "WDJB-MJHT";
    device.verificationUrl = "https://login.example/device";
    SignInStatus signedIn;
    signedIn.stage = SignInStatus::Stage::SignedIn;
    signedIn.name = "Ada Lovelace";
    SignInStatus browser;
    browser.stage = SignInStatus::Stage::WaitingForBrowser;
    browser.offersDevice = true;
    SignInStatus failure;
    failure.stage = SignInStatus::Stage::Failed;
    failure.error = Error{ErrorCode::NotAuthorised, "", std::nullopt, "invalid_grant"};
    const auto scene = [&](const char* name, QSize size, const SignInStatus& status) {
        return Scene{QString::fromLatin1(name), size, broker, stage(status), -1, {}, {}, false, true};
    };
    return {scene("account-signed-out", {420, 720}, {}), scene("account-browser", kSmallest, browser),
        scene("account-code", kSmallest, device), scene("account-signed-in", {420, 720}, signedIn),
        scene("account-failed", kSmallest, failure), scene("account-wide", kWide, device)};
}

std::vector<Scene> usageScenes()
{
    // What a day is called depends on when the picture is made.
    const auto filled = [](const Stage& stage) { stage.book.fill(std::chrono::system_clock::now()); };
    const auto nothing = [](const Stage&) {};
    const auto limited = [](Settings& settings) {
        broker(settings);
        settings.monthLimitCents = 500;
    };
    const auto scene = [&](const char* name, QSize size, std::function<void(const Stage&)> arrange, int scroll = -1,
                           QStringList press = {}) {
        Scene made{QString::fromLatin1(name), size, limited, std::move(arrange), scroll, {}, std::move(press)};
        made.isUsage = true;
        return made;
    };
    Scene scaled = scene("usage", {420, 720}, filled);
    scaled.isScaledToo = true;
    Scene free = scene("usage-this-computer", {420, 720}, filled);
    free.settings = [](Settings&) {};
    return {std::move(scaled), scene("usage-days", {420, 720}, filled, 620), scene("usage-smallest", kSmallest, filled),
        scene("usage-broker", kSmallest, filled, 470), scene("usage-wide", kWide, filled),
        scene("usage-empty", {420, 720}, nothing), std::move(free),
        scene("usage-clear", kSmallest, filled, -1, {QStringLiteral("clearUsage")}),
        scene("usage-broken", kSmallest, [](const Stage& stage) { stage.book.setBroken(); })};
}

std::vector<Scene> historyScenes()
{
    const auto keeping = [](Settings& settings) { settings.keepsConversations = true; };
    const auto filled = [](const Stage& stage) { stage.history.fill(); };
    const auto broken = [](const Stage& stage) { stage.history.setBroken(); };
    const auto nothing = [](const Stage&) {};
    const auto scene = [&](const char* name, QSize size, std::function<void(const Stage&)> arrange,
                           QStringList press = {}, QString focus = {}) {
        Scene made{
            QString::fromLatin1(name), size, keeping, std::move(arrange), -1, std::move(focus), std::move(press)};
        made.isHistory = true;
        return made;
    };
    const QString row = QStringLiteral("savedRow");
    const QString save = QStringLiteral("exportOpen");
    Scene off = scene("history-off", {420, 720}, nothing);
    off.settings = [](Settings&) {};
    Scene deleting = scene("settings-kept", {420, 720}, filled, {QStringLiteral("keepConversations")});
    deleting.isHistory = false;
    deleting.settingsScroll = 4'000;
    Scene recording = scene("settings-recording", {420, 720}, nothing);
    recording.isHistory = false;
    recording.settingsScroll = 4'000;
    recording.settings = [](Settings& settings) { settings.keepsConversations = settings.recordsSound = true; };
    const QString play = QStringLiteral("playLine");
    Scene ended{QStringLiteral("conversation-ended"), {420, 720}, [](Settings&) {},
        [](const Stage& stage) {
            connected(stage);
            talk(stage);
            stage.conversation.tell(notice::Ended{});
        }};
    return {scene("history", {420, 720}, filled),
        scene("history-focus", {420, 720}, filled, {}, QStringLiteral("savedList")),
        scene("history-empty", {420, 720}, nothing), std::move(off), scene("history-broken", kSmallest, broken),
        scene("history-open", {420, 720}, filled, {row}), scene("history-open-wide", kWide, filled, {row}),
        scene("history-playing", {420, 720}, filled, {row, play}),
        scene("history-playing-smallest", kSmallest, filled, {row, play}),
        scene("history-sound-lost", {420, 720},
            [](const Stage& stage) {
                stage.history.fill();
                stage.history.loseSound();
            },
            {row}),
        std::move(recording), scene("history-delete", kSmallest, filled, {row, QStringLiteral("deleteOpen")}),
        scene("export", {420, 720}, filled, {row, save}),
        scene("export-saved", kSmallest, filled, {row, save, QStringLiteral("exportSave")}), std::move(deleting),
        std::move(ended)};
}

} // namespace

std::vector<Scene> allScenes()
{
    const auto firstRun = [](Settings& settings) { settings.profile = Profile::None; };
    const auto noDevices = [](const Stage& stage) { stage.devices.set({}); };
    std::vector<Scene> scenes = conversationScenes();
    for (Scene& scene : std::vector<Scene>{
             {QStringLiteral("first-run"), {420, 720}, firstRun, [](const Stage&) {}, -1, {}, {}, true},
             {QStringLiteral("first-run-focus"), {420, 720}, firstRun, [](const Stage&) {}, -1,
                 QStringLiteral("tryHere")},
             {QStringLiteral("first-run-smallest"), kSmallest, firstRun},
             {QStringLiteral("settings"), {420, 720}, [](Settings&) {}, [](const Stage&) {}, 0, {}, {}, true},
             {QStringLiteral("settings-end"), {420, 720}, broker, [](const Stage&) {}, 4'000},
             {QStringLiteral("settings-tools"), {420, 720}, [](Settings&) {},
                 [](const Stage& stage) { stage.tools.bringServers(); }, 1'190, {}, {}, true},
             {QStringLiteral("settings-servers"), {420, 720}, [](Settings&) {},
                 [](const Stage& stage) { stage.tools.bringServers(); }, 1'720, QStringLiteral("approve_mail")},
             {QStringLiteral("settings-tools-smallest"), kSmallest, [](Settings&) {},
                 [](const Stage& stage) { stage.tools.bringServers(); }, 1'530},
             {QStringLiteral("settings-choice"), {420, 720}, choosing("gpt-realtime"), [](const Stage&) {}, 850},
             {QStringLiteral("settings-choice-smallest"), kSmallest, choosing("house-model"), [](const Stage&) {},
                 1'040, QStringLiteral("modelName")},
             {QStringLiteral("settings-access"), {420, 720}, broker, [](const Stage&) {}, 1'740,
                 QStringLiteral("autoRefresh"), {}, true},
             {QStringLiteral("settings-no-devices"), {420, 720}, [](Settings&) {}, noDevices, 0},
             {QStringLiteral("settings-wide"), kWide, broker, [](const Stage&) {}, 0, QStringLiteral("microphone")},
             {QStringLiteral("settings-smallest"), kSmallest, [](Settings&) {}, [](const Stage&) {}, 0},
         }) {
        scenes.push_back(std::move(scene));
    }
    for (auto& more : {networkScenes(), accountScenes(), historyScenes(), usageScenes()}) {
        scenes.insert(scenes.end(), more.begin(), more.end());
    }
    return scenes;
}

} // namespace vivavoce::offline
