#pragma once

#include "ui/style/enums.h"

#include <QColor>
#include <QPointF>
#include <QSizeF>

#include <vector>

namespace vivavoce::ui {

/// A line of one thickness whose colour changes along it.
struct Stroke {
    struct Stop {
        /// From 0, the left end of the whole string, to 1.
        qreal at;
        QColor color;
    };
    std::vector<QPointF> points;
    std::vector<Stop> colors;
    qreal width = 2;

    /// Mixed from the stops on both sides of `at` (0 to 1, as in Stop); beyond the outermost stop, that one's colour;
    /// without stops, none.
    [[nodiscard]] QColor colorAt(qreal at) const;
};

/// All that decides how the string looks at one moment.
struct StringPose {
    Voice state = Voice::Idle;
    QSizeF size;
    /// Smoothed, from 0 to 1.
    qreal user = 0;
    qreal agent = 0;
    /// Seconds that something has been moving.
    qreal time = 0;
    /// From 0, whole, to 1, parted.
    qreal parting = 0;
    bool isMotionReduced = false;
    QColor userHue;
    QColor agentHue;
    QColor ink;
    QColor bad;
};

/// The string as strokes, in the order in which they are drawn. Pure.
[[nodiscard]] std::vector<Stroke> stringShape(const StringPose& pose);

} // namespace vivavoce::ui
