// The grid: regular-table draws what is in sight, Python orders and writes; here are the keyboard,
// the roles, the choosing, and the widths.
import "regular-table";
import scrolling from "regular-table/dist/css/sub-cell-scrolling.css";
import css from "./_grid.css";
import { Pages } from "./_pages.js";

const ROW_PX = 22;
const NARROWEST_PX = 40;
const WIDEST_PX = 420;
const WORDS_PX = 160;
const CHOOSE_MS = 120; // a row that is passed on the way is not chosen
const ANSWER_MS = 4000;
const NO_KERNEL = "The kernel does not answer: run the cell again.";
const NO_TABLE = { columns: [], by: null, down: false, chosen: null, at: null };

let grids = 0;

// keys in a list of choices choose: they are no shortcuts of JupyterLab
function keepKeys({ target }) {
  if (target.matches?.("select")) target.setAttribute("data-lm-suppress-shortcuts", "true");
}

class Grid {
  constructor(model, el) {
    this.model = model;
    this.id = `contimg-grid-${grids++}`;
    this.table = NO_TABLE;
    this.active = { row: 0, column: 0 }; // row -1 is the header
    this.widths = new Map(); // by title, as the user drew them
    this.scroll = 0;
    this.pages = new Pages(
      (range) => model.send({ do: "page", ...range }),
      () => this.draw(),
    );
    this.build(el);
    this.heard = (message) => this.hear(message);
    model.on("msg:custom", this.heard);
    model.send({ do: "hello", ...this.pages.range(0, this.visible()), stop: this.visible() + 40 });
    this.alarm = setTimeout(() => this.tell(NO_KERNEL), ANSWER_MS);
  }

  build(el) {
    el.classList.add("contimg-grid");
    const style = document.createElement("style");
    style.textContent = scrolling + css;
    this.box = document.createElement("div");
    this.box.className = "contimg-grid-box";
    this.box.style.height = `${this.model.get("height_px")}px`;
    this.said = document.createElement("div");
    this.said.className = "contimg-grid-said";
    this.rt = document.createElement("regular-table");
    this.rt.setAttribute("role", "grid");
    this.rt.setAttribute("aria-label", this.model.get("label"));
    this.rt.setDataListener((...range) => this.slice(...range), { column_classes: true });
    this.rt.addStyleListener(() => this.style());
    this.rt.addEventListener("keydown", (event) => this.key(event));
    this.rt.addEventListener("click", (event) => this.click(event));
    this.rt.addEventListener("copy", (event) => this.copy(event));
    this.rt.addEventListener("mouseover", ({ target }) => this.hover(target));
    this.rt.addEventListener("scroll", () => (this.scroll = this.rt.scrollTop));
    this.box.append(this.rt, this.said);
    el.append(style, this.box);
    // seen for the first time, in another tab, or after JupyterLab took it off the page
    this.watcher = new ResizeObserver(() => {
      this.box.closest(".contimg-panel")?.addEventListener("focusin", keepKeys);
      if (this.width !== this.rt.clientWidth) this.fitted = false;
      this.width = this.rt.clientWidth;
      if (this.rt.scrollTop !== this.scroll) this.rt.scrollTop = this.scroll;
      this.draw();
    });
    this.watcher.observe(this.box);
  }

  close() {
    clearTimeout(this.alarm);
    clearTimeout(this.soon);
    this.watcher.disconnect();
    this.model.off("msg:custom", this.heard);
  }

  // what Python says

  hear(message) {
    if (message.say === "page") {
      this.pages.put(message.version, message.start, message.rows);
    } else if (message.say === "mark") {
      this.table.chosen = message.chosen;
      this.table.told = message.told;
      if (message.at !== null) this.active.row = message.at;
      if (message.at !== null && message.reveal) this.reveal(message.at);
      this.style();
    } else if (message.say === "rows") {
      clearTimeout(this.alarm);
      this.rt.removeAttribute("aria-busy");
      const chosen = this.pages.get(this.active.row)?.key === message.chosen;
      this.table = message;
      this.pages.start(message.version, message.count);
      this.pages.put(message.version, message.start, message.rows);
      if (this.active.row >= 0) {
        const last = Math.max(0, message.count - 1);
        const stays = chosen && message.at !== null;
        this.active.row = stays ? message.at : Math.min(this.active.row, last);
      }
      this.tell(message.count ? "" : `no ${this.model.get("label")} to show`);
      this.fitted = false;
      this.draw();
    }
  }

  tell(words) {
    this.said.textContent = words;
  }

  // drawing

  draw() {
    if (!this.rt.isConnected || !this.rt.clientHeight || !this.table.columns.length) return;
    if (!this.fitted) this.fit();
    this.rt.draw();
  }

