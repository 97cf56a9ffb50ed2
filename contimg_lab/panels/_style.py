"""The style sheet that a live panel carries: theme colours, still heights, no static twin."""

from __future__ import annotations

__all__ = ["style_html"]

_CSS = """
.contimg-panel .contimg-title { font-size: 15px; font-weight: 600; white-space: nowrap; }
.contimg-panel .contimg-status .widget-html-content { line-height: 1.45; font-size: 13px; }
.contimg-panel .contimg-still:has(details[open]) { height: auto !important;
  max-height: 300px; }
.contimg-panel .contimg-caption .widget-html-content { line-height: 1.5; font-size: 12px;
  color: var(--jp-ui-font-color2, #555); }
.contimg-panel .contimg-quiet { color: var(--jp-ui-font-color2, #555); }
.contimg-panel .contimg-detail .widget-html-content { line-height: 1.4; font-size: 12px; }
.contimg-panel .contimg-detail h4 { margin: 0 0 4px 0; font-size: 13px; }
.contimg-panel table.contimg-facts { border-collapse: collapse; font-size: 12px; }
.contimg-panel table.contimg-facts th { text-align: left; font-weight: 600;
  padding: 1px 10px 1px 0; vertical-align: top; white-space: nowrap; }
.contimg-panel table.contimg-facts td { overflow-wrap: anywhere; padding: 1px 0; }
.contimg-panel pre.contimg-log { margin: 0; font-size: 11px; line-height: 1.35;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.contimg-panel .contimg-bad { color: var(--jp-error-color1, #b00020); font-weight: 600; }
.contimg-panel .contimg-error { color: var(--jp-error-color1, #b00020); }
.contimg-panel .contimg-error pre { font-size: 11px; white-space: pre-wrap;
  color: var(--jp-ui-font-color1, #222); }
.contimg-panel .jupyter-button:focus-visible, .contimg-panel select:focus-visible,
.contimg-panel input:focus-visible, .contimg-panel summary:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: -2px; }
.contimg-panel img.contimg-figure { max-width: 100%; height: auto; background: #fff; }
"""


def style_html(static_class: str) -> str:
    """Return a style element; it hides the saved twin for as long as the live panel is there."""
    return f"<style>{_CSS}.{static_class} {{ display: none; }}</style>"
