#pragma once

#include "core/ports/conversation_store.h"
#include "core/ports/recording_player.h"
#include "core/settings/live_settings.h"
#include "ui/history/saved_models.h"

#include <QObject>
#include <QString>

#include <memory>
#include <optional>

namespace vivavoce::ui {

/// The conversations that are kept: found by their words, read, written into a file, deleted.
class HistoryViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(vivavoce::ui::SavedConversationModel* conversations READ conversations CONSTANT)
    /// What is looked for; empty: all are shown.
    Q_PROPERTY(QString words READ words WRITE setWords NOTIFY changed)
    /// From now on conversations are kept.
    Q_PROPERTY(bool isKeeping READ isKeeping NOTIFY changed)
    /// Why the last thing could not be done; empty: it was.
    Q_PROPERTY(QString fault READ fault NOTIFY changed)
    /// One is read.
    Q_PROPERTY(bool isOpen READ isOpen NOTIFY changed)
    Q_PROPERTY(QString openWhen READ openWhen NOTIFY changed)
    /// Of the one that is open, the line that was looked for; -1: none was.
    Q_PROPERTY(int foundRow READ foundRow NOTIFY changed)
    Q_PROPERTY(vivavoce::ui::SavedLineModel* lines READ lines CONSTANT)
    /// The question whether to delete, in words; empty: nothing is asked.
    Q_PROPERTY(QString question READ question NOTIFY changed)
    /// Of the one that is open some can be heard, and may be now: nobody talks.
    Q_PROPERTY(bool hasSound READ hasSound NOTIFY changed)
    Q_PROPERTY(bool canPlay READ canPlay NOTIFY changed)
    Q_PROPERTY(bool isPlaying READ isPlaying NOTIFY playChanged)
    /// "0:12 of 3:40", and the same from 0 to 1.
    Q_PROPERTY(QString playTime READ playTime NOTIFY playChanged)
    Q_PROPERTY(qreal playPosition READ playPosition NOTIFY playChanged)
    /// Something can be deleted as a whole.
    Q_PROPERTY(bool hasAny READ hasAny NOTIFY changed)

public:
    struct Dependencies {
        core::ConversationStore& store;
        core::LiveSettings& settings;
        /// Null: nothing can be heard.
        core::RecordingPlayer* player = nullptr;
    };

    explicit HistoryViewModel(Dependencies dependencies, QObject* parent = nullptr);
    ~HistoryViewModel() override;

    /// Looks again: lines are kept while the page is open.
    Q_INVOKABLE void refresh();
    Q_INVOKABLE void open(const QString& id);
    Q_INVOKABLE void close();
    /// Asks for a file for the one that is open.
    Q_INVOKABLE void exportOpen();
    /// Deletes nothing before `confirmDeletion`.
    Q_INVOKABLE void askToDelete(const QString& id);
    Q_INVOKABLE void askToDeleteOpen() { askToDelete(m_openId); }
    Q_INVOKABLE void askToDeleteAll();
    Q_INVOKABLE void confirmDeletion();
    Q_INVOKABLE void cancelDeletion();
    /// The sound of the one that is open, from that line on; stops where that line is being heard.
    Q_INVOKABLE void playFrom(int row);
    Q_INVOKABLE void stopPlaying();
    /// A conversation goes on: nothing is played beside it.
    void setTalking(bool isTalking);

    [[nodiscard]] SavedConversationModel* conversations() { return &m_conversations; }
    [[nodiscard]] SavedLineModel* lines() { return &m_lines; }
    [[nodiscard]] QString words() const { return m_words; }
    void setWords(const QString& words);
    [[nodiscard]] bool isKeeping() const { return m_deps.settings.current().keepsConversations; }
    [[nodiscard]] QString fault() const { return m_fault; }
    [[nodiscard]] bool isOpen() const { return !m_openId.isEmpty(); }
    [[nodiscard]] QString openWhen() const;
    [[nodiscard]] int foundRow() const { return m_foundRow; }
    [[nodiscard]] QString question() const;
    [[nodiscard]] bool hasAny() const { return m_hasAny; }
    [[nodiscard]] bool hasSound() const { return m_sound && !m_sound->path.empty(); }
    [[nodiscard]] bool canPlay() const { return hasSound() && !m_isTalking; }
    [[nodiscard]] bool isPlaying() const;
    [[nodiscard]] QString playTime() const;
    [[nodiscard]] qreal playPosition() const;
    /// The one that is open.
    [[nodiscard]] const core::Transcript& opened() const { return m_opened; }

Q_SIGNALS:
    void changed();
    void playChanged();
    void exportWanted();

private:
    enum class Asked { Nothing, One, All };

    void look();
    /// It is surely in the list no longer.
    [[nodiscard]] bool isGone(const QString& id) const;
    void setFault(const core::Error& error);
    void lookForRow();
    void openSound();
    void followPlayer();

    Dependencies m_deps;
    SavedConversationModel m_conversations;
    SavedLineModel m_lines;
    QString m_words;
    QString m_fault;
    bool m_hasAny = false;
    QString m_openId;
    core::Transcript m_opened;
    int m_foundRow = -1;
    /// Of the one that is open.
    std::optional<core::SavedSound> m_sound;
    int m_playedFrom = -1;
    bool m_isTalking = false;
    /// What comes late finds nothing here when we are gone.
    std::shared_ptr<HistoryViewModel*> m_self;
    Asked m_asked = Asked::Nothing;
    QString m_askedId;
    QString m_askedWhen;
};

} // namespace vivavoce::ui