  async slice(x0, y0, x1, y1) {
    const { columns } = this.table;
    const rows = y1 > y0 ? await this.pages.fetch(y0, Math.min(y1, this.pages.count)) : [];
    const shown = columns.slice(x0, x1);
    return {
      num_rows: this.pages.count,
      num_columns: columns.length,
      num_column_headers: 1,
      row_height: ROW_PX,
      column_headers: shown.map((column) => [column.title]),
      data: shown.map((_, i) => rows.map((row) => (row ? row.cells[x0 + i] : "…"))),
    };
  }

  // widths that fit what is in the columns, within limits; those that the user drew stay
  fit() {
    this.fitted = true;
    const pen = document.createElement("canvas").getContext("2d");
    const family = getComputedStyle(this.rt).fontFamily || "sans-serif";
    const widths = this.table.columns.map((column, i) => {
      const left = i === 0 ? 22 : 8;
      pen.font = `12px ${family}`;
      const texts = column.longest.map((text) => pen.measureText(text).width);
      const text = Math.max(0, ...texts) + left + (column.right ? 18 : 8);
      pen.font = `600 12px ${family}`;
      const title = pen.measureText(column.title).width + left + 18;
      const fit = Math.min(WIDEST_PX, Math.max(NARROWEST_PX, title, text) + 4);
      return this.widths.get(column.title) ?? Math.ceil(fit);
    });
    const last = widths.length - 1; // words have the room that is left, more or less
    const { right, title } = this.table.columns[last];
    const room = this.rt.clientWidth - widths.reduce((sum, width) => sum + width, 0);
    if (!right && !this.widths.has(title))
      widths[last] = Math.max(Math.min(widths[last], WORDS_PX), widths[last] + room);
    this.drawn = Object.fromEntries(widths.entries());
    this.rt.restoreColumnSizes(this.drawn);
  }

  style() {
    const { columns, by, down, chosen } = this.table;
    const { rt } = this;
    for (const [i, width] of Object.entries(rt.saveColumnSizes())) {
      if (this.drawn?.[i] !== undefined && this.drawn[i] !== width && columns[i])
        this.widths.set(columns[i].title, width);
    }
    this.drawn = rt.saveColumnSizes();
    set(rt, { "aria-rowcount": this.pages.count + 1, "aria-colcount": columns.length });
    const table = rt.querySelector("table");
    set(table, { role: "none" });
    for (const part of table.children) set(part, { role: "rowgroup" });
    let active = null;
    for (const tr of table.tHead.rows) {
      set(tr, { role: "row", "aria-rowindex": 1 });
      for (const th of tr.cells) {
        const x = rt.getMeta(th)?.x ?? 0;
        const sorted = by === x ? (down ? "descending" : "ascending") : null;
        set(th, { role: "columnheader", "aria-colindex": x + 1, "aria-sort": sorted });
        const here = this.active.row === -1 && this.active.column === x;
        this.cell(th, x, `h-${x}`, here);
        if (here) active = th;
      }
    }
    for (const tr of table.tBodies[0].rows) {
      const y = rt.getMeta(tr.cells[0])?.y;
      const row = this.pages.get(y);
      const selected = row !== undefined && row.key === chosen;
      set(tr, { role: "row", "aria-rowindex": y + 2, "aria-selected": selected });
      tr.classList.toggle("contimg-new", row?.marked === true);
      for (const td of tr.cells) {
        const x = rt.getMeta(td)?.x ?? 0;
        const why = row?.why?.[x];
        set(td, { role: "gridcell", "aria-colindex": x + 1, title: why ?? null });
        td.classList.toggle("contimg-missing", why !== undefined);
        const here = this.active.row === y && this.active.column === x;
        this.cell(td, x, `${y}-${x}`, here);
        if (here) active = td;
      }
    }
    set(rt, { "aria-activedescendant": active?.id ?? null });
  }

  cell(cell, x, name, here) {
    cell.id = `${this.id}-${name}`;
    cell.classList.toggle("contimg-right", this.table.columns[x]?.right === true);
    cell.classList.toggle("contimg-active", here);
  }

  // a text that is cut off is read by pointing at it
  hover(target) {
    const cell = target.closest?.("td, th");
    if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent;
  }

  // places: regular-table maps the scroll bar onto rows, since no page can be 10^6 rows high

  visible() {
    const height = this.rt.clientHeight || this.model.get("height_px");
    return Math.max(1, height / ROW_PX - 1);
  }

  first() {
    const range = this.rt.scrollHeight - this.rt.clientHeight;
    return range > 0 ? (this.rt.scrollTop / range) * (this.pages.count - this.visible()) : 0;
  }

