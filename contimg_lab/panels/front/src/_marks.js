// Markers, error bars, bars in time, and density where points are too many to be told apart.

const MANY = 4000;
const FEW = 300;
const PX_PER_POINT = 96 / 72;
export const DIM = 0.3;

const at = (r, turns) => [r * Math.sin(turns * 2 * Math.PI), -r * Math.cos(turns * 2 * Math.PI)];

function polygon(c, corners) {
  corners.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
}

function strokes(c, ...pairs) {
  for (const [a, b] of pairs) c.moveTo(...a), c.lineTo(...b);
}

const X = 0.5;
const SHAPES = {
  o: (c, r) => c.arc(0, 0, r, 0, 2 * Math.PI),
  s: (c, r) => c.rect(-r, -r, 2 * r, 2 * r),
  D: (c, r) => polygon(c, [0, 0.25, 0.5, 0.75].map((t) => at(r * 1.4, t))),
  "^": (c, r) => polygon(c, [[0, -r], [r, r], [-r, r]]),
  v: (c, r) => polygon(c, [[0, r], [r, -r], [-r, -r]]),
  h: (c, r) => polygon(c, [0, 1, 2, 3, 4, 5].map((k) => at(r, k / 6))),
  X: (c, r) => {
    const h = r * X;
    polygon(c, [
      [-h, -r], [0, -h], [h, -r], [r, -h], [h, 0], [r, h],
      [h, r], [0, h], [-h, r], [-r, h], [-h, 0], [-r, -h],
    ]);
  },
  x: (c, r) => strokes(c, [[-r, -r], [r, r]], [[-r, r], [r, -r]]),
  "+": (c, r) => strokes(c, [[-r, 0], [r, 0]], [[0, -r], [0, r]]),
  "|": (c, r) => strokes(c, [[0, -r], [0, r]]),
  1: (c, r) => strokes(c, ...[0.5, 5 / 6, 1 / 6].map((t) => [[0, 0], at(r, t)])),
  2: (c, r) => strokes(c, ...[0, 1 / 3, 2 / 3].map((t) => [[0, 0], at(r, t)])),
  3: (c, r) => strokes(c, ...[0.75, 1 / 12, 5 / 12].map((t) => [[0, 0], at(r, t)])),
  4: (c, r) => strokes(c, ...[0.25, 7 / 12, 11 / 12].map((t) => [[0, 0], at(r, t)])),
  // hangs from its point
  limit: (c, r) => {
    strokes(c, [[-r, 0], [r, 0]], [[0, 0], [0, 2 * r]]);
    strokes(c, [[-0.6 * r, 1.3 * r], [0, 2 * r]], [[0.6 * r, 1.3 * r], [0, 2 * r]]);
  },
};

// draw one marker about the origin
export function mark(c, look, colours, ratio, grow = 1) {
  const colour = colours.of(look.colour);
  const r = (look.size / 2) * PX_PER_POINT * ratio * grow;
  c.beginPath();
  SHAPES[look.marker](c, r);
  c.lineJoin = "miter";
  c.lineWidth = Math.max(look.width * PX_PER_POINT, 0.6) * ratio;
  c.fillStyle = colour;
  c.strokeStyle = look.edged ? colours.page : colour;
  if (look.filled) c.fill();
  if (!look.filled || look.edged) c.stroke();
}

// the same marker many times: drawn once for a page's colours, then copied
function stamp(look, colours, ratio, grow) {
  const name = JSON.stringify([look, ratio, grow]);
  if (!colours.stamps.has(name)) colours.stamps.set(name, makeStamp(look, colours, ratio, grow));
  return colours.stamps.get(name);
}

function makeStamp(look, colours, ratio, grow) {
  const size = Math.ceil((look.size * 2.4 * grow + 4 * look.width + 2) * PX_PER_POINT * ratio);
  const canvas = new OffscreenCanvas(size * 2, size * 2);
  const c = canvas.getContext("2d");
  c.translate(size, size);
  mark(c, look, colours, ratio, grow);
  return { canvas, size };
}

// which points of a part are inside; pixels of every point stay with the part, for picking
export function place(part, map, box) {
  const n = part.x.length;
  if (part.px?.length !== n) (part.px = new Float32Array(n)), (part.py = new Float32Array(n));
  let inside = 0;
  for (let i = 0; i < n; i++) {
    const px = map.x(part.x[i]);
    const py = part.pinned ? box.top + (1 - part.y[i]) * box.height : map.y(part.y[i]);
    part.px[i] = px;
    part.py[i] = py;
    if (px >= box.left && px <= box.right && py >= box.top && py <= box.bottom) inside++;
  }
  part.inside = inside;
  part.dense = inside > MANY;
}

// every point as if another were chosen, to be kept while the choice moves
export function drawUnder(c, part, env) {
  const alpha = env.dim && part.keys !== null ? DIM : 1;
  if (part.dense) density(c, part, env, alpha, null);
  else drawStamps(c, part, env, alpha, 1, () => true);
}

// the chosen points alone, above `drawUnder`
export function drawChosen(c, part, env) {
  const { chosen } = env;
  if (!chosen.count || !part.keys) return;
  const isOn = (i) => chosen.on[part.keys[i]] === 1;
  if (part.dense && chosen.count > FEW) density(c, part, env, 1, isOn);
  else drawStamps(c, part, env, 1, 1.15, isOn);
}

