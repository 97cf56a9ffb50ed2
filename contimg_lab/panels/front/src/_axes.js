// Where ticks stand and what they say: MJD written out, UTC, right ascension, plain logarithms.

import { MINUS, mjdOfYear, utc } from "./_words.js";

const NICE = [1, 2, 2.5, 5, 10];
const DAY_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
].map((s) => s / 86_400).concat([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
const HOUR_STEPS = [1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 3, 6];

export const nice = (least) => {
  const decade = 10 ** Math.floor(Math.log10(least));
  return decade * NICE.find((n) => n * decade >= least * 0.999);
};

const stepFrom = (steps, least) => steps.find((step) => step >= least) ?? steps.at(-1);

function multiples(low, high, step) {
  const ticks = [];
  // by whole numbers, so that 0.1 + 0.2 is written 0.3
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
    ticks.push(n * step);
    if (ticks.length > 200) break;
  }
  return ticks;
}

const decimalsOf = (step) => {
  for (let d = 0; d < 12; d++) if (Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) return d;
  return 12;
};

export function plain(value, step) {
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && step < 1e-6)) return value.toExponential(2).replace("-", MINUS);
  return value.toFixed(decimalsOf(step)).replace("-", MINUS);
}

// how many steps a decade's ticks take, by the decades that are shown
function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  const subs =
    decades <= 0.35 ? null
    : decades <= 0.7 ? [1, 1.5, 2, 3, 4, 5, 7]
    : decades <= 2.2 ? [1, 2, 5]
    : decades <= 3.5 ? [1, 3]
    : [1];
  if (!subs) return multiples(low, high, nice((high - low) / count));
  const every = Math.max(1, Math.ceil(decades / Math.max(count, 2)));
  const ticks = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++) {
    if (subs.length === 1 && p % every) continue;
    for (const sub of subs) {
      const tick = sub * 10 ** p;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

const logLabel = (value) => {
  const text = Number(value.toPrecision(6));
  if (text >= 1e-4 && text < 1e5) return String(text);
  return text.toExponential().replace("e+", "e").replace("-", MINUS);
};

// for each kind of axis: ticks between two limits, room for `count` labels, and their texts
export function ticksOf(axis, low, high, count) {
  if (axis.kind === "rows") {
    const ticks = axis.rows.map((_, i) => i).filter((i) => i >= low && i <= high);
    return { ticks, texts: ticks.map((i) => axis.rows[i]) };
  }
  if (axis.log) {
    const ticks = logTicks(low, high, count);
    return { ticks, texts: ticks.map(logLabel) };
  }
  const least = (high - low) / Math.max(count, 1);
  if (axis.kind === "ra" || axis.kind === "hour") {
    const turn = axis.kind === "ra" ? 15 : 1;
    const step = stepFrom(HOUR_STEPS, least / turn) * turn;
    const ticks = multiples(low, high, step);
    const write = axis.kind === "ra" ? degrees : hourLabel;
    return { ticks, texts: ticks.map(write) };
  }
  const step = nice(least);
  const ticks = multiples(low, high, step);
  return { ticks, texts: ticks.map((v) => plain(v, step)) };
}

const degrees = (v) => String(Number((((v % 360) + 360) % 360).toFixed(4)));

const hourLabel = (h) => {
  const minutes = ((Math.round(h * 60) % 1440) + 1440) % 1440;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}h${rest ? String(rest).padStart(2, "0") + "m" : ""}`;
};

// the other side of the axes: UTC over MJD, hours over degrees
export function upperTicks(kind, low, high, count) {
  if (kind === "ra") {
    const step = stepFrom(HOUR_STEPS, (high - low) / 15 / count) * 15;
    const ticks = multiples(low, high, step);
    return { ticks, texts: ticks.map((v) => hourLabel(v / 15)) };
  }
  const step = stepFrom(DAY_STEPS, (high - low) / count);
  const ticks = multiples(low, high, step);
  const texts = ticks.map((mjd) =>
    step >= 1 ? utc(mjd, 10) : step >= 1 / 1440 ? utc(mjd, 16).slice(5) : utc(mjd).slice(11),
  );
  return { ticks, texts };
}

export function upperLabel(kind, low, high) {
  if (kind === "ra") return "Right ascension (h)";
  const first = utc(low, 4);
  const last = utc(high, 4);
  if (high - low > 366 || first !== last) return "UTC";
  return mjdOfYear(Number(first)) <= low ? `UTC (${first})` : "UTC";
}
