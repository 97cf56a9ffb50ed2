// A small grid of verdicts: arrows go from cell to cell, Enter chooses, and each says its reason.
import { Board, element, put, start, write } from "./_board.js";

let boards = 0;

class Matrix extends Board {
  build() {
    this.id = `contimg-matrix-${boards++}`;
    this.said = null;
    this.active = { row: 0, column: 0 };
    const box = element("div", "contimg-matrix-box");
    this.scroller = element("div", "contimg-matrix-scroll");
    this.scroller.style.height = `${this.model.get("height_px")}px`;
    put(this.scroller, { role: "grid", tabindex: 0, "aria-label": this.model.get("label") });
    this.table = element("table", "contimg-matrix");
    put(this.table, { role: "none" });
    this.reason = element("div", "contimg-matrix-reason");
    this.reason.id = `${this.id}-reason`;
    this.scroller.append(this.table);
    this.scroller.addEventListener("click", (event) => this.press(event.target.closest("td")));
    this.scroller.addEventListener("focus", () => this.mark());
    this.scroller.addEventListener("mouseover", (event) => this.explain(event.target.closest("td")));
    this.scroller.addEventListener("mouseleave", () => this.explain());
    box.append(this.scroller, this.reason);
    return box;
  }

  hear(message) {
    if (message.say === "table") this.draw(message);
    this.chosen = message.chosen;
    this.lit = message.lit;
    const place = this.place(message.chosen);
    if (place && message.say === "mark") this.active = place;
    this.mark();
  }

  draw(said) {
    this.said = said;
    const head = element("tr");
    head.append(...said.columns.map((column) => scoped(element("th", "", column.text), column.why)));
    put(head, { role: "row" });
    const body = said.rows.map((row, y) => {
      const tr = element("tr");
      put(tr, { role: "row", "aria-rowindex": y + 2 });
      const name = element("th", `contimg-is-${row.state}`);
      name.append(sign(row.sign), element("span", "", row.name));
      put(name, { role: "rowheader" });
      tr.append(name, ...row.cells.map((cell, x) => this.cell(cell, y, x)));
      return tr;
    });
    const [thead, tbody] = [element("thead"), element("tbody")];
    for (const part of [thead, tbody]) put(part, { role: "rowgroup" });
    thead.append(head);
    tbody.append(...body);
    this.table.replaceChildren(thead, tbody);
    put(this.scroller, { "aria-rowcount": said.rows.length + 1 });
    put(this.scroller, { "aria-colcount": said.columns.length });
    this.active.row = Math.min(this.active.row, Math.max(0, said.rows.length - 1));
  }

  cell(cell, y, x) {
    const td = element("td", `contimg-is-${cell.state}`);
    td.append(sign(cell.sign), element("span", "", cell.text));
    td.append(element("span", "contimg-matrix-word", cell.word));
    put(td, { role: "gridcell", id: `${this.id}-${y}-${x}`, "aria-colindex": x + 2, title: cell.why });
    Object.assign(td.dataset, { y, x });
    return td;
  }

  at({ row, column }) {
    return this.table.tBodies[0]?.rows[row]?.cells[column + 1];
  }

  place(key) {
    for (const [row, { cells }] of this.said?.rows.entries() ?? []) {
      const column = cells.findIndex((cell) => cell.key === key);
      if (column >= 0) return { row, column };
    }
    return null;
  }

  mark() {
    for (const tr of this.table.tBodies[0]?.rows ?? []) {
      const row = this.said.rows[tr.rowIndex - 1];
      tr.classList.toggle("contimg-lit", row.key === this.lit);
      for (const td of [...tr.cells].slice(1)) {
        const { y, x } = td.dataset;
        const here = this.active.row === Number(y) && this.active.column === Number(x);
        td.classList.toggle("contimg-active", here);
        put(td, { "aria-selected": row.cells[x].key === this.chosen });
      }
    }
    put(this.scroller, { "aria-activedescendant": this.at(this.active)?.id ?? null });
    this.explain();
  }

  explain(cell = this.at(this.active)) {
    const found = cell && this.said.rows[cell.dataset.y].cells[cell.dataset.x];
    write(this.reason, found ? found.told : "");
  }

  press(cell) {
    if (!cell) return;
    this.active = { row: Number(cell.dataset.y), column: Number(cell.dataset.x) };
    this.mark();
    this.choose();
  }

  choose() {
    const { key } = this.said.rows[this.active.row].cells[this.active.column];
    this.model.send({ do: "press", key });
  }

  key(event) {
    if (!this.said?.rows.length) return false;
    const { row, column } = this.active;
    const last = { row: this.said.rows.length - 1, column: this.said.columns.length - 2 };
    const places = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [0, column],
      PageDown: [last.row, column],
      Home: [row, 0],
      End: [row, last.column],
    };
    if (event.key === "Enter" || event.key === " ") {
      this.choose();
      return true;
    }
    if (!(event.key in places)) return false;
    const [y, x] = places[event.key];
    this.active = {
      row: Math.min(Math.max(0, y), last.row),
      column: Math.min(Math.max(0, x), last.column),
    };
    this.mark();
    this.at(this.active).scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }
}

function sign(text) {
  const made = element("span", "contimg-sign", text);
  put(made, { "aria-hidden": "true" });
  return made;
}

function scoped(th, why) {
  put(th, { role: "columnheader", title: why || null });
  return th;
}

export default start(Matrix);
