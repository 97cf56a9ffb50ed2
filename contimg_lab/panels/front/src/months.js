// A calendar of months: arrows go from one day with data to the next, Enter chooses, and letters
// that the panel names are heard wherever the focus is in it.
import { Board, element, put, start, write } from "./_board.js";

const WEEKDAYS = [["Mo", "Monday"], ["Tu", "Tuesday"], ["We", "Wednesday"], ["Th", "Thursday"],
  ["Fr", "Friday"], ["Sa", "Saturday"], ["Su", "Sunday"]];
const TYPES = "input, textarea, select, [contenteditable]:not([contenteditable=false])";
const DAY_MS = 86_400_000;

let boards = 0;

class Months extends Board {
  build() {
    this.id = `contimg-months-${boards++}`;
    this.months = new Map(); // by key: what was said, and the element that shows it
    this.days = []; // of all months, ascending
    this.active = null;
    this.fresh = true;
    const box = element("div", "contimg-months-box");
    this.scroller = element("div", "contimg-months");
    this.scroller.style.height = `${this.model.get("height_px")}px`;
    put(this.scroller, { role: "grid", tabindex: 0, "aria-label": this.model.get("label") });
    this.reason = element("div", "contimg-months-reason");
    this.scroller.addEventListener("click", (event) => this.press(dayOf(event)));
    this.scroller.addEventListener("focus", () => this.mark());
    this.scroller.addEventListener("mouseover", (event) => this.explain(dayOf(event)));
    this.scroller.addEventListener("mouseleave", () => this.explain());
    // in a tab that is not open yet there is no height to scroll in
    this.seen = new ResizeObserver(() => this.reveal());
    this.seen.observe(this.scroller);
    this.typed = (event) => this.letter(event);
    document.addEventListener("keydown", this.typed, true);
    box.append(this.scroller, this.reason);
    return box;
  }

  close() {
    super.close();
    this.seen.disconnect();
    document.removeEventListener("keydown", this.typed, true);
  }

  hear(message) {
    if (message.say === "leave") {
      this.leave();
      return;
    }
    if (message.say === "months") this.draw(message);
    const moved = this.chosen !== message.chosen;
    this.chosen = message.chosen;
    if (moved && this.day(this.chosen)) this.active = this.chosen;
    if (!this.day(this.active)) this.active = this.days.at(-1)?.key ?? null;
    this.mark();
    if (moved && !this.fresh) this.show();
    this.reveal();
  }

  draw({ order, months }) {
    for (const month of months) this.months.set(month.key, { month, made: this.month(month) });
    for (const key of this.months.keys()) if (!order.includes(key)) this.months.delete(key);
    const parts = order.map((key) => this.months.get(key));
    this.days = parts.flatMap(({ month }) => month.days);
    const made = parts.map((part) => part.made);
    const shown = this.scroller.children;
    if (made.length !== shown.length || made.some((part, i) => part !== shown[i])) {
      const top = this.scroller.scrollTop;
      this.scroller.replaceChildren(...made);
      this.scroller.scrollTop = top;
    }
  }

  month(month) {
    if (!month.length) return element("div", "contimg-month-gap", month.name);
    const box = element("div", "contimg-month");
    put(box, { role: "rowgroup", "aria-label": month.name });
    const head = element("div", "contimg-week");
    put(head, { role: "row" });
    for (const [short, name] of WEEKDAYS) {
      const made = element("div", "contimg-weekday", short);
      put(made, { role: "columnheader", "aria-label": name });
      head.append(made);
    }
    const title = element("div", "contimg-month-name", month.name);
    put(title, { "aria-hidden": "true" });
    box.append(title, head);
    const days = new Map(month.days.map((day) => [day.day, day]));
    for (let first = 1 - month.lead; first <= month.length; first += 7) {
      const week = element("div", "contimg-week");
      put(week, { role: "row" });
      for (let n = first; n < first + 7; n++) {
        week.append(n < 1 || n > month.length ? blank() : this.cell(n, days.get(n)));
      }
      box.append(week);
    }
    return box;
  }

