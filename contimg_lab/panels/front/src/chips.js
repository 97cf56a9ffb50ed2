// Buttons in a row, in lines with a note each, or as steps in order; Python hears which is pressed.
import { Board, element, put, start, write } from "./_board.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

class Chips extends Board {
  build() {
    this.parts = new Map(); // by key: a chip is changed in place, so that it keeps the focus
    const box = element("div", `contimg-chips contimg-chips-${this.model.get("look")}`);
    put(box, { role: "group" });
    return box;
  }

  hear(message) {
    const known = new Set(message.chips.map((chip) => chip.key));
    for (const [key, part] of this.parts) {
      if (known.has(key)) continue;
      part.remove();
      this.parts.delete(key);
    }
    message.chips.forEach((chip, i) => {
      const part = this.parts.get(chip.key) ?? this.make(chip.key);
      if (this.box.children[i] !== part) this.box.insertBefore(part, this.box.children[i] ?? null);
      const [button, note] = part.children;
      write(button.children[0], chip.sign);
      write(button.children[1], chip.text);
      write(note, chip.note);
      button.className = `contimg-chip contimg-is-${chip.state || "plain"}`;
      const pressed = message.value === null ? null : chip.key === message.value;
      put(button, { title: chip.title || null, "aria-pressed": pressed });
      put(button, { "aria-disabled": chip.off ? "true" : null });
      put(note, { title: chip.note || null });
    });
  }

  make(key) {
    const part = element("div", "contimg-chip-place");
    const button = element("button");
    put(button, { type: "button" });
    button.append(element("span", "contimg-sign"), element("span"));
    put(button.children[0], { "aria-hidden": "true" });
    button.addEventListener("click", () => {
      if (!button.hasAttribute("aria-disabled")) this.model.send({ do: "press", key });
    });
    part.append(button, element("span", "contimg-chip-note"));
    this.parts.set(key, part);
    return part;
  }

  key(event) {
    const buttons = [...this.box.querySelectorAll("button")];
    const here = buttons.indexOf(event.target);
    if (here < 0 || !(event.key in STEPS)) return false;
    buttons[here + STEPS[event.key]]?.focus();
    return true;
  }
}

export default start(Chips);
