pragma Singleton

import QtQuick

/** Paper, ink and two voices; sizes, spaces and motion. The one singleton. */
QtObject {
    id: theme

    /** 0: as the system, 1: light, 2: dark (core::ColourScheme). */
    property int scheme: 0
    property bool isMotionReduced: false

    readonly property SystemPalette system: SystemPalette {}
    readonly property bool isDark: scheme === 2 || (scheme === 0 && luminance(system.window) < 0.18)
    /** A system that shows pure black on pure white, or the other way round, wants contrast above all. */
    readonly property bool isHighContrast: contrast(system.window, system.windowText) > 20.9 && luminance(system.button) * (1 - luminance(system.button)) < 0.001 && luminance(system.base) === luminance(system.window)

    readonly property color paper: pick("#FAF8F5", "#121316", "#FFFFFF", "#000000")
    readonly property color surface: pick("#FFFFFF", "#1A1C20", "#FFFFFF", "#000000")
    readonly property color raised: pick("#F1EEE9", "#24272D", "#FFFFFF", "#000000")
    readonly property color ink: pick("#1D1B19", "#ECEAE6", "#000000", "#FFFFFF")
    readonly property color soft: pick("#5E5952", "#B4B0A9", "#000000", "#FFFFFF")
    readonly property color faint: pick("#8B857C", "#7F7B75", "#000000", "#FFFFFF")
    readonly property color you: pick("#B4491F", "#FF9166", "#8A2F0B", "#FFB08F")
    readonly property color agent: pick("#4B3BB8", "#A99BFF", "#2F1F95", "#C6BDFF")
    readonly property color good: pick("#1E7A46", "#5BD08C", "#0B5A2E", "#7BEBA9")
    readonly property color warn: pick("#8A5A00", "#F2B84B", "#6A4400", "#FFD07A")
    readonly property color bad: pick("#B3261E", "#FF8A80", "#8E120B", "#FFAAA3")
    /** A line between surfaces; not a mark that anybody must see. */
    readonly property color line: isHighContrast ? ink : tint(ink, isDark ? 0.14 : 0.12)
    readonly property color hovered: tint(ink, 0.06)
    readonly property color pressed: tint(ink, 0.11)
    /** The system's accent, where it can be seen. */
    readonly property color focus: contrast(system.highlight, paper) >= 3 ? system.highlight : ink

    readonly property int display: 30
    readonly property int title: 20
    readonly property int body: 15
    readonly property int small: 13
    readonly property int tiny: 11

    readonly property int edge: 16
    readonly property int between: 12
    readonly property int inside: 8
    readonly property int radius: 12
    readonly property int target: 40

    readonly property int feedback: isMotionReduced ? 0 : 120
    readonly property int change: isMotionReduced ? 0 : 200
    readonly property int arrival: isMotionReduced ? 0 : 320

    function pick(light: color, dark: color, plainLight: color, plainDark: color): color {
        if (isHighContrast)
            return isDark ? plainDark : plainLight;
        return isDark ? dark : light;
    }

    function tint(base: color, opacity: real): color {
        return Qt.rgba(base.r, base.g, base.b, opacity);
    }

    /** WCAG 2.1: relative luminance. */
    function luminance(c: color): real {
        const part = v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
        return 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
    }

    function contrast(a: color, b: color): real {
        const la = luminance(a);
        const lb = luminance(b);
        return (Math.max(la, lb) + 0.05) / (Math.min(la, lb) + 0.05);
    }
}
