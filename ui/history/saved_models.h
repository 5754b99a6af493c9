#pragma once

#include "core/ports/conversation_store.h"

#include <QAbstractListModel>
#include <QtQml/qqmlregistration.h>

#include <optional>
#include <string>
#include <vector>

namespace vivavoce::ui {

/// When a conversation began, in the words and the time of this place.
[[nodiscard]] QString whenText(core::WallTime time);
/// "3:05".
[[nodiscard]] QString lengthText(core::Milliseconds time);

/// Kept conversations, as they were found.
class SavedConversationModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The history has it")
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    enum Role { ConversationId = Qt::UserRole + 1, When, Detail, Words };

    explicit SavedConversationModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    void set(std::vector<core::SavedConversation> conversations);
    /// Empty: there is none of that id.
    [[nodiscard]] QString whenOf(const QString& id) const;
    /// The whole line of it that was found; likewise.
    [[nodiscard]] std::string wordsOf(const QString& id) const;
    [[nodiscard]] int count() const { return static_cast<int>(m_conversations.size()); }
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

private:
    std::vector<core::SavedConversation> m_conversations;
};

/// The lines of one of them.
class SavedLineModel : public QAbstractListModel {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The history has it")
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    enum Role { IsUser = Qt::UserRole + 1, Words, WasInterrupted, At, HasSound, IsHeard };

    explicit SavedLineModel(QObject* parent = nullptr) : QAbstractListModel(parent) {}

    /// `soundStart`: since the conversation's start; nothing: none of it can be heard.
    void set(std::vector<core::TranscriptLine> lines, std::optional<core::Milliseconds> soundStart = std::nullopt);
    /// -1: none is being heard.
    void setHeard(int row);
    [[nodiscard]] int heard() const { return m_heard; }
    /// The last line that has begun by then, since the conversation's start; -1: none.
    [[nodiscard]] int rowAt(core::Milliseconds time) const;
    [[nodiscard]] int count() const { return static_cast<int>(m_lines.size()); }
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

private:
    std::vector<core::TranscriptLine> m_lines;
    std::optional<core::Milliseconds> m_soundStart;
    int m_heard = -1;
};

} // namespace vivavoce::ui
