// What uPlot is told: scales whose limits are the view's, and axes whose ticks are ours.

import { ticksOf, upperLabel, upperTicks } from "./_axes.js";

const TWO_SIDED = ["mjd", "ra"];

export function optionsOf(view) {
  const { chart } = view;
  const scale = (key) => ({
    time: false,
    auto: false,
    distr: chart[key].log ? 3 : 1,
    dir: chart[key].kind === "ra" ? -1 : 1,
    range: () => view.limits[key],
  });
  const two = TWO_SIDED.includes(chart.x.kind);
  return {
    ...view.space,
    series: [{}, { paths: () => null, points: { show: false } }],
    scales: { x: scale("x"), y: scale("y") },
    legend: { show: false },
    cursor: { show: false },
    padding: [two ? 0 : 8, chart.x.kind === "mjd" ? 34 : 18, 0, 0], // half a date's width
    axes: [lower(view), left(view), ...(two ? [upper(view)] : [])],
    hooks: { draw: [() => view.paint()] },
  };
}

// `ticks` makes ticks and texts together; `room` says how many labels fit
function axis(view, key, room, ticks, more) {
  const { colours } = view;
  let texts = [];
  const splits = (u, index, low, high) => {
    const made = ticks(low, high, Math.max(2, Math.floor(room(u))));
    texts = made.texts;
    return made.ticks;
  };
  return {
    scale: key,
    splits,
    values: () => texts,
    filter: (u, values) => values,
    stroke: colours.text,
    font: `11px ${colours.family}`,
    labelFont: `12px ${colours.family}`,
    labelGap: 0,
    ticks: { stroke: colours.edge, width: 1, size: 5 },
    border: { show: true, stroke: colours.edge, width: 1 },
    ...more,
  };
}

const grid = (view, show) => ({ show, stroke: view.colours.grid, width: 1 });

const across = (pixels) => (u) => (u.width - 80) / pixels;

function lower(view) {
  const ticks = (...range) => ticksOf(view.chart.x, ...range);
  const more = { label: view.chart.x.label, size: 26, labelSize: 20, grid: grid(view, true) };
  return axis(view, "x", across(92), ticks, more);
}

function left(view) {
  const ticks = (...range) => ticksOf(view.chart.y, ...range);
  const longest = (texts) => Math.max(2, ...(texts ?? []).map((text) => String(text ?? "").length));
  return axis(view, "y", (u) => (u.height - 80) / 40, ticks, {
    label: view.chart.y.label,
    labelSize: 20,
    size: (u, texts) => 16 + 6.4 * longest(texts),
    grid: grid(view, view.chart.y.kind !== "rows"),
  });
}

function upper(view) {
  const { kind } = view.chart.x;
  const ticks = (...range) => upperTicks(kind, ...range);
  return axis(view, "x", across(104), ticks, {
    side: 0,
    label: () => upperLabel(kind, ...view.limits.x),
    size: 24,
    labelSize: 18,
    grid: grid(view, false),
  });
}
