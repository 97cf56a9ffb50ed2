// The tools in a panel's head: back and forward, units, exports, code, and the keys.
import css from "./_tools.css";

const FLUXES = [["mJy", "mJy"], ["Jy", "Jy"], ["uJy", "µJy"]];
const POSITIONS = [["deg", "deg"], ["sexagesimal", "h m s"]];
const TEXT = "input, textarea, [contenteditable]";
const OWN = /^(.|Arrow.*|Page.*|Home|End|Enter|Delete|Backspace)$/;

let tickets = 0;

// keys belong to whoever has the focus: to JupyterLab a letter may delete the cell, and Enter in a
// form, with whichever modifier, would run it again and lose what was typed
function keep(event) {
  const plain = !(event.ctrlKey || event.metaKey || event.altKey);
  const runs = event.key === "Enter" && event.target.closest(".contimg-sign");
  if ((plain && OWN.test(event.key)) || runs) event.stopPropagation();
}

class Tools {
  constructor(model, el) {
    Object.assign(this, { model, el, waiting: new Map(), told: {} });
    el.classList.add("contimg-tools");
    // a letter is a command to JupyterLab, such as one that deletes the cell
    el.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey || event.altKey)) event.stopPropagation();
    });
    const style = document.createElement("style");
    style.textContent = css;
    el.append(style);
    this.back = this.button("←", "Back to what was chosen before (Alt ←)", () => this.step("back"));
    this.forward = this.button("→", "Forward again (Alt →)", () => this.step("forward"));
    this.flux = this.select("Unit of fluxes", "flux", FLUXES);
    this.positions = this.select("Form of positions", "positions", POSITIONS);
    this.button("Copy as code", "The cell that yields the same without this panel", () =>
      model.send({ do: "code" }),
    );
    this.export = this.button("Export ▾", "Save what is shown as a file", () => this.menu());
    this.export.setAttribute("aria-haspopup", "menu");
    this.help = this.button("?", "Keys of this panel", () => this.keys());
    this.help.setAttribute("aria-haspopup", "dialog");
    this.put = () => this.show();
    this.heard = (message, buffers) => this.hear(message, buffers);
    this.pressed = (event) => this.key(event);
    model.on("change", this.put);
    model.on("msg:custom", this.heard);
    document.addEventListener("keydown", this.pressed, true);
    this.show();
  }

  close() {
    this.model.off("change", this.put);
    this.model.off("msg:custom", this.heard);
    document.removeEventListener("keydown", this.pressed, true);
  }

  button(words, told, press) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: words, title: told });
    if (words.length === 1) {
      button.setAttribute("aria-label", told);
      button.className = "contimg-narrow";
    }
    button.addEventListener("click", press);
    this.el.append(button);
    return button;
  }

  select(told, name, options) {
    const select = document.createElement("select");
    select.title = told;
    select.setAttribute("aria-label", told);
    for (const [value, words] of options) select.append(new Option(words, value));
    select.addEventListener("change", () => this.model.send({ do: name, value: select.value }));
    this.el.append(select);
    return select;
  }

  show() {
    const get = (name) => this.model.get(name);
    for (const name of ["back", "forward"]) {
      this[name].hidden = !get("history");
      // one that is disabled would lose the focus
      this[name].setAttribute("aria-disabled", String(!get(`can_${name}`)));
    }
    // a choice that the kernel has not heard yet stays
    for (const name of ["flux", "positions"]) {
      this[name].hidden = !get(name);
      if (get(name) && this.told[name] !== get(name)) this[name].value = get(name);
      this.told[name] = get(name);
    }
  }

  step(way) {
    if (this.model.get(`can_${way}`)) this.model.send({ do: way });
  }

  key(event) {
    const whole = this.el.closest(".contimg-panel");
    if (this.kept !== whole) whole?.addEventListener("keydown", keep); // it may be there twice
    this.kept = whole;
    const way = { ArrowLeft: "back", ArrowRight: "forward" }[event.key];
    if (!way || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const panel = this.model.get("history") && this.el.closest(".contimg-panel");
    if (!panel || !panel.contains(event.target) || event.target.matches(TEXT)) return;
    event.preventDefault(); // the browser would leave the page
    event.stopPropagation();
    this.step(way);
  }

  // what opens below a button, above all else on the page, and closes by Escape or elsewhere
  open(button, role, label, fill) {
    const box = document.createElement("div");
    box.popover = "auto";
    box.setAttribute("role", role);
    box.setAttribute("aria-label", label);
    fill(box);
    box.addEventListener("toggle", (event) => {
      button.setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState === "closed") box.remove();
    });
    this.el.append(box);
    box.showPopover();
    const at = button.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const below = at.bottom + 2 + height <= innerHeight;
    box.style.left = `${Math.max(4, Math.min(at.left, innerWidth - width - 4))}px`;
    box.style.top = `${below ? at.bottom + 2 : Math.max(4, at.top - height - 2)}px`;
    return box;
  }

  menu() {
    const box = this.open(this.export, "menu", "Export as", (menu) => {
      for (const [words, form] of this.model.get("forms")) {
        const item = document.createElement("button");
        Object.assign(item, { type: "button", textContent: words, tabIndex: -1 });
        item.setAttribute("role", "menuitem");
        item.addEventListener("click", () => {
          menu.hidePopover();
          this.export.focus();
          this.ask(form);
        });
        menu.append(item);
      }
    });
    const items = [...box.children];
    box.addEventListener("keydown", (event) => {
      const at = items.indexOf(document.activeElement);
      const to = {
        ArrowDown: (at + 1) % items.length,
        ArrowUp: (at - 1 + items.length) % items.length,
        Home: 0,
        End: items.length - 1,
      }[event.key];
      if (event.key === "Tab") box.hidePopover();
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      items[to].focus();
    });
    items[0]?.focus();
  }

  keys() {
    const box = this.open(this.help, "dialog", "Keys", (dialog) => {
      for (const [place, pairs] of this.model.get("help_keys")) {
        const head = document.createElement("h4");
        head.textContent = place;
        const table = document.createElement("table");
        for (const [keys, told] of pairs) {
          const row = table.insertRow();
          const name = document.createElement("th");
          name.scope = "row";
          name.textContent = keys;
          row.append(name);
          row.insertCell().textContent = told;
        }
        dialog.append(head, table);
      }
    });
    box.tabIndex = 0;
    box.focus();
  }

  // files: only the page that asked takes what all pages are sent

  ask(form) {
    const ticket = `${Date.now()}-${tickets++}`;
    this.waiting.set(ticket, []);
    this.model.send({ do: "export", form, ticket });
  }

  hear(message, buffers) {
    const parts = this.waiting.get(message.ticket);
    if (message.say !== "file" || !parts) return;
    parts.push(...buffers);
    if (message.left) return;
    this.waiting.delete(message.ticket);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts));
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

export default {
  render({ model, el }) {
    const tools = new Tools(model, el);
    return () => tools.close();
  },
};
