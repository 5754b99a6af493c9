#include "ui/style/string_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vivavoce::ui {
namespace {

constexpr qreal kPi = std::numbers::pi;
constexpr qreal kThin = 1.5;
constexpr qreal kThick = 2.5;
/// Between two points of a curve, in pixels: finer is not seen.
constexpr qreal kStep = 4;
constexpr qreal kRoom = 0.2;

QColor faded(QColor color, qreal opacity)
{
    color.setAlphaF(static_cast<float>(std::clamp(opacity, 0.0, 1.0) * color.alphaF()));
    return color;
}

template <typename Height>
std::vector<QPointF> curve(const StringPose& pose, qreal from, qreal to, Height height)
{
    const qreal width = pose.size.width();
    const int steps = std::max(2, static_cast<int>(std::ceil((to - from) * width / kStep)));
    std::vector<QPointF> points;
    points.reserve(static_cast<std::size_t>(steps) + 1);
    for (int i = 0; i <= steps; ++i) {
        const qreal at = from + (to - from) * i / steps;
        points.emplace_back(at * width, pose.size.height() / 2 - height(at));
    }
    return points;
}

qreal bump(qreal at, qreal centre, qreal width)
{
    const qreal distance = (at - centre) / width;
    return std::exp(-distance * distance);
}

/// A pluck at `pluck`: standing waves that are strongest there, and still at both ends.
qreal plucked(qreal at, qreal pluck, qreal time)
{
    const qreal near = bump(at, pluck, 0.34);
    const qreal wave = std::sin(3 * kPi * at) * std::cos(time * 9.0)
        + 0.55 * std::sin(5 * kPi * at + 0.4) * std::cos(time * 13.7 + 1)
        + 0.35 * std::sin(8 * kPi * at) * std::cos(time * 19.3 + 2);
    return std::sin(kPi * at) * near * wave;
}

/// A voice's own string. `pluck` says on which side it sounds; the hue fades towards the other.
void addVoice(std::vector<Stroke>& strokes, const StringPose& pose, qreal level, qreal pluck, const QColor& hue)
{
    if (level < 0.005) {
        return;
    }
    // Harmonics add up: the tops are rounded off within the room there is.
    const qreal room = pose.size.height() / 2 - kThick;
    const qreal reach = room * 0.85 * level;
    const bool isLeft = pluck < 0.5;
    for (const qreal echo : {1.0, 0.55}) {
        Stroke stroke;
        const qreal time = pose.time - (echo < 1 ? 0.09 : 0);
        stroke.points = curve(
            pose, 0, 1, [&](qreal at) { return room * std::tanh(plucked(at, pluck, time) * reach * echo / room); });
        const qreal strength = std::min(1.0, 0.45 + level) * (echo < 1 ? 0.35 : 1);
        stroke.colors = {{0, faded(hue, isLeft ? strength : 0)}, {0.5, faded(hue, strength * 0.8)},
            {1, faded(hue, isLeft ? 0 : strength)}};
        stroke.width = echo < 1 ? kThin : kThick;
        strokes.push_back(std::move(stroke));
    }
}

void addLine(std::vector<Stroke>& strokes, const StringPose& pose, qreal from, qreal to, const QColor& color)
{
    const qreal middle = pose.size.height() / 2;
    strokes.push_back(
        {{{from * pose.size.width(), middle}, {to * pose.size.width(), middle}}, {{0, color}, {1, color}}, kThin});
}

void addDashes(std::vector<Stroke>& strokes, const StringPose& pose)
{
    constexpr qreal kDash = 10;
    constexpr qreal kGap = 8;
    const qreal width = std::max(pose.size.width(), 1.0);
    // As many as fit whole, so that it starts and ends with one.
    const int dashes = std::max(1, static_cast<int>((width + kGap) / (kDash + kGap)));
    const qreal pitch = dashes > 1 ? (width - kDash) / (dashes - 1) : 0;
    for (int i = 0; i < dashes; ++i) {
        addLine(strokes, pose, i * pitch / width, std::min((i * pitch + kDash) / width, 1.0), pose.ink);
    }
}

/// Two halves whose ends droop.
void addParted(std::vector<Stroke>& strokes, const StringPose& pose)
{
    const qreal gap = 0.045 * pose.parting;
    const qreal fall = pose.size.height() * 0.3 * pose.parting;
    const auto droop = [&](qreal toEnd) { return -fall * std::pow(std::clamp(toEnd, 0.0, 1.0), 3.0); };
    const QColor end = pose.bad;
    strokes.push_back({curve(pose, 0, 0.5 - gap, [&](qreal at) { return droop(at / (0.5 - gap)); }),
        {{0, pose.ink}, {0.3, pose.ink}, {0.5, end}}, kThin});
    strokes.push_back({curve(pose, 0.5 + gap, 1, [&](qreal at) { return droop((1 - at) / (0.5 - gap)); }),
        {{0.5, end}, {0.7, pose.ink}, {1, pose.ink}}, kThin});
}

void addPulse(std::vector<Stroke>& strokes, const StringPose& pose)
{
    constexpr qreal kJourney = 1.6;
    const qreal centre = -0.15 + 1.3 * std::fmod(pose.time / kJourney, 1.0);
    const qreal reach = pose.size.height() * 0.16;
    strokes.push_back({curve(pose, 0, 1, [&](qreal at) { return reach * bump(at, centre, 0.05) * std::sin(kPi * at); }),
        {{0, pose.ink}, {1, pose.ink}}, kThin});
    const auto glow = [&](qreal at) {
        return faded(pose.agentHue, 1 - std::abs(std::clamp(at, 0.0, 1.0) - centre) / 0.14);
    };
    Stroke light{strokes.back().points, {}, kThick};
    for (const qreal offset : {-0.14, 0.0, 0.14}) {
        light.colors.push_back({std::clamp(centre + offset, 0.0, 1.0), glow(centre + offset)});
    }
    strokes.push_back(std::move(light));
}

void addShimmer(std::vector<Stroke>& strokes, const StringPose& pose)
{
    const qreal breath = 0.5 + 0.5 * std::sin(pose.time * 2.2);
    const qreal reach = pose.size.height() * 0.07;
    const auto height = [&](qreal at) {
        return reach * bump(at, 0.5, 0.16) * std::sin(14 * kPi * at - pose.time * 3.0) * (0.55 + 0.45 * breath);
    };
    const auto points = curve(pose, 0, 1, height);
    strokes.push_back({points, {{0, pose.ink}, {1, pose.ink}}, kThin});
    const QColor glow = faded(pose.agentHue, 0.55 + 0.45 * breath);
    strokes.push_back({points, {{0.26, faded(glow, 0)}, {0.5, glow}, {0.74, faded(glow, 0)}}, kThick});
}

/// Motion reduced: a bar for each voice on one line, growing from its own side.
void addBars(std::vector<Stroke>& strokes, const StringPose& pose)
{
    constexpr qreal kBar = 6;
    addLine(strokes, pose, 0, 1, pose.ink);
    const qreal middle = pose.size.height() / 2;
    const qreal width = pose.size.width();
    if (pose.user > 0.005) {
        strokes.push_back({{{kBar / 2, middle}, {kBar / 2 + width * 0.5 * pose.user, middle}},
            {{0, pose.userHue}, {1, pose.userHue}}, kBar});
    }
    if (pose.agent > 0.005) {
        strokes.push_back({{{width * (1 - 0.5 * pose.agent), middle}, {width, middle}},
            {{0, pose.agentHue}, {1, pose.agentHue}}, kBar});
    }
}

} // namespace

