#include "ui/history/history_view_model.h"

#include "ui/style/error_text.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace vivavoce::ui {
namespace {

/// A voice is noticed a little after it has begun.
constexpr core::Milliseconds kNoticed{500};

} // namespace

HistoryViewModel::HistoryViewModel(Dependencies dependencies, QObject* parent)
    : QObject(parent), m_deps(dependencies), m_self(std::make_shared<HistoryViewModel*>(this))
{
    if (m_deps.player != nullptr) {
        m_deps.player->follow([self = m_self] {
            if (*self != nullptr) {
                (*self)->followPlayer();
            }
        });
    }
    m_deps.settings.follow([this](const core::Settings&) { Q_EMIT changed(); });
}

HistoryViewModel::~HistoryViewModel()
{
    *m_self = nullptr;
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
    lookForRow();
    openSound();
    Q_EMIT changed();
}

void HistoryViewModel::lookForRow()
{
    const std::string words = m_words.trimmed().isEmpty() ? std::string() : m_conversations.wordsOf(m_openId);
    const auto& lines = m_opened.lines;
    const auto found = std::find_if(
        lines.begin(), lines.end(), [&](const core::TranscriptLine& line) { return line.entry.text == words; });
    m_foundRow = words.empty() || found == lines.end() ? -1 : static_cast<int>(std::distance(lines.begin(), found));
}

void HistoryViewModel::openSound()
{
    stopPlaying();
    m_sound = m_deps.player == nullptr ? std::nullopt : m_deps.store.sound(m_openId.toStdString());
    m_lines.set(m_opened.lines, hasSound() ? std::optional(m_sound->start) : std::nullopt);
    if (m_sound && m_sound->path.empty()) {
        m_fault = tr("The file with the sound of this conversation is missing. Its words are here.");
    }
}

void HistoryViewModel::playFrom(int row)
{
    if (row < 0 || row >= m_lines.count() || !canPlay()) {
        return;
    }
    if (isPlaying() && m_lines.heard() == row) {
        stopPlaying();
        return;
    }
    const core::TranscriptLine& line = m_opened.lines[static_cast<std::size_t>(row)];
    const core::Milliseconds early = line.entry.speaker == core::Speaker::User ? kNoticed : core::Milliseconds{0};
    m_playedFrom = row;
    m_fault.clear();
    m_deps.player->play(m_sound->path, std::max(line.start - m_sound->start - early, core::Milliseconds{0}));
    followPlayer();
    Q_EMIT changed();
}

void HistoryViewModel::stopPlaying()
{
    if (m_deps.player != nullptr && m_deps.player->status().isPlaying) {
        m_deps.player->stop();
        followPlayer();
    }
}

void HistoryViewModel::followPlayer()
{
    const core::RecordingPlayer::Status status = m_deps.player->status();
    const bool isHeard = status.isPlaying && m_sound;
    m_lines.setHeard(isHeard ? std::max(m_playedFrom, m_lines.rowAt(status.position + m_sound->start)) : -1);
    if (status.fault && m_sound && std::exchange(m_playedFrom, -1) >= 0) {
        const bool isSound = status.fault->code == core::ErrorCode::SoundNoLoudspeaker
            || status.fault->code == core::ErrorCode::SoundFailed;
        m_fault = isSound ? errorText(*status.fault).sentence
            : status.fault->code == core::ErrorCode::InputUnreadable
            ? tr("The file with the sound of this conversation is missing or may not be read. Its words are here.")
            : tr("The file with the sound of this conversation is damaged and cannot be played. Its words are here.");
        Q_EMIT changed();
    }
    Q_EMIT playChanged();
}

void HistoryViewModel::setTalking(bool isTalking)
{
    if (std::exchange(m_isTalking, isTalking) != isTalking) {
        if (isTalking) {
            stopPlaying();
        }
        Q_EMIT changed();
    }
}

bool HistoryViewModel::isPlaying() const
{
    return m_sound && m_deps.player->status().isPlaying;
}

QString HistoryViewModel::playTime() const
{
    if (!isPlaying()) {
        return {};
    }
    const core::RecordingPlayer::Status status = m_deps.player->status();
    return tr("%1 of %2").arg(lengthText(status.position), lengthText(std::max(status.length, status.position)));
}

qreal HistoryViewModel::playPosition() const
{
    const core::RecordingPlayer::Status status =
        isPlaying() ? m_deps.player->status() : core::RecordingPlayer::Status();
    return status.length.count() > 0
        ? static_cast<qreal>(status.position.count()) / static_cast<qreal>(status.length.count())
        : 0;
}

void HistoryViewModel::close()
{
    stopPlaying();
    m_openId.clear();
    m_opened = {};
    m_foundRow = -1;
    m_sound.reset();
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
    stopPlaying();
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
