#pragma once

#include "ui/style/string_shape.h"

#include <QSGGeometryNode>
#include <QSGRenderNode>

class QQuickWindow;

namespace vivavoce::ui {

/// All strokes as one geometry, for every graphics API. Threads: the scene graph's.
class StringGeometryNode final : public QSGGeometryNode {
public:
    StringGeometryNode();
    void setStrokes(const std::vector<Stroke>& strokes, qreal width);

private:
    QSGGeometry m_vertices;
};

/// The same for the software backend, which draws no geometry of ours.
class StringPainterNode final : public QSGRenderNode {
public:
    explicit StringPainterNode(QQuickWindow* window) : m_window(window) {}
    void setStrokes(std::vector<Stroke> strokes, const QRectF& room);

    void render(const RenderState* state) override;
    [[nodiscard]] RenderingFlags flags() const override { return BoundedRectRendering; }
    [[nodiscard]] QRectF rect() const override { return m_room; }

private:
    QQuickWindow* m_window;
    std::vector<Stroke> m_strokes;
    QRectF m_room;
};

} // namespace vivavoce::ui
