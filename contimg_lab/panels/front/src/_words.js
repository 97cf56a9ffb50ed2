// Numbers, times and rows in words, as an astronomer writes them.

const DAY_MS = 86_400_000;
const UNIX_EPOCH_MJD = 40587;
export const MINUS = "\u2212";

const signed = (text) => text.replace("-", MINUS);

export function utc(mjd, digits = 19) {
  const ms = Math.round((mjd - UNIX_EPOCH_MJD) * 86_400) * 1000;
  if (!(Math.abs(ms) < 8.64e15)) return "";
  return new Date(ms).toISOString().slice(0, digits).replace("T", " ");
}

export const mjdOfYear = (year) => Date.UTC(year, 0, 1) / DAY_MS + UNIX_EPOCH_MJD;

// to so many significant digits, without an exponent where it can be
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "-";
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  if (power < -4 || power > 6) return signed(value.toExponential(digits - 1));
  return signed(value.toFixed(Math.max(0, digits - 1 - power)));
}

// a value and its error, to two digits of the error
export function withError(value, error) {
  if (!Number.isFinite(value)) return "-";
  if (!(error > 0)) return number(value);
  const power = Math.floor(Math.log10(error));
  if (power < -6 || power > 6) return `${number(value)} ± ${number(error, 2)}`;
  const decimals = Math.max(0, 1 - power);
  return signed(`${value.toFixed(decimals)} ± ${error.toFixed(decimals)}`);
}

export function hours(degrees) {
  const minutes = ((Math.round(degrees * 4 * 60) % 86_400) + 86_400) % 86_400;
  const two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(minutes / 3600);
  return `${h}h${two(Math.floor((minutes % 3600) / 60))}m${two(minutes % 60)}s`;
}

const turned = (degrees) => ((degrees % 360) + 360) % 360;

function along(axis, value, error) {
  const unit = axis.unit ? ` ${axis.unit}` : "";
  const name = axis.name ? `${axis.name} ` : "";
  switch (axis.kind) {
    case "mjd":
      return Number.isFinite(value)
        ? `${name}${value.toFixed(5)} (${utc(value)} UTC)`
        : `${name}- (open)`;
    case "ra":
      return `${name}${turned(value).toFixed(4)}${unit} (${hours(value)})`;
    case "hour":
      return `${name}${hours(value * 15)}`;
    case "rows":
      return axis.rows[Math.round(value)] ?? "";
    default:
      return `${name}${error === undefined ? number(value) : withError(value, error)}${unit}`;
  }
}

function more(columns, i) {
  return columns
    .map((c) => {
      const text = c.texts
        ? c.texts()[i]
        : `${withError(c.values[i], c.err?.[i])}${
            Number.isFinite(c.values[i]) && c.unit ? ` ${c.unit}` : ""
          }`;
      return text && text !== "-" ? `${c.name} ${text}` : "";
    })
    .filter(Boolean);
}

// the lines of one point's row: what it is, where it stands, and whatever else is known of it
export function rowOf(chart, target) {
  const { part, i } = target;
  const key = part.keys ? `${chart.noun} ${chart.keys()[part.keys[i]]}`.trim() : "";
  const head = [part.name, key].filter(Boolean).join(" · ");
  if (target.span) {
    return [
      head,
      along(chart.y, part.row[i]),
      `from ${along(chart.x, part.start[i])}`,
      `to ${along(chart.x, part.end[i])}`,
      ...more(part.columns, i),
    ];
  }
  const lines = [head, along(chart.x, part.x[i])];
  if (!part.pinned) lines.push(along(chart.y, part.y[i], part.err?.[i]));
  return [...lines, ...more(part.columns, i)];
}