  cell(number, day) {
    const made = element("div", "contimg-day");
    made.append(element("span", "contimg-day-number", String(number)));
    if (!day) {
      put(made, { role: "gridcell" });
      return made;
    }
    made.classList.add("contimg-night", `contimg-is-${day.state}`);
    made.classList.toggle("contimg-off", day.off);
    made.append(element("span", "contimg-sign", day.sign), element("span", "", day.word));
    put(made, { role: "gridcell", id: `${this.id}-${day.key}`, title: day.told });
    put(made, { "aria-label": `${day.key} ${day.word}` });
    made.dataset.key = day.key;
    return made;
  }

  at(key) {
    return key && this.scroller.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  day(key) {
    return this.days.find((day) => day.key === key);
  }

  mark() {
    for (const cell of this.scroller.querySelectorAll(".contimg-night")) {
      cell.classList.toggle("contimg-active", cell.dataset.key === this.active);
      put(cell, { "aria-selected": cell.dataset.key === this.chosen });
    }
    put(this.scroller, { "aria-activedescendant": this.at(this.active)?.id ?? null });
    this.explain();
  }

  explain(cell) {
    const day = this.day(cell ? cell.dataset.key : this.active);
    write(this.reason, day ? day.told : "");
  }

  // the latest nights come last, and are what is looked at first
  reveal() {
    const width = this.scroller.clientWidth;
    if (!this.days.length || !width || width === this.width) return;
    this.width = width; // months stand elsewhere then
    if (this.fresh) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.fresh = false;
    this.show();
  }

  show() {
    this.at(this.active)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  press(cell) {
    if (!cell) return;
    this.active = cell.dataset.key;
    this.mark();
    this.choose();
  }

  choose() {
    if (this.active) this.model.send({ do: "choose", key: this.active });
  }

  key(event) {
    if (event.key === "Enter" || event.key === " ") {
      this.choose();
      return true;
    }
    // those that the filter leaves out are stepped over, unless it leaves out all
    const through = this.days.filter((day) => !day.off);
    const days = through.length ? through : this.days;
    const now = this.day(this.active);
    if (!now || !(event.key in MOVES)) return false;
    this.active = MOVES[event.key](days, now.key)?.key ?? this.active;
    this.mark();
    this.show();
    return true;
  }

  letter(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (!this.model.get("letters").includes(event.key)) return;
    const { target } = event;
    const panel = this.el.closest(".contimg-panel") ?? this.el;
    if (!panel.contains(target) || target.matches(TYPES)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (this.scroller !== target) {
      // what had the focus may be hidden by what comes
      this.active = this.chosen ?? this.active;
      this.scroller.focus({ preventScroll: true });
    }
    this.model.send({ do: event.key, key: this.active });
  }

  // a tab that closes over the focus hands it on, so that the keyboard goes on from there
  leave(tries = 50) {
    if (this.scroller.offsetParent) {
      if (tries) setTimeout(() => this.leave(tries - 1), 20);
      return;
    }
    const tabs = this.el.closest(".jupyter-widget-tab, .widget-tab");
    tabs?.querySelector("[role=tab][aria-selected=true]")?.focus();
  }
}

const from = (days, key) => days.find((day) => day.key >= key);
const upTo = (days, key) => days.findLast((day) => day.key <= key);
const shifted = (key, n) => new Date(Date.parse(key) + n * DAY_MS).toISOString().slice(0, 10);

const MOVES = {
  ArrowLeft: (days, key) => days.findLast((day) => day.key < key),
  ArrowRight: (days, key) => days.find((day) => day.key > key),
  ArrowUp: (days, key) => upTo(days, shifted(key, -7)) ?? days[0],
  ArrowDown: (days, key) => from(days, shifted(key, 7)) ?? days.at(-1),
  PageUp: (days, key) => upTo(days, shifted(key, -28)) ?? days[0],
  PageDown: (days, key) => from(days, shifted(key, 28)) ?? days.at(-1),
  Home: (days) => days[0],
  End: (days) => days.at(-1),
};

function dayOf(event) {
  return event.target.closest(".contimg-night");
}

function blank() {
  const made = element("div", "contimg-day-none");
  put(made, { role: "gridcell" });
  return made;
}

export default start(Months);
