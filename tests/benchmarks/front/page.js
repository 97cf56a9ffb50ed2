// What the front-end benchmark sees in the page: when messages come, and when things are painted.
(() => {
  const offset = (() => {
    // Date.now() is rounded down: the largest difference of many is the true one
    let most = -Infinity;
    const end = performance.now() + 5;
    while (performance.now() < end) most = Math.max(most, Date.now() - performance.now());
    return most;
  })();
  const front = (window.front = { messages: [], echoes: [], seen: new WeakSet() });
  front.now = () => performance.now() + offset;

  // every drawing of a canvas begins by clearing it
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    this.canvas.drawings = (this.canvas.drawings ?? 0) + 1;
    return clear.apply(this, box);
  };

  const afterFrame = (done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(front.now());
    channel.port2.postMessage(0);
  };

  // when something first holds: changed in the page, and painted
  front.until = (check, limit_ms = 60_000) =>
    new Promise((done, fail) => {
      const end = front.now() + limit_ms;
      let changed = null;
      const look = () => {
        if (changed === null && check(false)) changed = front.now();
      };
      const watch = new MutationObserver(look);
      watch.observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
        attributeFilter: ["alt", "aria-label", "aria-sort", "data-serial", "src", "style"],
      });
      const frame = () => {
        look();
        if (changed !== null && check(true)) {
          watch.disconnect();
          afterFrame((painted) => done({ changed, painted }));
        } else if (front.now() > end) {
          watch.disconnect();
          fail(new Error(`nothing came in ${limit_ms} ms`));
        } else requestAnimationFrame(frame);
      };
      look();
      requestAnimationFrame(frame);
    });

  // when something was painted last, once it has not changed for a while
  front.last = (sign, quiet_ms) =>
    new Promise((done) => {
      let sure = sign();
      let at = front.now();
      const frame = () => {
        const now = sign();
        if (now !== sure) {
          sure = now;
          afterFrame((painted) => (at = painted));
        }
        if (front.now() - at > quiet_ms) done(at);
        else requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });

  // the element that shows a source's light curve; an image only once it can be painted
  front.curve = (key, ready) => {
    const of = `Light curve of ${key}`;
    const tells = (words) => words.startsWith(of) && !/\w/.test(words[of.length] ?? "");
    for (const el of document.querySelectorAll(".contimg-plot-image, img.contimg-figure")) {
      const words = el.getAttribute("aria-label") ?? el.getAttribute("alt") ?? "";
      if (tells(words) && !el.hidden && (!ready || el.complete !== false)) return el;
    }
    return null;
  };
  front.curveSign = (key) => {
    const el = front.curve(key, false);
    const canvases = el ? [...el.querySelectorAll("canvas")] : [];
    return `${el?.src?.length} ${el?.complete} ${canvases.map((c) => c.drawings).join()}`;
  };

  // the naive panel gives its picture no words: its title comes first, then another picture
  front.naive = (key, before, ready) => {
    const title = document.querySelector(".naive-title");
    const picture = document.querySelector("img.naive-picture, .naive-picture img");
    const is = title?.textContent.includes(key) && picture && picture.src !== before;
    return is && (!ready || (picture.complete && picture.naturalWidth > 0)) ? picture : null;
  };
  front.naiveBefore = () =>
    document.querySelector("img.naive-picture, .naive-picture img")?.src ?? "";

  // every message of the kernel's connection
  front.listen = () => {
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
    if (front.seen.has(kernel)) return;
    front.seen.add(kernel);
    kernel.anyMessage.connect((_, { msg, direction }) => {
      front.messages.push({
        direction,
        at: front.now(),
        kind: msg.header.msg_type,
        id: msg.header.msg_id,
        rows: msg.content?.data?.content?.rows?.length ?? 0,
      });
    });
  };
  front.arrivals = (since, until) =>
    front.messages.filter((m) => m.direction === "recv" && m.at >= since && m.at <= until);

  // how long a key takes until its letter is painted
  front.echo = (field) => {
    field.addEventListener("keydown", (event) => {
      const pressed = event.timeStamp + offset;
      field.addEventListener(
        "input",
        () =>
          requestAnimationFrame(() =>
            afterFrame((painted) => front.echoes.push({ ms: painted - pressed, at: painted })),
          ),
        { once: true },
      );
    });
  };
})();
