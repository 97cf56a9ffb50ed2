// The live plot. uPlot keeps scales, axes and pixels; what is drawn inside them is ours.

import { decode, selectedIn } from "./_chart.js";
import { View } from "./_view.js";

// one widget: the last chart, and every place where it is shown
export function start(model, palettes) {
  const views = new Set();
  const send = (how, serial, numbers) =>
    model.send({ kind: "select", how, serial }, undefined, [numbers.buffer]);
  let last = (view) => view.clear("");
  let chart = null;

  return {
    message(content, buffers) {
      if (content.kind === "chart") {
        chart = decode(content, buffers);
        const shown = chart;
        last = (view) => view.show(shown);
      } else if (content.kind === "clear") {
        chart = null;
        last = (view) => view.clear(content.words);
      } else if (content.kind === "selected" && content.serial === chart?.serial) {
        chart.selected = selectedIn(chart, buffers[0]);
        for (const view of views) view.mark(chart.selected);
        return;
      }
      for (const view of views) last(view);
    },
    render(el) {
      const chose = (how, numbers) => {
        send(how, chart.serial, numbers);
        // all views of this widget show the same
        for (const view of views) view.mark(chart.selected);
      };
      const view = new View(el, { palettes, height: model.get("_height"), chose });
      views.add(view);
      last(view);
      return () => {
        views.delete(view);
        view.destroy();
      };
    },
  };
}
