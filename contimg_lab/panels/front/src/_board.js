// What the small boards of a panel share: their style, their keys, and asking Python for the data.
import css from "./_board.css";

const ANSWER_MS = 4000;
const NO_KERNEL = "The kernel does not answer: run the cell again.";
const SCROLLS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home",
  "End", "Enter", " ", "Escape"];

export class Board {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    el.classList.add("contimg-board");
    const style = document.createElement("style");
    style.textContent = css;
    this.box = this.build();
    this.box.setAttribute("aria-label", model.get("label"));
    el.append(style, this.box);
    this.heard = (message) => {
      clearTimeout(this.alarm);
      this.hear(message);
    };
    // keys belong to whoever has the focus: to JupyterLab a letter may delete the cell
    el.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.key(event)) event.preventDefault();
      if (event.key.length === 1 || SCROLLS.includes(event.key)) event.stopPropagation();
    });
    model.on("msg:custom", this.heard);
    model.send({ do: "hello" });
    this.alarm = setTimeout(() => (this.box.textContent = NO_KERNEL), ANSWER_MS);
  }

  key() {
    return false;
  }

  close() {
    clearTimeout(this.alarm);
    this.model.off("msg:custom", this.heard);
  }
}

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

export function put(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) target.removeAttribute(name);
    else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
  }
}

export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const start = (Kind) => ({
  render({ model, el }) {
    const board = new Kind(model, el);
    return () => board.close();
  },
});
