// Everything inside the axes, drawn with the scales that uPlot keeps.

import { drawChosen, drawSpans, drawUnder, place, placeSpans } from "./_marks.js";

const RINGS = 60;
const PX_PER_POINT = 96 / 72;

// from values to canvas pixels, once a drawing rather than once a point
export function mapOf(box, limits, axes) {
  const make = (axis, [low, high], from, length, flip) => {
    const t = axis.log ? Math.log10 : (v) => v;
    const [a, b] = [t(low), t(high)];
    const scale = length / (b - a);
    return flip ? (v) => from + (b - t(v)) * scale : (v) => from + (t(v) - a) * scale;
  };
  return {
    x: make(axes.x, limits.x, box.left, box.width, axes.x.kind === "ra"),
    y: make(axes.y, limits.y, box.top, box.height, true),
  };
}

// what lies under the chosen points; where nothing but the choice moves, it can be kept
export function paintUnder(c, chart, env) {
  const { box, map } = env;
  for (const part of chart.points) place(part, map, box);
  for (const part of chart.spans) placeSpans(part, map, box);
  const low = (look) => look.order < 2;
  const lines = [...chart.levels, ...chart.lines];
  inside(c, box, () => {
    for (const band of chart.bands) paintBand(c, band, env);
    for (const part of chart.spans) drawSpans(c, part, env);
    for (const line of lines) if (low(line.look)) paintLine(c, line, env);
    for (const part of chart.points) drawUnder(c, part, env);
    for (const line of lines) if (!low(line.look)) paintLine(c, line, env);
  });
}

// what is above that: the chosen points, their rings, and the words
export function paintChosen(c, chart, env) {
  inside(c, env.box, () => {
    for (const part of chart.points) drawChosen(c, part, env);
    paintRings(c, chart, env);
    paintWords(c, chart, env);
  });
}

function inside(c, box, draw) {
  c.save();
  c.beginPath();
  c.rect(box.left, box.top, box.width, box.height);
  c.clip();
  draw();
  c.restore();
}

function paintBand(c, band, { map, box, colours }) {
  const end = (value, at, other) => (value === null ? other : at(value));
  const xs = [end(band.x[0], map.x, box.left), end(band.x[1], map.x, box.right)];
  const ys = [end(band.y[0], map.y, box.bottom), end(band.y[1], map.y, box.top)];
  c.globalAlpha = band.look.alpha;
  c.fillStyle = colours.of(band.look.colour);
  c.fillRect(Math.min(...xs), Math.min(...ys), Math.abs(xs[1] - xs[0]), Math.abs(ys[1] - ys[0]));
  c.globalAlpha = 1;
}

export function lineStyle(c, look, colours, ratio) {
  c.strokeStyle = colours.of(look.colour);
  c.lineWidth = look.width * PX_PER_POINT * ratio;
  const dashes = { "--": [5, 3], ":": [1.5, 2.5] }[look.dash] ?? [];
  c.setLineDash(dashes.map((d) => d * ratio * PX_PER_POINT));
}

function paintLine(c, line, { map, box, colours, ratio }) {
  lineStyle(c, line.look, colours, ratio);
  c.beginPath();
  if (line.axis === "x") {
    c.moveTo(map.x(line.at), box.top);
    c.lineTo(map.x(line.at), box.bottom);
  } else if (line.axis === "y") {
    c.moveTo(box.left, map.y(line.at));
    c.lineTo(box.right, map.y(line.at));
  } else {
    for (let i = 0; i < line.x.length; i++) c.lineTo(map.x(line.x[i]), map.y(line.y[i]));
  }
  c.stroke();
  c.setLineDash([]);
}

// rings about what is selected, once a place
function paintRings(c, chart, { chosen, colours, ratio }) {
  if (!chosen.count || chosen.count > RINGS) return;
  const look = chart.selected_look;
  c.strokeStyle = colours.of(look.colour);
  c.lineWidth = look.width * PX_PER_POINT * ratio;
  const r = (look.size / 2) * PX_PER_POINT * ratio * (chosen.count > 1 ? 0.75 : 1);
  const seen = new Set();
  for (const part of chart.points) {
    if (!part.keys) continue;
    for (let i = 0; i < part.x.length; i++) {
      const key = part.keys[i];
      if (!chosen.on[key] || seen.has(key) || !Number.isFinite(part.px[i] + part.py[i])) continue;
      seen.add(key);
      c.beginPath();
      c.arc(part.px[i], part.py[i], r, 0, 2 * Math.PI);
      c.stroke();
    }
  }
}

function paintWords(c, chart, { box, colours, ratio }) {
  c.textBaseline = "bottom";
  c.font = `${12 * ratio}px ${colours.family}`;
  if (chart.empty) {
    c.textAlign = "center";
    c.fillStyle = colours.text;
    c.fillText(chart.empty, box.left + box.width / 2, box.top + box.height / 2, box.width);
  }
  c.textAlign = "right";
  const lines = [...chart.corner].reverse();
  lines.forEach((words, i) => {
    const y = box.bottom - (6 + 16 * i) * ratio;
    const width = c.measureText(words).width;
    c.globalAlpha = 0.85;
    c.fillStyle = colours.page;
    c.fillRect(box.right - width - 10 * ratio, y - 15 * ratio, width + 8 * ratio, 17 * ratio);
    c.globalAlpha = 1;
    c.fillStyle = colours.text;
    c.fillText(words, box.right - 6 * ratio, y);
  });
}
