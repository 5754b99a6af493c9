#pragma once

#include "core/session/conversation_log.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <vector>

namespace vivavoce::ui {

/// What was said, in the order of the conversation's log.
/// Invariant: an item id stands at most once; it never moves.
class TranscriptModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    enum Role { ItemId = Qt::UserRole + 1, IsUser, Words, IsFinal, WasInterrupted, HeardLength };

    explicit TranscriptModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    /// `nextItemId`: what comes right behind a new entry; empty or unknown: nothing does.
    void upsert(const core::ConversationEntry& entry, std::string_view nextItemId = {});
    void remove(std::string_view itemId);
    /// The connection that was to finish them is gone.
    void closeOpenEntries();
    void clear();

    [[nodiscard]] int count() const { return static_cast<int>(m_entries.size()); }
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

private:
    /// The row, or -1.
    [[nodiscard]] int find(std::string_view itemId) const;

    std::vector<core::ConversationEntry> m_entries;
};

} // namespace vivavoce::ui
