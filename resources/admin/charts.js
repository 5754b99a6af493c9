// Bars, drawn with the DOM: colours come from the style sheet, numbers from the table beside them.
import { svg } from './dom.js';

const kHeight = 180;
const kLeft = 48;
const kBottom = 24;

/** A round number that is not smaller. */
function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
}

/** bars: [{ name, value }]; `kind`: "minutes" or "cost". `label` says what is seen. */
export function barChart({ bars, kind, label, write, width }) {
  const top = ceiling(Math.max(...bars.map(({ value }) => value), 0));
  const plot = { width: width - kLeft - 8, height: kHeight - kBottom - 8 };
  const step = plot.width / Math.max(bars.length, 1);
  const chart = svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${kHeight}`, width, height: kHeight, role: 'img', 'aria-label': label });
  for (const part of [0, 0.5, 1]) {
    const y = 8 + plot.height * (1 - part);
    const text = svg('text', { x: kLeft - 8, y: y + 4, 'text-anchor': 'end' });
    text.textContent = write(top * part);
    chart.append(svg('line', { class: 'axis', x1: kLeft, x2: width - 8, y1: y, y2: y }), text);
  }
  const every = Math.ceil(bars.length / Math.max(Math.floor(plot.width / 72), 1));
  bars.forEach(({ name, value }, index) => {
    const height = plot.height * (value / top);
    const x = kLeft + step * index + step * 0.15;
    const title = svg('title');
    title.textContent = `${name}: ${write(value)}`;
    chart.append(svg('rect', { class: kind, x, y: 8 + plot.height - height, width: Math.min(step * 0.7, 64), height, rx: Math.min(2, height / 2) }, title));
    if (index % every === 0) {
      const text = svg('text', { x: x + Math.min(step * 0.35, 32), y: kHeight - 8, 'text-anchor': 'middle' });
      text.textContent = name.length > 12 ? `${name.slice(0, 11)}…` : name;
      chart.append(text);
    }
  });
  return chart;
}

/** How much of a whole is gone. */
export function meter(spent, whole, label) {
  const share = whole > 0 ? Math.min(spent / whole, 1) : 1;
  const state = share >= 1 ? 'over' : share >= 0.8 ? 'near' : '';
  return svg('svg', { class: 'meter', viewBox: '0 0 100 8', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    svg('rect', { class: 'track', x: 0, y: 0, width: 100, height: 8 }),
    svg('rect', { class: `spent ${state}`, x: 0, y: 0, width: share * 100, height: 8 }));
}
