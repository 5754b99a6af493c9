#pragma once

#include "core/usage/usage_tally.h"

#include <QObject>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// Tokens by kind, and what they come to.
class UsageViewModel : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(bool isEmpty READ isEmpty NOTIFY changed)
    /// "1,204", in the reader's own way of writing numbers.
    Q_PROPERTY(QString textIn READ textIn NOTIFY changed)
    Q_PROPERTY(QString audioIn READ audioIn NOTIFY changed)
    Q_PROPERTY(QString cachedIn READ cachedIn NOTIFY changed)
    Q_PROPERTY(QString textOut READ textOut NOTIFY changed)
    Q_PROPERTY(QString audioOut READ audioOut NOTIFY changed)
    /// All of them.
    Q_PROPERTY(QString total READ total NOTIFY changed)
    /// What writing down the user's words took: "104", or "12 s" where it is counted in time; empty: nothing.
    Q_PROPERTY(QString transcription READ transcription NOTIFY changed)
    /// "≈ $0.012"; "≥ $0.012" where the transcriber's price is not known; "Free", or empty where nobody knows.
    Q_PROPERTY(QString money READ money NOTIFY changed)
    Q_PROPERTY(QString pricesAsOf READ pricesAsOf NOTIFY changed)
    /// The model has no price here: nothing is estimated.
    Q_PROPERTY(bool isPriceUnknown READ isPriceUnknown NOTIFY changed)

public:
    explicit UsageViewModel(QObject* parent = nullptr) : QObject(parent) {}

    /// On top of what was counted before.
    void add(const core::UsageTally& tally);
    /// The same for what wrote down the user's words.
    void addTranscription(std::string transcriber, const core::TranscriptionTally& tally);
    void clear();
    /// Whose prices count. `isFree`: the agent of this computer, whatever it calls itself.
    void setModel(std::string model, bool isFree);

    [[nodiscard]] const core::UsageTally& tally() const { return m_tally; }
    [[nodiscard]] bool isEmpty() const { return m_tally.isEmpty() && m_transcription.isEmpty(); }
    [[nodiscard]] QString textIn() const { return number(m_tally.textIn + m_tally.imageIn); }
    [[nodiscard]] QString audioIn() const { return number(m_tally.audioIn); }
    [[nodiscard]] QString cachedIn() const { return number(m_tally.cachedIn()); }
    [[nodiscard]] QString textOut() const { return number(m_tally.textOut); }
    [[nodiscard]] QString audioOut() const { return number(m_tally.audioOut); }
    [[nodiscard]] QString total() const
    {
        return number(m_tally.textIn + m_tally.imageIn + m_tally.audioIn + m_tally.cachedIn() + m_tally.textOut
            + m_tally.audioOut);
    }
    [[nodiscard]] QString transcription() const;
    [[nodiscard]] QString money() const;
    [[nodiscard]] QString pricesAsOf() const;
    [[nodiscard]] bool isPriceUnknown() const;

Q_SIGNALS:
    void changed();

private:
    [[nodiscard]] static QString number(std::int64_t count);

    core::UsageTally m_tally;
    core::TranscriptionTally m_transcription;
    std::string m_transcriber;
    std::string m_model;
    bool m_isFree = false;
};

} // namespace vivavoce::ui