function drawStamps(c, part, env, alpha, grow, wanted) {
  const { box } = env;
  c.globalAlpha = part.look.alpha * alpha;
  if (part.err) errorBars(c, part, env, wanted);
  const { canvas, size } = stamp(part.look, env.colours, env.ratio, grow);
  const reach = size / 2;
  for (let i = 0; i < part.x.length; i++) {
    const px = part.px[i];
    const py = part.py[i];
    if (!(px > box.left - reach && px < box.right + reach)) continue;
    if (!(py > box.top - reach && py < box.bottom + reach)) continue;
    if (wanted(i)) c.drawImage(canvas, px - size, py - size);
  }
  c.globalAlpha = 1;
}

function errorBars(c, part, env, wanted) {
  const { map, box } = env;
  c.beginPath();
  for (let i = 0; i < part.x.length; i++) {
    const px = part.px[i];
    if (!(px >= box.left && px <= box.right && part.err[i] > 0) || !wanted(i)) continue;
    c.moveTo(px, lowEnd(map, box, part.y[i] - part.err[i]));
    c.lineTo(px, map.y(part.y[i] + part.err[i]));
  }
  c.strokeStyle = env.colours.of(part.look.colour);
  c.lineWidth = part.look.error_width * PX_PER_POINT * env.ratio;
  c.stroke();
}

const lowEnd = (map, box, value) => {
  const py = map.y(value);
  return Number.isFinite(py) ? py : box.bottom; // a logarithm goes no lower
};

// counts a cell, shown by their logarithm; error bars are the paler layer below
function density(c, part, env, alpha, wanted) {
  const { box, map, ratio } = env;
  const cell = Math.max(2, Math.round(2 * ratio));
  const w = Math.ceil(box.width / cell) + 1;
  const h = Math.ceil(box.height / cell) + 1;
  const counts = new Float32Array(w * h);
  const bars = part.err ? new Float32Array(w * (h + 1)) : null;
  let most = 0;
  for (let i = 0; i < part.x.length; i++) {
    const px = part.px[i];
    const py = part.py[i];
    if (!(px >= box.left && px <= box.right) || (wanted && !wanted(i))) continue;
    const column = Math.floor((px - box.left) / cell);
    if (bars && part.err[i] > 0) {
      const clip = (y) => Math.min(Math.max(Math.floor((y - box.top) / cell), 0), h);
      bars[clip(map.y(part.y[i] + part.err[i])) * w + column]++;
      bars[clip(lowEnd(map, box, part.y[i] - part.err[i])) * w + column]--;
    }
    if (!(py >= box.top && py <= box.bottom)) continue;
    const at = Math.floor((py - box.top) / cell) * w + column;
    if (++counts[at] > most) most = counts[at];
  }
  const image = new ImageData(w, h);
  const thin = env.colours.rgb(part.look.colour);
  const thick = env.colours.rgb("black"); // white on a dark page
  const scale = 1 / Math.log(Math.max(most, 2));
  let tall = 0;
  if (bars) {
    for (let at = w; at < w * h; at++) bars[at] += bars[at - w];
    for (let at = 0; at < w * h; at++) if (bars[at] > tall) tall = bars[at];
  }
  for (let at = 0; at < counts.length; at++) {
    // a single point is seen, and crowds go on to grow darker, or lighter on a dark page
    const much = counts[at] > 1 ? Math.log(counts[at]) * scale : 0;
    let share = counts[at] ? 0.55 + 0.45 * much : 0;
    if (bars && bars[at] > 0) share = Math.max(share, (0.3 * bars[at]) / tall);
    const mix = (i) => thin[i] + (thick[i] - thin[i]) * 0.75 * much;
    image.data.set([mix(0), mix(1), mix(2), 255 * alpha * share], at * 4);
  }
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext("2d").putImageData(image, 0, 0);
  c.imageSmoothingEnabled = false;
  c.drawImage(canvas, box.left, box.top, w * cell, h * cell);
  c.imageSmoothingEnabled = true;
}

export function placeSpans(part, map, box) {
  const n = part.start.length;
  part.boxes = new Float32Array(4 * n);
  const clip = (v) => Math.min(Math.max(map.x(v), box.left), box.right);
  for (let i = 0; i < n; i++) {
    const [a, b] = [clip(part.start[i]), clip(part.end[i])].sort((p, q) => p - q);
    const top = map.y(part.row[i] + part.height / 2);
    part.boxes.set([a, top, b - a, map.y(part.row[i] - part.height / 2) - top], 4 * i);
  }
}

export function drawSpans(c, part, env) {
  const { chosen, colours, ratio } = env;
  const { look } = part;
  for (let i = 0; i < part.start.length; i++) {
    const [x, y, w, h] = part.boxes.subarray(4 * i, 4 * i + 4);
    if (!(w > 0)) continue;
    const on = part.keys && chosen.on[part.keys[i]];
    c.globalAlpha = look.alpha * (chosen.count && part.keys && !on ? DIM : 1);
    c.fillStyle = look.hatched ? hatch(c, colours.of(look.colour), ratio) : colours.of(look.colour);
    if (look.filled || look.hatched) c.fillRect(x, y, w, h);
    c.globalAlpha = chosen.count && part.keys && !on ? 2 * DIM : 1;
    c.strokeStyle = colours.of(on ? "black" : look.edge_colour || look.colour);
    c.lineWidth = look.width * PX_PER_POINT * ratio * (on ? 2.5 : 1);
    c.strokeRect(x, y, w, h);
  }
  c.globalAlpha = 1;
}

function hatch(c, colour, ratio) {
  const side = Math.round(7 * ratio);
  const tile = new OffscreenCanvas(side, side);
  const t = tile.getContext("2d");
  t.strokeStyle = colour;
  t.lineWidth = ratio;
  t.beginPath();
  for (const shift of [-side, 0, side]) strokes(t, [[shift, side], [shift + side, 0]]);
  t.stroke();
  return c.createPattern(tile, "repeat");
}
