// Colours of the page the plot stands on, read again whenever the page may have changed.

const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

function rgbOf(colour) {
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

export function readColours(el, palettes) {
  const style = getComputedStyle(el);
  const read = (name, other) => style.getPropertyValue(name).trim() || other;
  const page = read("--jp-layout-color0", "#ffffff");
  const [r, g, b] = rgbOf(page);
  const dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
  const palette = palettes[dark ? "dark" : "light"];
  const known = new Map();
  // a page may give its own: --contimg-blue
  const of = (name) => {
    if (!known.has(name)) known.set(name, read(`--contimg-${name}`, palette[name]));
    return known.get(name);
  };
  return {
    dark,
    page,
    stamps: new Map(),
    of,
    rgb: (name) => rgbOf(of(name)),
    text: read("--jp-ui-font-color1", dark ? "#e6e6e6" : "#212121"),
    grid: read("--jp-border-color2", dark ? "#424242" : "#e0e0e0"),
    edge: read("--jp-border-color1", dark ? "#616161" : "#bdbdbd"),
    accent: read("--jp-brand-color1", dark ? "#64b5f6" : "#1976d2"),
    family: read("--jp-ui-font-family", "system-ui, sans-serif"),
  };
}

// call back when JupyterLab, or the system, changes between light and dark
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  const attributes = ["data-jp-theme-name", "data-jp-theme-light", "class", "style"];
  observer.observe(document.body, { attributes: true, attributeFilter: attributes });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", changed);
  };
}
