#include "tests/ui/pages_world.h"

namespace vivavoce::tests {

void PagesWorld::begin(bool isFirstRun, bool hasAgent)
{
    m_worlds.push_back(std::make_unique<World>(isFirstRun, hasAgent));
    Q_EMIT begun();
}

void PagesWorld::spend()
{
    core::openai::Usage used;
    used.inputDetails = core::openai::InputTokenDetails{0, {10, 200, 0}, core::openai::TokenCounts{}};
    used.outputDetails = core::openai::TokenCounts{5, 100, 0};
    now().conversation.tell(core::session_notice::ReplyUsage{"r1", used});
    const core::ToolCall call{"c1", "look_up", "{}"};
    now().conversation.tell(core::session_notice::ToolCalled{call});
    now().conversation.tell(core::session_notice::ToolDone{call, std::string("{}")});
}

void PagesWorld::write(const QString& id, bool isUser, const QString& text)
{
    now().conversation.tell(core::session_notice::TranscriptChanged{
        {id.toStdString(), isUser ? core::Speaker::User : core::Speaker::Assistant, text.toStdString(), true, false}});
}

void PagesWorld::keep(const QString& id, const QString& words)
{
    const auto number = static_cast<int>(now().history.all.size());
    core::TranscriptLine line;
    line.entry = {"q", core::Speaker::User, words.toStdString(), true, false};
    line.end = core::Milliseconds{65'000};
    const core::ConversationHead head{
        id.toStdString(), core::WallTime{std::chrono::seconds{1'800'000'000 + 3'600 * number}}, "m"};
    (void)now().history.put(head, line, {});
    line.entry = {"r", core::Speaker::Assistant, "As you say.", true, true};
    (void)now().history.put(head, line, {});
}

void PagesWorld::keepLines(const QString& id, int count)
{
    const core::ConversationHead head{id.toStdString(), core::WallTime{std::chrono::seconds{1'800'000'000}}, "m"};
    for (int i = 0; i < count; ++i) {
        const std::string number = std::to_string(i);
        std::string words = "number " + number;
        for (int more = 0; more < i % 7; ++more) {
            words += " and a good many words more";
        }
        core::TranscriptLine line;
        line.entry = {number, i % 2 == 0 ? core::Speaker::User : core::Speaker::Assistant, words, true, false};
        line.end = core::Milliseconds{1'000};
        (void)now().history.put(head, line, {});
    }
}

void PagesWorld::keepWithSound(const QString& id, const QString& words)
{
    core::TranscriptLine line;
    line.entry = {"q", core::Speaker::User, words.toStdString(), true, false};
    line.end = core::Milliseconds{8'000};
    const core::ConversationHead head{
        id.toStdString(), core::WallTime{std::chrono::seconds{1'800'000'000}}, "m", core::Milliseconds{0}};
    (void)now().history.makeSound(head.id, core::SoundFormat::OggOpus);
    (void)now().history.put(head, line, {});
    line.entry = {"r", core::Speaker::Assistant, "As you say.", true, false};
    line.start = core::Milliseconds{9'000};
    line.end = core::Milliseconds{30'000};
    (void)now().history.put(head, line, {});
}

QString PagesWorld::written()
{
    QStringList all;
    for (const auto& [path, text] : now().files.all) {
        all << QString::fromStdString(path);
    }
    return all.join(QLatin1Char('|'));
}

QString PagesWorld::decisions()
{
    QStringList all;
    for (const auto& [tool, policy] : now().tools.decisions) {
        all << QString::fromStdString(tool) + QLatin1Char(':') + QString::number(static_cast<int>(policy));
    }
    for (const std::string& act : now().tools.acts) {
        all << QString::fromStdString(act);
    }
    return all.join(QLatin1Char('|'));
}

QString PagesWorld::answers()
{
    QStringList all;
    for (const auto& [callId, approval] : now().approvals.answers) {
        all << QString::fromStdString(callId) + QLatin1Char(':') + QString::number(static_cast<int>(approval));
    }
    return all.join(QLatin1Char('|'));
}

QString PagesWorld::said()
{
    QStringList all;
    for (const std::string& text : now().conversation.said) {
        all << QString::fromStdString(text);
    }
    return all.join(QLatin1Char('|'));
}

} // namespace vivavoce::tests
