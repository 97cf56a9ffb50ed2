// The live plot: a first module, to be grown.
import uPlot from "uplot";
import css from "uplot/dist/uPlot.min.css";

export default {
  render({ el }) {
    el.textContent = `${typeof uPlot} ${css.length}`;
  },
};
