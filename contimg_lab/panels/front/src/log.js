// The last lines of a log: new ones are appended, and who has scrolled up is left where they are.
import { Board, element, put, start, write } from "./_board.js";

const AT_END_PX = 6;

class Log extends Board {
  build() {
    this.version = -1;
    this.below = 0;
    this.atEnd = true;
    const box = element("div", "contimg-log-box");
    this.scroller = element("div", "contimg-log-scroll");
    put(this.scroller, { role: "log", "aria-live": "off", tabindex: 0 });
    put(this.scroller, { "aria-label": this.model.get("label") });
    this.scroller.style.height = `${this.model.get("height_px")}px`;
    this.lines = element("pre", "contimg-log");
    this.news = element("button", "contimg-log-news");
    put(this.news, { type: "button", hidden: "" });
    this.news.addEventListener("click", () => {
      this.toEnd();
      this.scroller.focus();
    });
    this.scroller.addEventListener("scroll", () => {
      if (!this.scroller.clientHeight) return;
      this.atEnd = this.isAtEnd();
      if (this.atEnd) this.tell(0);
    });
    // a tab that is opened again has lost its place
    this.watcher = new ResizeObserver(() => this.atEnd && this.toEnd());
    this.watcher.observe(this.scroller);
    this.scroller.append(this.lines);
    box.append(this.scroller, this.news);
    return box;
  }

  close() {
    this.watcher.disconnect();
    super.close();
  }

  hear(message) {
    if (message.say === "all" && message.version !== this.version) {
      this.version = message.version;
      const stay = message.same && !this.atEnd;
      this.lines.replaceChildren(...message.lines.map(line));
      if (!stay) this.toEnd();
      this.tell(0);
    } else if (message.say === "add" && message.version === this.version + 1) {
      this.version = message.version;
      this.add(message);
    } else if (message.say === "add" && message.version !== this.version) {
      this.model.send({ do: "hello" });
    }
  }

  add({ drop, lines, most }) {
    const stay = !this.atEnd;
    for (let i = 0; i < drop; i++) this.lines.lastChild?.remove();
    this.lines.append(...lines.map(line));
    const top = this.scroller.scrollTop;
    const over = this.lines.children.length - most;
    let gone = 0;
    if (over > 0) {
      gone = this.lines.children[over].offsetTop - this.lines.children[0].offsetTop;
      for (let i = 0; i < over; i++) this.lines.firstChild.remove();
    }
    if (stay) {
      this.scroller.scrollTop = top - gone;
      this.tell(this.below + lines.length - drop);
    } else this.toEnd();
  }

  tell(below) {
    this.below = Math.max(0, below);
    write(this.news, this.below ? `↓ ${this.below} new line${this.below > 1 ? "s" : ""} below` : "");
    this.news.hidden = !this.below;
  }

  isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  toEnd() {
    this.atEnd = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  key(event) {
    if (event.key !== "End") return false;
    this.toEnd();
    return true;
  }
}

function line([text, bad]) {
  const made = element("span", bad ? "contimg-log-line contimg-bad" : "contimg-log-line");
  made.textContent = `${text}\n`;
  return made;
}

export default start(Log);
