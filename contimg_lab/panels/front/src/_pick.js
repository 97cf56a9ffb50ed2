// Which point is near, which are inside a box or a lasso, and in which order they are walked.

const inBoxes = (part, i, x, y) => {
  const [left, top, w, h] = part.boxes.subarray(4 * i, 4 * i + 4);
  return w > 0 && x >= left && x <= left + w && y >= top && y <= top + h;
};

// nearest point within reach (canvas pixels), else the bar under the place
export function nearest(chart, x, y, reach, box) {
  let best = reach * reach;
  let found = null;
  for (const part of chart.points) {
    for (let i = 0; i < part.x.length; i++) {
      const dx = part.px[i] - x;
      if (!(dx <= reach && dx >= -reach)) continue;
      const dy = part.py[i] - y;
      const d = dx * dx + dy * dy;
      if (d < best && part.px[i] >= box.left - 1 && part.px[i] <= box.right + 1) {
        best = d;
        found = { part, i, span: false };
      }
    }
  }
  if (found) return found;
  for (const part of chart.spans) {
    for (let i = 0; i < part.start.length; i++) {
      if (inBoxes(part, i, x, y)) return { part, i, span: true };
    }
  }
  return null;
}

// keys of what lies inside, points and middles of bars
export function keysInside(chart, inside) {
  const keys = new Set();
  for (const part of chart.points) {
    if (!part.keys) continue;
    for (let i = 0; i < part.x.length; i++) {
      if (inside(part.px[i], part.py[i])) keys.add(part.keys[i]);
    }
  }
  for (const part of chart.spans) {
    if (!part.keys) continue;
    for (let i = 0; i < part.start.length; i++) {
      const { x, y, w } = placeOf({ part, i, span: true });
      if (w > 0 && inside(x, y)) keys.add(part.keys[i]);
    }
  }
  return keys;
}

export const insideBox = ([ax, ay], [bx, by]) => {
  const [left, right] = ax < bx ? [ax, bx] : [bx, ax];
  const [top, bottom] = ay < by ? [ay, by] : [by, ay];
  return (x, y) => x >= left && x <= right && y >= top && y <= bottom;
};

export const insideLasso = (corners) => (x, y) => {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i];
    const [xj, yj] = corners[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
};

export function placeOf({ part, i, span }) {
  if (!span) return { x: part.px[i], y: part.py[i], w: 0 };
  const [left, top, w, h] = part.boxes.subarray(4 * i, 4 * i + 4);
  return { x: left + w / 2, y: top + h / 2, w };
}

// every point once, from the left; made when the first arrow key is pressed
export function walk(chart, reversed) {
  const targets = [];
  for (const part of chart.points) {
    if (part.overlay) continue;
    for (let i = 0; i < part.x.length; i++) {
      const y = part.y[i];
      if (Number.isFinite(part.x[i]) && Number.isFinite(y)) {
        targets.push({ part, i, span: false, at: part.x[i] });
      }
    }
  }
  for (const part of chart.spans) {
    for (let i = 0; i < part.start.length; i++) {
      targets.push({ part, i, span: true, at: Math.max(part.start[i], chart.x.limits[0]) });
    }
  }
  return targets.sort((a, b) => (reversed ? b.at - a.at : a.at - b.at));
}
