// What a widget saves with the notebook: it is sent its code once a page, and never saves it.
const modules = (globalThis.__contimgLabModules ??= new Map());
const WAIT_MS = 60;
const LOST_MS = 4000;

export default () => {
  let begun = false;
  let made;
  const ready = new Promise((resolve) => (made = resolve));
  const waiting = [];
  let plot = null;

  function begin(model, digest, code, palettes) {
    begun = true;
    if (!modules.has(digest)) {
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      modules.set(digest, import(/* @vite-ignore */ url).finally(() => URL.revokeObjectURL(url)));
    }
    modules.get(digest).then((module) => {
      plot = module.start(model, palettes);
      for (const [content, buffers] of waiting.splice(0)) plot.message(content, buffers);
      made(plot);
    });
  }

  return {
    initialize({ model }) {
      let heard = false;
      model.on("msg:custom", (content, buffers) => {
        heard = true;
        if (content.kind === "code") {
          if (!begun) begin(model, model.get("_digest"), buffers[0], content.palettes);
        } else if (plot) plot.message(content, buffers);
        else waiting.push([content, buffers]);
      });
      // a page that was opened after the plot was made missed what was sent: ask for it
      setTimeout(() => heard || model.send({ kind: "hello" }), WAIT_MS);
    },
    render({ model, el }) {
      let stop = null;
      let gone = false;
      el.style.minHeight = `${model.get("_height")}px`;
      const lost = setTimeout(() => {
        el.textContent = "This plot is live only beside its kernel: run its cell again.";
      }, LOST_MS);
      ready.then((started) => {
        clearTimeout(lost);
        if (!gone) stop = started.render(el);
      });
      return () => {
        gone = true;
        clearTimeout(lost);
        stop?.();
      };
    },
  };
};
