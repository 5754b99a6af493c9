#include "ui/history/history_view_model.h"

#include "ui/style/error_text.h"

#include <algorithm>
#include <utility>

namespace vivavoce::ui {

HistoryViewModel::HistoryViewModel(Dependencies dependencies, QObject* parent) : QObject(parent), m_deps(dependencies)
{
    m_deps.settings.follow([this](const core::Settings&) { Q_EMIT changed(); });
}

void HistoryViewModel::refresh()
{
    m_fault.clear();
    look();
    Q_EMIT changed();
}

void HistoryViewModel::setWords(const QString& words)
{
    if (words != m_words) {
        m_words = words;
        refresh();
    }
}

void HistoryViewModel::look()
{
    auto found = m_deps.store.find(m_words.toStdString());
    if (!found) {
        m_conversations.set({});
        // What cannot be read can be deleted.
        m_hasAny = true;
        setFault(found.error());
        return;
    }
    m_conversations.set(std::move(*found));
    m_hasAny = m_conversations.count() > 0 || !m_deps.store.isEmpty();
}

void HistoryViewModel::open(const QString& id)
{
    auto opened = m_deps.store.open(id.toStdString());
    if (!opened) {
        look();
        setFault(opened.error());
        Q_EMIT changed();
        return;
    }
    m_fault.clear();
    m_openId = id;
    m_opened = std::move(*opened);
    m_lines.set(m_opened.lines);
    Q_EMIT changed();
}

void HistoryViewModel::close()
{
    m_openId.clear();
    m_opened = {};
    m_lines.set({});
    m_asked = Asked::Nothing;
    refresh();
}

void HistoryViewModel::exportOpen()
{
    if (isOpen()) {
        Q_EMIT exportWanted();
    }
}

void HistoryViewModel::askToDelete(const QString& id)
{
    m_askedWhen = id == m_openId ? openWhen() : m_conversations.whenOf(id);
    if (!m_askedWhen.isEmpty()) {
        m_asked = Asked::One;
        m_askedId = id;
        Q_EMIT changed();
    }
}

void HistoryViewModel::askToDeleteAll()
{
    m_asked = Asked::All;
    Q_EMIT changed();
}

void HistoryViewModel::confirmDeletion()
{
    const Asked asked = std::exchange(m_asked, Asked::Nothing);
    if (asked == Asked::Nothing) {
        return;
    }
    const auto deleted = asked == Asked::All ? m_deps.store.removeAll() : m_deps.store.remove(m_askedId.toStdString());
    if (deleted) {
        close();
        return;
    }
    if (asked == Asked::One && isGone(m_askedId)) {
        close();
        m_fault =
            tr("The conversation is deleted, but its words are not yet overwritten on the disk: another program may be "
               "reading the file. That is done with the next thing that is kept or deleted.");
    } else {
        look();
        setFault(deleted.error());
    }
    Q_EMIT changed();
}

bool HistoryViewModel::isGone(const QString& id) const
{
    const auto all = m_deps.store.find({});
    return all && std::none_of(all->begin(), all->end(), [&](const core::SavedConversation& saved) {
        return saved.head.id == id.toStdString();
    });
}

void HistoryViewModel::cancelDeletion()
{
    m_asked = Asked::Nothing;
    Q_EMIT changed();
}

QString HistoryViewModel::openWhen() const
{
    return isOpen() ? whenText(m_opened.startedAt) : QString();
}

QString HistoryViewModel::question() const
{
    switch (m_asked) {
    case Asked::Nothing:
        return {};
    case Asked::One:
        return tr("Delete the conversation of %1? It cannot be brought back.").arg(m_askedWhen);
    case Asked::All:
        return tr("Delete all conversations that are kept? They cannot be brought back.");
    }
    return {};
}

void HistoryViewModel::setFault(const core::Error& error)
{
    m_fault = errorText(error).sentence;
}

} // namespace vivavoce::ui
