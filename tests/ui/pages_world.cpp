#include "tests/ui/pages_world.h"

namespace vivavoce::tests {

void PagesWorld::begin(bool isFirstRun)
{
    m_worlds.push_back(std::make_unique<World>(isFirstRun));
    Q_EMIT begun();
}

void PagesWorld::write(const QString& id, bool isUser, const QString& text)
{
    now().conversation.tell(core::session_notice::TranscriptChanged{
        {id.toStdString(), isUser ? core::Speaker::User : core::Speaker::Assistant, text.toStdString(), true, false}});
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
