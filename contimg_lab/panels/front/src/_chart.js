// A message becomes a chart: numbers from binary buffers, texts decoded when they are first read.

function typed(view, Kind) {
  // buffers need not begin where the array type wants them to
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return new Kind(bytes.buffer);
}

export function decode(content, buffers) {
  const floats = (i) => (i == null ? null : typed(buffers[i], Float64Array));
  const whole = (i) => (i == null ? null : typed(buffers[i], Uint32Array));
  const texts = (i) => {
    let read = null;
    return () => (read ??= new TextDecoder().decode(buffers[i]).split("\x1f"));
  };
  const columns = (part) =>
    part.columns.map((c) => ({
      name: c.name,
      unit: c.unit,
      values: floats(c.values),
      err: floats(c.err),
      texts: c.texts == null ? null : texts(c.texts),
    }));
  const chart = {
    ...content,
    keys: texts(content.keys),
    points: content.points.map((p) => ({
      ...p,
      x: floats(p.x),
      y: floats(p.y),
      err: floats(p.err),
      keys: whole(p.keys),
      columns: columns(p),
    })),
    spans: content.spans.map((s) => ({
      ...s,
      start: floats(s.start),
      end: floats(s.end),
      row: floats(s.row),
      keys: whole(s.keys),
      columns: columns(s),
    })),
    lines: content.lines.map((l) => ({ ...l, x: floats(l.x), y: floats(l.y) })),
  };
  chart.selected = selection(chart.n_keys, whole(content.selected));
  return chart;
}

// which keys are selected: a byte a key, and how many
export function selection(size, numbers) {
  const on = new Uint8Array(size);
  let count = 0;
  for (const n of numbers ?? []) if (n < size && !on[n]) (on[n] = 1), count++;
  return { on, count };
}

export const numbersIn = (chosen) => {
  const numbers = [];
  for (let n = 0; n < chosen.on.length; n++) if (chosen.on[n]) numbers.push(n);
  return Uint32Array.from(numbers);
};

// buffers of a message are DataViews
export const selectedIn = (chart, buffer) => selection(chart.n_keys, typed(buffer, Uint32Array));
