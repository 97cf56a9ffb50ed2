// What the reader does: buttons, pointer, wheel and keys, and what is drawn over the plot for it.

import { numbersIn, selection } from "./_chart.js";
import { insideBox, insideLasso, keysInside, nearest, placeOf, walk } from "./_pick.js";

const REACH_PX = 14;
const STILL_PX = 4;
const STEP = 1.5;
const WHEEL = 0.0016;
const HINT_MS = 1800;

const MODES = [
  ["box", "Box", "Drag a box to select"],
  ["lasso", "Lasso", "Drag a lasso to select"],
  ["zoom", "Zoom", "Drag a box to zoom into"],
  ["pan", "Pan", "Drag to move the plot (or hold Shift)"],
];

export class Hands {
  constructor(view) {
    Object.assign(this, { view, mode: "box", drag: null, order: null, armed: false, here: null });
    this.buttons = MODES.map(([mode, word, told]) => {
      const button = this.button(word, told, () => this.setMode(mode));
      button.dataset.mode = mode;
      return button;
    });
    this.button("−", "Zoom out", () => view.chart && view.zoom(STEP));
    this.button("+", "Zoom in", () => view.chart && view.zoom(1 / STEP));
    this.button("Reset", "Show all again", () => view.chart && view.reset());
    this.button("Clear", "Clear the selection", () => this.choose("clear", new Set()));
    this.setMode("box");
    view.area.addEventListener("keydown", (event) => this.key(event));
    // single letters are the notebook's commands: not while a plot has the focus
    view.root.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey || event.altKey)) event.stopPropagation();
    });
    view.area.addEventListener("blur", () => this.cursor && view.point(null));
  }

  button(word, told, press) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word;
    button.title = told;
    button.setAttribute("aria-label", told);
    button.addEventListener("click", press);
    this.view.bar.append(button);
    return button;
  }

  setMode(mode) {
    this.mode = this.view.root.dataset.mode = mode;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
  }

  // a new chart came: the cursor stays on the point that it stood on, if that is still there
  forget(key) {
    this.order = null;
    const view = this.view;
    const had = this.cursor;
    this.cursor = null;
    view.under = null;
    view.tip.hidden = true;
    if (had && key !== null && view.chart) {
      this.cursor = this.targets().find((target) => view.keyOf(target) === key) ?? null;
    }
  }

  take(over) {
    const on = (name, act, options) => over.addEventListener(name, act, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", () => this.stop());
    on("pointerleave", () => {
      this.armed = false;
      this.here = null;
      if (!this.drag) this.view.point(null);
    });
    on("dblclick", () => this.view.reset());
    on("wheel", (event) => this.wheel(event), { passive: false });
  }

  // canvas pixels of an event
  at(event) {
    const { plot, ratio } = this.view;
    const rect = plot.over.getBoundingClientRect();
    const box = this.view.box();
    return [
      box.left + (event.clientX - rect.left) * ratio,
      box.top + (event.clientY - rect.top) * ratio,
    ];
  }

  shares([x, y]) {
    const box = this.view.box();
    return [(x - box.left) / box.width, (box.bottom - y) / box.height];
  }

  down(event) {
    if (event.button !== 0 || !this.view.chart) return;
    event.preventDefault();
    this.view.area.focus({ preventScroll: true });
    this.view.plot.over.setPointerCapture(event.pointerId);
    this.armed = true;
    const from = this.at(event);
    const mode = event.shiftKey ? "pan" : this.mode;
    this.drag = { mode, from, to: from, path: [from], moved: false };
  }

  move(event) {
    const here = this.at(event);
    const { drag, view } = this;
    if (!view.chart) return;
    if (!drag) {
      this.cursor = null;
      this.here = here;
      this.settle();
      return;
    }
    const gone = Math.hypot(here[0] - drag.from[0], here[1] - drag.from[1]);
    if (!drag.moved && gone < STILL_PX * view.ratio) return;
    if (!drag.moved) view.point(null);
    drag.moved = true;
    if (drag.mode === "pan") {
      const [ax, ay] = this.shares(drag.to);
      const [bx, by] = this.shares(here);
      view.pan(ax - bx, ay - by);
    }
    drag.to = here;
    drag.path.push(here);
    this.paint();
  }

  // the point under a resting pointer, again when the plot under it was drawn anew
  settle() {
    const { view, here } = this;
    if (!here || this.drag || this.cursor) return;
    view.point(nearest(view.chart, ...here, REACH_PX * view.ratio, view.box()));
  }

  up(event) {
    const { drag, view } = this;
    if (!drag || !view.chart) return;
    this.stop();
    const adding = event.ctrlKey || event.metaKey;
    if (!drag.moved) {
      const target = nearest(view.chart, ...drag.from, REACH_PX * view.ratio, view.box());
      if (target) this.press(target, "click", adding);
    } else if (drag.mode === "box") {
      this.gather("box", insideBox(drag.from, drag.to), adding);
    } else if (drag.mode === "lasso") {
      this.gather("lasso", insideLasso(drag.path), adding);
    } else if (drag.mode === "zoom") {
      view.frameTo(this.shares(drag.from), this.shares(drag.to));
    }
  }

  stop() {
    this.drag = null;
    this.paint();
  }

  press(target, how, toggle) {
    if (!target.part.keys) return;
    const key = target.part.keys[target.i];
    const keys = toggle ? new Set(numbersIn(this.view.chosen)) : new Set();
    if (toggle && keys.has(key)) keys.delete(key);
    else keys.add(key);
    this.choose(how, keys);
  }

  gather(how, inside, adding) {
    const keys = keysInside(this.view.chart, inside);
    if (adding) for (const key of numbersIn(this.view.chosen)) keys.add(key);
    this.choose(how, keys);
  }

  choose(how, keys) {
    const { chart, chosen } = this.view;
    if (!chart || (!keys.size && !chosen.count)) return;
    chart.selected = selection(chart.n_keys, keys);
    this.view.chose(how, numbersIn(chart.selected));
  }

  wheel(event) {
    const { view } = this;
    if (!view.chart) return;
    if (!(this.armed || event.ctrlKey || event.metaKey)) {
      // the page scrolls: a plot that catches the wheel unasked is in the way
      view.hint.hidden = false;
      clearTimeout(this.hinting);
      this.hinting = setTimeout(() => (view.hint.hidden = true), HINT_MS);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const by = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
    view.point(null);
    view.zoom(Math.exp(by * WHEEL), this.shares(this.at(event)));
  }

  targets() {
    return (this.order ??= walk(this.view.chart, this.view.chart.x.kind === "ra"));
  }

  key(event) {
    const { view } = this;
    if (!view.chart || event.target !== view.area || event.altKey) return;
    const acts = {
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      Home: () => this.stepTo(0),
      End: () => this.stepTo(this.targets().length - 1),
      Enter: () => this.cursor && this.press(this.cursor, "key", event.ctrlKey || event.metaKey),
      " ": () => this.cursor && this.press(this.cursor, "key", true),
      Escape: () => (this.drag ? this.stop() : this.choose("clear", new Set())),
      "+": () => view.zoom(1 / STEP, this.middle()),
      "=": () => view.zoom(1 / STEP, this.middle()),
      "-": () => view.zoom(STEP, this.middle()),
      0: () => view.reset(),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  // zooming by keys keeps the cursor where it is
  middle() {
    if (!this.cursor) return undefined;
    const { x, y } = placeOf(this.cursor);
    return this.shares([x, y]).map((share) => Math.min(Math.max(share, 0), 1));
  }

  step(by) {
    const targets = this.targets();
    const now = targets.indexOf(this.cursor ?? this.near());
    this.stepTo(now < 0 ? (by > 0 ? 0 : targets.length - 1) : now + (this.cursor ? by : 0));
  }

  // the first arrow key starts at what is selected, or at the first point in sight
  near() {
    const { view } = this;
    const selected = (t) => t.part.keys && view.chosen.on[t.part.keys[t.i]];
    const [low, high] = view.limits.x;
    return (
      (view.chosen.count && this.targets().find(selected)) ||
      this.targets().find((t) => t.at >= low && t.at <= high)
    );
  }

  stepTo(index) {
    const { view } = this;
    const targets = this.targets();
    const target = targets[Math.min(Math.max(index, 0), targets.length - 1)];
    if (!target) return;
    this.cursor = target;
    const { x, y } = placeOf(target);
    const [ax, ay] = this.shares([x, y]);
    const off = (share) => (share < 0 ? share - 0.1 : share > 1 ? share - 0.9 : 0);
    if (off(ax) || (off(ay) && !target.part.pinned)) view.pan(off(ax), off(ay));
    view.point(target, true);
  }

  // ring under the pointer, box or lasso
  paint() {
    const { view, drag } = this;
    if (!view.plot) return;
    const { over, ratio, colours } = view;
    const box = view.box();
    const [width, height] = [Math.round(box.width), Math.round(box.height)];
    if (over.width !== width || over.height !== height) {
      Object.assign(over, { width, height });
    }
    const c = over.getContext("2d");
    c.clearRect(0, 0, width, height);
    c.save();
    c.translate(-box.left, -box.top);
    c.strokeStyle = colours.accent;
    c.fillStyle = colours.accent;
    c.lineWidth = 1.5 * ratio;
    const walking = document.activeElement === view.area;
    const target = view.under ?? (walking ? this.cursor : null);
    if (target && !drag?.moved) {
      const { x, y } = placeOf(target);
      c.beginPath();
      c.arc(x, y, 8 * ratio, 0, 2 * Math.PI);
      c.stroke();
    }
    if (drag?.moved && drag.mode !== "pan") {
      c.beginPath();
      if (drag.mode === "lasso") for (const [x, y] of drag.path) c.lineTo(x, y);
      else c.rect(...drag.from, drag.to[0] - drag.from[0], drag.to[1] - drag.from[1]);
      c.globalAlpha = 0.12;
      c.fill();
      c.globalAlpha = 1;
      c.setLineDash(drag.mode === "zoom" ? [4 * ratio, 3 * ratio] : []);
      c.closePath();
      c.stroke();
    }
    c.restore();
  }
}
