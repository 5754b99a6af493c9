#pragma once

#include "ui/style/string_shape.h"

#include <QQuickItem>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// The string that sounds when someone speaks: the user from the left in one hue, the agent from the right in another.
/// Invariant: while nothing moves, nothing runs and nothing is painted.
class VoiceString : public QQuickItem {
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(vivavoce::ui::Voice voice READ voice WRITE setVoice NOTIFY voiceChanged)
    /// From 0 to 1.
    Q_PROPERTY(qreal userLevel READ userLevel WRITE setUserLevel NOTIFY levelsChanged)
    Q_PROPERTY(qreal agentLevel READ agentLevel WRITE setAgentLevel NOTIFY levelsChanged)
    Q_PROPERTY(QColor userHue MEMBER m_userHue NOTIFY lookChanged)
    Q_PROPERTY(QColor agentHue MEMBER m_agentHue NOTIFY lookChanged)
    Q_PROPERTY(QColor ink MEMBER m_ink NOTIFY lookChanged)
    Q_PROPERTY(QColor bad MEMBER m_bad NOTIFY lookChanged)
    Q_PROPERTY(bool isMotionReduced MEMBER m_isMotionReduced NOTIFY lookChanged)
    /// Whether anything moves just now.
    Q_PROPERTY(bool isMoving READ isMoving NOTIFY isMovingChanged)

public:
    explicit VoiceString(QQuickItem* parent = nullptr);
    ~VoiceString() override;

    [[nodiscard]] Voice voice() const { return m_voice; }
    void setVoice(Voice voice);
    [[nodiscard]] qreal userLevel() const { return m_wantedUser; }
    void setUserLevel(qreal level);
    [[nodiscard]] qreal agentLevel() const { return m_wantedAgent; }
    void setAgentLevel(qreal level);
    [[nodiscard]] bool isMoving() const;

Q_SIGNALS:
    void voiceChanged();
    void levelsChanged();
    void lookChanged();
    void isMovingChanged();

protected:
    QSGNode* updatePaintNode(QSGNode* old, UpdatePaintNodeData* data) override;
    void itemChange(ItemChange change, const ItemChangeData& data) override;
    void geometryChange(const QRectF& now, const QRectF& before) override;

private:
    class Motion;

    /// Does what `wantsMotion` says.
    void wake();
    [[nodiscard]] bool wantsMotion() const;
    void settle();
    void advance(qreal seconds);
    [[nodiscard]] StringPose pose() const;

    Voice m_voice = Voice::Idle;
    qreal m_wantedUser = 0;
    qreal m_wantedAgent = 0;
    qreal m_user = 0;
    qreal m_agent = 0;
    qreal m_time = 0;
    qreal m_parting = 0;
    bool m_isMotionReduced = false;
    QColor m_userHue = Qt::red;
    QColor m_agentHue = Qt::blue;
    QColor m_ink = Qt::black;
    QColor m_bad = Qt::red;
    std::unique_ptr<Motion> m_motion;
};

} // namespace vivavoce::ui