QColor Stroke::colorAt(qreal at) const
{
    if (colors.empty()) {
        return {};
    }
    auto right = std::find_if(colors.begin(), colors.end(), [at](const Stop& stop) { return stop.at >= at; });
    if (right == colors.begin()) {
        return colors.front().color;
    }
    if (right == colors.end()) {
        return colors.back().color;
    }
    const Stop& a = *(right - 1);
    const float share = static_cast<float>((at - a.at) / std::max(right->at - a.at, 1e-6));
    const auto mix = [share](float from, float to) { return from + (to - from) * share; };
    return QColor::fromRgbF(mix(a.color.redF(), right->color.redF()), mix(a.color.greenF(), right->color.greenF()),
        mix(a.color.blueF(), right->color.blueF()), mix(a.color.alphaF(), right->color.alphaF()));
}

std::vector<Stroke> stringShape(const StringPose& pose)
{
    std::vector<Stroke> strokes;
    if (pose.size.width() < 8) {
        return strokes;
    }
    if (pose.parting > 0.001) {
        addParted(strokes, pose);
        return strokes;
    }
    if (pose.state == Voice::Muted) {
        addDashes(strokes, pose);
        return strokes;
    }
    if (pose.isMotionReduced) {
        addBars(strokes, pose);
        return strokes;
    }
    if (pose.state == Voice::Connecting || pose.state == Voice::Reconnecting) {
        addPulse(strokes, pose);
    } else if (pose.state == Voice::Thinking || pose.state == Voice::Tool) {
        addShimmer(strokes, pose);
    } else {
        addLine(strokes, pose, 0, 1, faded(pose.ink, 1 - 0.6 * std::max(pose.user, pose.agent)));
    }
    addVoice(strokes, pose, pose.agent, 0.68, pose.agentHue);
    // The room's own noise is shown only while it is listened to.
    const bool isUsersTurn = pose.state == Voice::Listening || pose.state == Voice::Hearing;
    const qreal user = isUsersTurn ? pose.user : std::max(0.0, (pose.user - kRoom) / (1 - kRoom));
    addVoice(strokes, pose, user, 0.32, pose.userHue);
    return strokes;
}

} // namespace vivavoce::ui
