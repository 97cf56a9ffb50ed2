// One place where a plot is shown: its elements, its scales, and when it is drawn again.

import uPlot from "uplot";
import uplotCss from "uplot/dist/uPlot.min.css";
import { readColours, watchTheme } from "./_colours.js";
import { DIM, mark } from "./_marks.js";
import { lineStyle, mapOf, paintChosen, paintUnder } from "./_paint.js";
import { placeOf } from "./_pick.js";
import css from "./_plot.css";
import { Hands } from "./_hands.js";
import { optionsOf } from "./_scales.js";
import { rowOf } from "./_words.js";

const MOST_ZOOM_OUT = 20;
const FINEST = 1e-12; // of the values themselves: doubles hold no finer steps
const HELP =
  "Keys: left and right walk from point to point, Enter selects, Escape clears, " +
  "plus and minus zoom, 0 shows all.";

const make = (tag, className, parent, attributes = {}) => {
  const el = document.createElement(tag);
  el.className = className;
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  parent?.append(el);
  return el;
};

const nothing = { on: new Uint8Array(0), count: 0 };

export class View {
  constructor(el, { palettes, height, chose }) {
    Object.assign(this, { palettes, chose, chart: null, plot: null, chosen: nothing, under: null });
    this.kept = null;
    this.limits = { x: [0, 1], y: [0, 1] };
    const root = (this.root = make("div", "contimg-plot", el, { "data-mode": "box" }));
    root.style.height = `${height}px`;
    make("style", "", root).textContent = uplotCss + css;
    this.bar = make("div", "contimg-plot-bar", root);
    this.title = make("div", "contimg-plot-title", this.bar);
    this.area = make("div", "contimg-plot-area", root, { tabindex: "0", role: "application" });
    this.area.setAttribute("aria-roledescription", "live plot");
    this.image = make("div", "contimg-plot-image", this.area, { role: "img" });
    this.over = make("canvas", "contimg-plot-over", null, { "aria-hidden": "true" });
    this.tip = make("div", "contimg-plot-tip", this.area, { "aria-hidden": "true" });
    this.tip.hidden = true;
    this.hint = make("div", "contimg-plot-hint", this.area, { "aria-hidden": "true" });
    this.hint.textContent = "Click the plot, or hold Ctrl, to zoom with the wheel";
    this.hint.hidden = true;
    this.words = make("div", "contimg-plot-words", this.area);
    this.legend = make("div", "contimg-plot-legend", root);
    this.said = make("div", "contimg-plot-unseen", root, { "aria-live": "polite" });
    this.hands = new Hands(this);
    this.unwatch = watchTheme(() => this.dress());
    // asked for its size after each change, the browser would lay the whole page out anew
    this.sizes = new ResizeObserver(([{ contentRect }]) => this.resize(contentRect));
    this.space = { width: 0, height: 0 };
    this.sizes.observe(this.area);
  }

