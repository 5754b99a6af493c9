#include "ui/style/voice_string.h"

#include "ui/style/string_nodes.h"

#include <QAbstractAnimation>
#include <QQuickWindow>
#include <QSGRendererInterface>

#include <algorithm>
#include <cmath>

namespace vivavoce::ui {
namespace {

/// Below it a voice moves the string less than a pixel.
constexpr qreal kStill = 0.01;
constexpr qreal kPartingSeconds = 0.32;
/// The software renderer paints on the processor: half the frames look the same there.
constexpr int kSoftwareFrameMs = 33;

/// Fast up, slow down: as one hears it.
qreal follow(qreal now, qreal wanted, qreal seconds)
{
    const qreal time = wanted > now ? 0.04 : 0.18;
    const qreal next = wanted + (now - wanted) * std::exp(-seconds / time);
    return std::abs(next - wanted) < kStill / 2 ? wanted : next;
}

bool isSoftware(const QQuickWindow* window)
{
    return window != nullptr && window->rendererInterface()->graphicsApi() == QSGRendererInterface::Software;
}

} // namespace

/// Steps with the frames of the scene while it runs.
class VoiceString::Motion final : public QAbstractAnimation {
public:
    explicit Motion(VoiceString& string) : m_string(string) {}
    [[nodiscard]] int duration() const override { return -1; }

protected:
    void updateState(State state, State) override
    {
        if (state == Running) {
            m_last = 0;
        }
    }
    void updateCurrentTime(int time) override
    {
        if (isSoftware(m_string.window()) && time - m_last < kSoftwareFrameMs) {
            return;
        }
        const qreal seconds = std::clamp(time - m_last, 0, 100) / 1000.0;
        m_last = time;
        m_string.advance(seconds);
    }

private:
    VoiceString& m_string;
    int m_last = 0;
};

VoiceString::VoiceString(QQuickItem* parent) : QQuickItem(parent), m_motion(std::make_unique<Motion>(*this))
{
    setFlag(ItemHasContents);
    connect(this, &VoiceString::lookChanged, this, [this] {
        wake();
        update();
    });
}

VoiceString::~VoiceString() = default;

void VoiceString::setVoice(Voice voice)
{
    if (m_voice == voice) {
        return;
    }
    m_voice = voice;
    if (m_isMotionReduced) {
        m_parting = voice == Voice::Failed ? 1 : 0;
    }
    wake();
    update();
    Q_EMIT voiceChanged();
}

void VoiceString::setUserLevel(qreal level)
{
    if (m_wantedUser != level) {
        m_wantedUser = level;
        settle();
        wake();
        Q_EMIT levelsChanged();
    }
}

void VoiceString::setAgentLevel(qreal level)
{
    if (m_wantedAgent != level) {
        m_wantedAgent = level;
        settle();
        wake();
        Q_EMIT levelsChanged();
    }
}

/// Without motion, levels are what they are at once.
void VoiceString::settle()
{
    if (m_isMotionReduced) {
        m_user = m_wantedUser;
        m_agent = m_wantedAgent;
        update();
    }
}

bool VoiceString::isMoving() const
{
    return m_motion->state() == QAbstractAnimation::Running;
}

bool VoiceString::wantsMotion() const
{
    if (!isVisible() || window() == nullptr || window()->visibility() == QWindow::Hidden
        || window()->visibility() == QWindow::Minimized) {
        return false;
    }
    const bool isSounding = m_user != m_wantedUser || m_agent != m_wantedAgent || m_user > kStill || m_agent > kStill;
    if (m_isMotionReduced) {
        return m_parting != (m_voice == Voice::Failed ? 1 : 0);
    }
    switch (m_voice) {
    case Voice::Connecting:
    case Voice::Reconnecting:
    case Voice::Thinking:
    case Voice::Tool:
        return true;
    case Voice::Failed:
        return m_parting < 1;
    default:
        return isSounding || m_parting > 0;
    }
}

void VoiceString::wake()
{
    const bool wanted = wantsMotion();
    if (wanted == isMoving()) {
        return;
    }
    if (wanted) {
        m_motion->start();
    } else {
        m_motion->stop();
    }
    Q_EMIT isMovingChanged();
}

void VoiceString::advance(qreal seconds)
{
    m_time += seconds;
    m_user = follow(m_user, m_wantedUser, seconds);
    m_agent = follow(m_agent, m_wantedAgent, seconds);
    const qreal step = m_isMotionReduced ? 1 : seconds / kPartingSeconds;
    m_parting = std::clamp(m_parting + (m_voice == Voice::Failed ? step : -step), 0.0, 1.0);
    update();
    wake();
}

StringPose VoiceString::pose() const
{
    StringPose pose;
    pose.state = m_voice;
    pose.size = size();
    pose.user = m_user;
    pose.agent = m_agent;
    pose.time = m_time;
    // Ease out.
    pose.parting = 1 - std::pow(1 - m_parting, 3.0);
    pose.isMotionReduced = m_isMotionReduced;
    pose.userHue = m_userHue;
    pose.agentHue = m_agentHue;
    pose.ink = m_ink;
    pose.bad = m_bad;
    return pose;
}

QSGNode* VoiceString::updatePaintNode(QSGNode* old, UpdatePaintNodeData*)
{
    if (isSoftware(window())) {
        auto* node = old != nullptr ? static_cast<StringPainterNode*>(old) : new StringPainterNode(window());
        node->setStrokes(stringShape(pose()), boundingRect());
        return node;
    }
    auto* node = old != nullptr ? static_cast<StringGeometryNode*>(old) : new StringGeometryNode;
    node->setStrokes(stringShape(pose()), width());
    return node;
}

void VoiceString::itemChange(ItemChange change, const ItemChangeData& data)
{
    if (change == ItemSceneChange && data.window != nullptr) {
        // A window that nobody sees needs no frames.
        connect(data.window, &QWindow::visibilityChanged, this, [this] { wake(); });
        connect(data.window, &QQuickWindow::sceneGraphInitialized, this, [this] { update(); });
    }
    if (change == ItemSceneChange || change == ItemVisibleHasChanged) {
        wake();
    }
    QQuickItem::itemChange(change, data);
}

void VoiceString::geometryChange(const QRectF& now, const QRectF& before)
{
    QQuickItem::geometryChange(now, before);
    update();
}

} // namespace vivavoce::ui
