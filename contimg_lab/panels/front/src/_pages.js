// Rows of a grid as far as the browser has them; what is missing is asked for.

const AROUND = 40; // rows asked for beyond those in sight, so that small scrolls need no answer
const PATIENCE_MS = 250; // then places are drawn empty, and filled when the answer comes
const MOST = 5000;

export class Pages {
  constructor(ask, arrived) {
    this.ask = ask;
    this.arrived = arrived;
    this.count = 0;
    this.start(0, 0);
  }

  // other rows, or the same in another order
  start(version, count) {
    this.version = version;
    this.count = count;
    this.rows = new Map();
    this.wanted = null;
    this.settle?.();
  }

  put(version, start, rows) {
    if (version !== this.version) return;
    if (this.rows.size > MOST) this.rows.clear();
    rows.forEach((row, i) => this.rows.set(start + i, row));
    if (this.wanted !== null && this.has(...this.wanted)) {
      this.wanted = null;
      const late = !this.settle;
      this.settle?.();
      if (late) this.arrived();
    }
  }

  get(at) {
    return this.rows.get(at);
  }

  has(from, to) {
    for (let at = from; at < to; at++) if (!this.rows.has(at)) return false;
    return true;
  }

  range(from, to) {
    return { start: Math.max(0, from - AROUND), stop: Math.min(this.count, to + AROUND) };
  }

  // rows from..to, some undefined where the kernel takes longer than a moment
  async fetch(from, to) {
    if (!this.has(from, to)) {
      this.wanted = [from, to];
      const answered = new Promise((settle) => (this.settle = settle));
      this.ask(this.range(from, to));
      await Promise.race([answered, new Promise((soon) => setTimeout(soon, PATIENCE_MS))]);
      this.settle = undefined;
    }
    return Array.from({ length: to - from }, (_, i) => this.rows.get(from + i));
  }
}