  destroy() {
    this.unwatch();
    this.sizes.disconnect();
    this.plot?.destroy();
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  show(chart) {
    const stays = this.chart?.name === chart.name && this.zoomed;
    const was = this.under && this.chart ? this.keyOf(this.under) : null;
    this.chart = chart;
    this.chosen = chart.selected;
    this.home = { x: chart.x.limits, y: chart.y.limits };
    if (!stays) this.limits = { ...this.home };
    this.zoomed = stays;
    this.hands.forget(was);
    this.words.hidden = true;
    this.image.hidden = false;
    this.draw();
    this.title.textContent = this.title.title = chart.title;
    this.area.setAttribute("aria-label", `${chart.alt} ${HELP}`);
    this.image.setAttribute("aria-label", chart.alt);
  }

  clear(words) {
    this.chart = this.under = null;
    this.hands.forget(null);
    this.plot?.destroy();
    this.plot = null;
    this.title.textContent = "";
    this.legend.replaceChildren();
    this.legendDrawn = this.legendOf = null;
    this.area.setAttribute("aria-label", words || "no plot yet");
    this.image.hidden = true;
    this.words.hidden = false;
    this.words.textContent = words;
  }

  mark(chosen) {
    this.chosen = chosen;
    const { kept } = this;
    this.soon(kept !== null && kept.chart === this.chart && kept.dim === chosen.count > 0);
    this.say(chosen.count ? `${chosen.count} selected` : "nothing selected");
  }

  say(words) {
    this.said.textContent = words;
  }

  keyOf(target) {
    const { keys } = target.part;
    return keys ? this.chart.keys()[keys[target.i]] : null;
  }

  // the page's colours may have changed: draw all anew
  dress() {
    const before = this.colours;
    this.colours = readColours(this.root, this.palettes);
    const same = (name) => before?.[name] === this.colours[name];
    if (this.chart && !["page", "text", "grid", "accent"].every(same)) {
      this.signature = this.legendOf = null;
      this.draw();
    }
  }

  resize({ width, height }) {
    this.space = { width: Math.round(width), height: Math.round(height) };
    if (!width || !height) return;
    this.dress();
    if (!this.chart) return;
    if (this.late || !this.plot) this.draw();
    const { plot, space } = this;
    if (plot.width !== space.width || plot.height !== space.height) plot.setSize(space);
    this.hands.paint();
  }

  // off the page, or scrolled far away, a plot has no size: `resize` is called when it has
  draw() {
    this.late = !this.space.width;
    if (this.late) return;
    this.colours ??= readColours(this.root, this.palettes);
    const { x, y } = this.chart;
    const signature = JSON.stringify([x.label, x.kind, x.log, y.label, y.kind, y.log, y.rows]);
    if (this.plot && signature === this.signature) {
      this.redraw();
    } else {
      this.signature = signature;
      this.plot?.destroy();
      this.plot = new uPlot(optionsOf(this), this.ends(), this.image);
      this.plot.over.append(this.over);
      this.hands.take(this.plot.over);
    }
    if (this.legendOf !== this.chart) this.write();
  }

  ends() {
    return [this.limits.x, [null, null]];
  }

  redraw() {
    this.plot.batch(() => {
      this.plot.setData(this.ends(), false);
      for (const key of ["x", "y"]) {
        const [min, max] = this.limits[key];
        this.plot.setScale(key, { min, max });
      }
    });
  }

  // `above`: only what is chosen has changed
  soon(above = false) {
    this.whole = this.whole || !above;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const { whole } = this;
      this.whole = false;
      if (!this.chart) return;
      if (whole || !this.space.width) this.draw();
      else this.paintAbove();
    });
  }

  get ratio() {
    return uPlot.pxRatio;
  }

  box() {
    const { left, top, width, height } = this.plot.bbox;
    return { left, top, width, height, right: left + width, bottom: top + height };
  }

  paint() {
    if (!this.chart) return;
    const { ctx } = this.plot;
    const env = this.env();
    paintUnder(ctx, this.chart, env);
    this.keep(ctx.canvas, env.dim);
    paintChosen(ctx, this.chart, env);
    this.hands.paint();
    this.hands.settle();
    this.root.dataset.serial = this.chart.serial;
    this.root.dataset.selected = this.chosen.count;
  }

  env() {
    const box = this.box();
    return { box, map: mapOf(box, this.limits, this.chart), ratio: this.ratio,
      colours: this.colours, chosen: this.chosen, dim: this.chosen.count > 0 };
  }

  // a field of 10^5 sources is not drawn anew because another of them is chosen
  keep({ width, height }, dim) {
    this.kept = null;
    if (this.chart.spans.length) return; // they show by themselves which of them is chosen
    const canvas = (this.layer ??= new OffscreenCanvas(width, height));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const c = canvas.getContext("2d");
    c.clearRect(0, 0, width, height);
    c.drawImage(this.plot.ctx.canvas, 0, 0);
    this.kept = { chart: this.chart, dim };
  }

  paintAbove() {
    const { ctx } = this.plot;
    ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    ctx.drawImage(this.layer, 0, 0);
    paintChosen(ctx, this.chart, this.env());
    this.hands.paint();
    this.root.dataset.selected = this.chosen.count;
  }

  // zoom by a factor about a share of the axes' width and height (from the left and from below)
  zoom(factor, [atX, atY] = [0.5, 0.5]) {
    this.moveLimits((key, low, high) => {
      const share = key === "x" ? (this.chart.x.kind === "ra" ? 1 - atX : atX) : atY;
      const pivot = low + share * (high - low);
      return [pivot - (pivot - low) * factor, pivot + (high - pivot) * factor];
    });
  }

  // move by shares of what is shown
  pan(dx, dy) {
    const right = this.chart.x.kind === "ra" ? -dx : dx;
    this.moveLimits((key, low, high) => {
      const by = (key === "x" ? right : dy) * (high - low);
      return [low + by, high + by];
    });
  }

  // show what lies between two shares
  frameTo([ax, ay], [bx, by]) {
    const turn = (v) => (this.chart.x.kind === "ra" ? 1 - v : v);
    this.moveLimits((key, low, high) => {
      const shares = key === "x" ? [turn(ax), turn(bx)] : [ay, by];
      const [a, b] = shares.sort((p, q) => p - q);
      return [low + a * (high - low), low + b * (high - low)];
    });
  }

  moveLimits(change) {
    const next = {};
    for (const key of ["x", "y"]) {
      const { log } = this.chart[key];
      const to = log ? Math.log10 : (v) => v;
      const from = log ? (v) => 10 ** v : (v) => v;
      const [low, high] = change(key, ...this.limits[key].map(to));
      const home = this.home[key].map(to);
      const span = high - low;
      const least = FINEST * Math.max(Math.abs(low), Math.abs(high), 1e-3) * 1e3;
      const fits = span > least && span < MOST_ZOOM_OUT * (home[1] - home[0]);
      next[key] = fits && Number.isFinite(span) ? [from(low), from(high)] : this.limits[key];
    }
    this.limits = next;
    this.zoomed = true;
    this.soon();
  }

  reset() {
    this.limits = { ...this.home };
    this.zoomed = false;
    this.soon();
  }

  // the row of the point under the pointer or the keyboard's cursor
  point(target, aloud = false) {
    this.under = target;
    this.tip.hidden = !target;
    if (target) {
      const lines = rowOf(this.chart, target);
      this.tip.textContent = lines.join("\n");
      const { x, y } = placeOf(target);
      const r = this.ratio;
      const [w, h] = [this.tip.offsetWidth, this.tip.offsetHeight];
      const { clientWidth, clientHeight } = this.area;
      const left = x / r + 14 + w > clientWidth ? x / r - 14 - w : x / r + 14;
      const top = y / r - h - 8 < 0 ? y / r + 12 : y / r - h - 8;
      this.tip.style.left = `${Math.max(0, Math.min(left, clientWidth - w))}px`;
      this.tip.style.top = `${Math.max(0, Math.min(top, clientHeight - h))}px`;
      if (aloud) this.say(lines.join("; "));
    }
    this.hands.paint();
  }

  // the legend
  write() {
    this.legendOf = this.chart;
    const parts = [
      ...this.chart.points.map((p) => [p.label, (c, r) => {
        if (p.look.marker === "limit") c.translate(0, -6 * r); // it hangs
        mark(c, p.look, this.colours, r);
      }]),
      ...this.chart.spans.map((s) => [s.label, (c, r) => swatch(c, s.look, this.colours, r)]),
      ...[...this.chart.levels, ...this.chart.lines].map((l) => [
        l.label,
        (c, r) => {
          lineStyle(c, l.look, this.colours, r);
          c.beginPath();
          c.moveTo(-9 * r, 0);
          c.lineTo(9 * r, 0);
          c.stroke();
        },
      ]),
    ].filter(([label]) => label);
    const looks = (list) => list.map((part) => [part.look, part.label && 1]);
    const { points, spans, levels, lines } = this.chart;
    const drawn = JSON.stringify([this.colours, ...[points, spans, levels, lines].map(looks)]);
    if (drawn === this.legendDrawn) {
      // only counts differ: the marks stay
      parts.forEach(([label], i) => (this.legend.children[i].lastChild.data = label));
      return;
    }
    this.legendDrawn = drawn;
    this.legend.replaceChildren(...parts.map(([label, draw]) => item(label, draw)));
  }
}

function swatch(c, look, colours, r) {
  c.fillStyle = colours.of(look.colour);
  c.strokeStyle = colours.of(look.edge_colour || look.colour);
  c.globalAlpha = look.filled ? look.alpha : DIM;
  c.fillRect(-8 * r, -4 * r, 16 * r, 8 * r);
  c.globalAlpha = 1;
  c.lineWidth = r;
  c.strokeRect(-8 * r, -4 * r, 16 * r, 8 * r);
}

function item(label, draw) {
  const span = document.createElement("span");
  const canvas = document.createElement("canvas");
  const r = uPlot.pxRatio;
  [canvas.width, canvas.height] = [22 * r, 18 * r];
  canvas.style.cssText = "width:22px;height:18px";
  canvas.setAttribute("aria-hidden", "true");
  const c = canvas.getContext("2d");
  c.translate(11 * r, 9 * r);
  draw(c, r);
  span.append(canvas, label);
  return span;
}