  reveal(row) {
    const [first, visible] = [this.first(), this.visible()];
    if (row >= first && row + 1 <= first + visible) return;
    const range = this.rt.scrollHeight - this.rt.clientHeight;
    const rows = this.pages.count - visible;
    const step = rows / Math.max(1, range); // rows that one pixel stands for
    const start = row < first ? row - step : row + 1 - visible + step;
    const top = (Math.min(Math.max(0, start), rows) / Math.max(1, rows)) * range;
    this.rt.scrollTop = row === 0 ? 0 : top;
  }

  // what the user does

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (!["Home", "End"].includes(event.key)) return;
    }
    const { active } = this;
    const last = this.pages.count - 1;
    const page = Math.max(1, Math.floor(this.visible()) - 1);
    const rows = {
      ArrowDown: active.row + 1,
      ArrowUp: active.row - 1,
      PageDown: Math.max(0, active.row) + page,
      PageUp: Math.max(0, active.row - page),
      Home: 0,
      End: last,
    };
    if (event.key in rows) {
      this.move(Math.min(rows[event.key], last), active.column);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const column = active.column + (event.key === "ArrowLeft" ? -1 : 1);
      this.move(active.row, Math.min(Math.max(0, column), this.table.columns.length - 1));
    } else if (event.key === "Enter" || event.key === " ") {
      if (active.row < 0) this.sort(active.column);
      else this.choose(this.pages.get(active.row)?.key);
    } else if (event.key === "Escape" && this.table.chosen !== null) {
      this.choose(null);
    } else {
      // a letter is a command to JupyterLab, such as one that deletes the cell
      if (event.key.length === 1) event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  async move(row, column) {
    const moved = row !== this.active.row;
    this.active = { row: Math.max(-1, row), column };
    this.style();
    clearTimeout(this.soon);
    if (this.active.row >= 0 && moved) {
      this.reveal(this.active.row);
      this.soon = setTimeout(() => this.chooseActive(), CHOOSE_MS);
    }
    const cell = this.rt.querySelector(".contimg-active");
    const first = this.rt.getMeta(this.rt.querySelector("td"))?.x ?? 0;
    const right = this.rt.getBoundingClientRect().left + this.rt.clientWidth;
    if (!moved && (column < first || !cell || cell.getBoundingClientRect().right > right)) {
      const widths = Object.values(this.rt.saveColumnSizes());
      const left = widths.slice(0, column).reduce((sum, width) => sum + width, 0);
      const over = left + widths[column] - this.rt.clientWidth;
      this.rt.scrollLeft = column < first ? left : Math.max(over + 1, this.rt.scrollLeft + 1);
      await this.rt.flush();
      this.style();
    }
  }

  async chooseActive() {
    const { row } = this.active;
    if (row < 0) return;
    await this.pages.fetch(row, row + 1);
    const key = this.pages.get(row)?.key;
    if (row === this.active.row && key !== undefined) this.choose(key);
  }

  choose(key) {
    clearTimeout(this.soon);
    if (key === undefined || key === this.table.chosen) return;
    this.table.chosen = key;
    this.style();
    this.model.send({ do: "choose", key, told: this.table.told });
  }

  // up, down, as they came
  sort(column) {
    const { by, down } = this.table;
    const next = by !== column ? [column, false] : down ? [null, false] : [column, true];
    [this.table.by, this.table.down] = next;
    this.rt.setAttribute("aria-busy", "true");
    this.rt.scrollTop = this.scroll = 0;
    this.style();
    const range = this.pages.range(0, Math.ceil(this.visible()));
    this.model.send({ do: "sort", by: next[0], down: next[1], ...range });
  }

  click(event) {
    const cell = event.target.closest?.("td, th");
    const meta = cell && this.rt.getMeta(cell);
    if (!meta || event.target.classList.contains("rt-column-resize")) return;
    if (cell.tagName === "TH") {
      this.active = { row: -1, column: meta.x };
      this.sort(meta.x);
    } else {
      this.active = { row: meta.y, column: meta.x };
      this.choose(this.pages.get(meta.y)?.key);
      this.style();
    }
  }

  // the chosen row with its header, as a spreadsheet takes it; marked text is copied as ever
  copy(event) {
    const row = this.pages.get(this.active.row);
    if (!row || !document.getSelection().isCollapsed) return;
    const lines = [this.table.columns.map((column) => column.title), row.cells];
    event.clipboardData.setData("text/plain", lines.map((line) => line.join("\t")).join("\n"));
    event.preventDefault();
  }
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

export default {
  render({ model, el }) {
    const grid = new Grid(model, el);
    return () => grid.close();
  },
};
