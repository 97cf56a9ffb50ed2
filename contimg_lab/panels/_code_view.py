"""A read-only text area below a panel's head: its code, selected when it appears."""

from __future__ import annotations

import contextlib
from typing import Any

import anywidget
import traitlets

from contimg_lab.config import Config
from contimg_lab.errors import ContimgLabError
from contimg_lab.layouts import detect

__all__ = ["CodeView", "path_to_open"]

_ESM = """
function render({ model, el }) {
  const area = document.createElement("textarea");
  area.className = "contimg-code";
  area.readOnly = true;
  area.spellcheck = false;
  area.setAttribute("aria-label", "Code that yields what this panel shows; Escape closes it");
  el.dataset.lmSuppressShortcuts = "true";
  // a later text is put in place without taking the focus from where it is
  const put = () => {
    area.value = model.get("text");
    area.rows = area.value.split("\\n").length;
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") model.send({ kind: "closed" });
  });
  model.on("change:text", put);
  put();
  el.append(area);
  const select = () => (area.isConnected ? (area.focus(), area.select()) : setTimeout(select, 20));
  select();
  return () => model.off("change:text", put);
}
export default { render };
"""

_CSS = """
textarea.contimg-code { width: 100%; box-sizing: border-box; resize: vertical; font-size: 12px;
  font-family: var(--jp-code-font-family, monospace); line-height: 1.4; padding: 4px 6px;
  color: var(--jp-content-font-color1, #222); background: var(--jp-layout-color2, #f5f5f5);
  border: 1px solid var(--jp-border-color2, #ccc); }
"""


class CodeView(anywidget.AnyWidget):
    """The text area; ``text`` is what it holds."""

    _esm = _ESM
    _css = _CSS
    text = traitlets.Unicode("").tag(sync=True)


def path_to_open(lab: Any) -> str | None:
    """Return a path with which ``open`` finds the very files of a Lab; None where none does.

    Then the environment named them one by one.
    """
    for path in (lab.config.path, lab.layout.path):
        with contextlib.suppress(ContimgLabError):
            if path is not None and detect(Config(path=path)).files == lab.layout.files:
                return str(path.absolute())
    return None
