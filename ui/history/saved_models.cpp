#include "ui/history/saved_models.h"

#include <QDateTime>
#include <QLocale>

#include <utility>

namespace vivavoce::ui {
namespace {

constexpr qsizetype kShownOfWords = 500;

} // namespace

QString lengthText(core::Milliseconds time)
{
    const auto seconds = time.count() / 1'000;
    return QStringLiteral("%1:%2").arg(seconds / 60).arg(seconds % 60, 2, 10, QLatin1Char('0'));
}

QString whenText(core::WallTime time)
{
    const auto milliseconds = std::chrono::duration_cast<core::Milliseconds>(time.time_since_epoch()).count();
    return QLocale().toString(QDateTime::fromMSecsSinceEpoch(milliseconds), QLocale::ShortFormat);
}

void SavedConversationModel::set(std::vector<core::SavedConversation> conversations)
{
    beginResetModel();
    m_conversations = std::move(conversations);
    endResetModel();
    Q_EMIT countChanged();
}

QString SavedConversationModel::whenOf(const QString& id) const
{
    for (const core::SavedConversation& conversation : m_conversations) {
        if (conversation.head.id == id.toStdString()) {
            return whenText(conversation.head.startedAt);
        }
    }
    return {};
}

std::string SavedConversationModel::wordsOf(const QString& id) const
{
    for (const core::SavedConversation& conversation : m_conversations) {
        if (conversation.head.id == id.toStdString()) {
            return conversation.words;
        }
    }
    return {};
}

int SavedConversationModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant SavedConversationModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::SavedConversation& conversation = m_conversations[static_cast<std::size_t>(index.row())];
    switch (role) {
    case ConversationId:
        return QString::fromStdString(conversation.head.id);
    case Qt::DisplayRole:
    case When:
        return whenText(conversation.head.startedAt);
    case Detail:
        return conversation.lines == 1
            ? tr("%1 min · 1 line").arg(lengthText(conversation.length))
            : tr("%1 min · %2 lines").arg(lengthText(conversation.length)).arg(conversation.lines);
    case Words:
        // A row shows two lines; to lay out a speech of an hour for it takes long.
        return QString::fromStdString(conversation.words).left(kShownOfWords).simplified();
    default:
        return {};
    }
}

QHash<int, QByteArray> SavedConversationModel::roleNames() const
{
    return {{ConversationId, "conversationId"}, {When, "when"}, {Detail, "detail"}, {Words, "words"}};
}

void SavedLineModel::set(std::vector<core::TranscriptLine> lines, std::optional<core::Milliseconds> soundStart)
{
    beginResetModel();
    m_lines = std::move(lines);
    m_soundStart = soundStart;
    m_heard = -1;
    endResetModel();
    Q_EMIT countChanged();
}

void SavedLineModel::setHeard(int row)
{
    const int before = std::exchange(m_heard, row);
    for (const int changed : {before, row}) {
        if (before != row && changed >= 0 && changed < count()) {
            Q_EMIT dataChanged(index(changed), index(changed), {IsHeard});
        }
    }
}

int SavedLineModel::rowAt(core::Milliseconds time) const
{
    int found = -1;
    for (int row = 0; row < count(); ++row) {
        found = m_lines[static_cast<std::size_t>(row)].start <= time ? row : found;
    }
    return found;
}

int SavedLineModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant SavedLineModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::TranscriptLine& line = m_lines[static_cast<std::size_t>(index.row())];
    switch (role) {
    case IsUser:
        return line.entry.speaker == core::Speaker::User;
    case Qt::DisplayRole:
    case Words:
        return QString::fromStdString(std::string(line.entry.heardText()));
    case WasInterrupted:
        return line.entry.wasInterrupted;
    case At:
        return lengthText(line.start);
    case HasSound:
        return m_soundStart && line.end > *m_soundStart;
    case IsHeard:
        return index.row() == m_heard;
    default:
        return {};
    }
}

QHash<int, QByteArray> SavedLineModel::roleNames() const
{
    return {{IsUser, "isUser"}, {Words, "words"}, {WasInterrupted, "wasInterrupted"}, {At, "at"},
        {HasSound, "hasSound"}, {IsHeard, "isHeard"}};
}

} // namespace vivavoce::ui
