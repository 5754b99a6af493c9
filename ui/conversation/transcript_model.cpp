#include "ui/conversation/transcript_model.h"

namespace vivavoce::ui {

void TranscriptModel::upsert(const core::ConversationEntry& entry, std::string_view nextItemId)
{
    if (const int row = find(entry.itemId); row >= 0) {
        core::ConversationEntry& known = m_entries[static_cast<std::size_t>(row)];
        if (known != entry) {
            known = entry;
            Q_EMIT dataChanged(index(row), index(row), {Words, IsFinal, WasInterrupted, HeardLength});
        }
        return;
    }
    const int next = nextItemId.empty() ? -1 : find(nextItemId);
    const int row = next < 0 ? count() : next;
    beginInsertRows({}, row, row);
    m_entries.insert(m_entries.begin() + row, entry);
    endInsertRows();
    Q_EMIT countChanged();
}

void TranscriptModel::remove(std::string_view itemId)
{
    if (const int row = find(itemId); row >= 0) {
        beginRemoveRows({}, row, row);
        m_entries.erase(m_entries.begin() + row);
        endRemoveRows();
        Q_EMIT countChanged();
    }
}

void TranscriptModel::closeOpenEntries()
{
    for (int row = 0; row < count(); ++row) {
        core::ConversationEntry& entry = m_entries[static_cast<std::size_t>(row)];
        if (!entry.isFinal) {
            entry.isFinal = true;
            entry.wasInterrupted = true;
            Q_EMIT dataChanged(index(row), index(row), {IsFinal, WasInterrupted});
        }
    }
}

void TranscriptModel::clear()
{
    if (m_entries.empty()) {
        return;
    }
    beginResetModel();
    m_entries.clear();
    endResetModel();
    Q_EMIT countChanged();
}

int TranscriptModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant TranscriptModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::ConversationEntry& entry = m_entries[static_cast<std::size_t>(index.row())];
    switch (role) {
    case ItemId:
        return QString::fromStdString(entry.itemId);
    case IsUser:
        return entry.speaker == core::Speaker::User;
    case Qt::DisplayRole:
    case Words:
        return QString::fromStdString(entry.text);
    case IsFinal:
        return entry.isFinal;
    case WasInterrupted:
        return entry.wasInterrupted;
    case HeardLength:
        // In the units of `words`; all of it where nobody knows.
        return QString::fromStdString(entry.text.substr(0, entry.heardBytes.value_or(entry.text.size()))).size();
    default:
        return {};
    }
}

QHash<int, QByteArray> TranscriptModel::roleNames() const
{
    return {{ItemId, "itemId"}, {IsUser, "isUser"}, {Words, "words"}, {IsFinal, "isFinal"},
        {WasInterrupted, "wasInterrupted"}, {HeardLength, "heardLength"}};
}

int TranscriptModel::find(std::string_view itemId) const
{
    // Recent entries change, so the search starts at the end.
    for (int row = count() - 1; row >= 0; --row) {
        if (m_entries[static_cast<std::size_t>(row)].itemId == itemId) {
            return row;
        }
    }
    return -1;
}

} // namespace vivavoce::ui
