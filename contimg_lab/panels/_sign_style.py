"""The style sheet of the sign-off form."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
.contimg-sign { --contimg-ok: #1b6e2c; --contimg-warn: #8a5300; --contimg-bad: #b00020;
  color: var(--jp-ui-font-color1, #212121); }
[data-jp-theme-light="false"] .contimg-sign { --contimg-ok: #7fd68f; --contimg-warn: #ffb95c;
  --contimg-bad: #ff8a80; }
.contimg-sign .widget-html-content { line-height: 1.45; font-size: 13px; overflow-wrap: anywhere; }
.contimg-sign .contimg-ok { color: var(--contimg-ok); font-weight: 700; }
.contimg-sign .contimg-warn { color: var(--contimg-warn); font-weight: 700; }
.contimg-sign .contimg-bad { color: var(--contimg-bad); font-weight: 700; }
.contimg-sign .contimg-none { color: var(--jp-ui-font-color2, #616161); font-weight: 700; }
.contimg-sign .contimg-line { font-size: 14px; line-height: 22px; }
.contimg-sign-top { height: 92px; flex: 0 0 auto; }
.contimg-sign-fresh { height: 56px; flex: 0 0 auto; min-width: 0; }
@media (max-width: 1150px) {
  .contimg-sign-top { height: 142px; }
  .contimg-sign-fresh { height: 94px; }
}
.contimg-sign-place { border-left: 4px solid var(--jp-border-color2, #bdbdbd);
  padding: 2px 0 6px 10px; margin: 8px 0 0 0; overflow: visible; }
.contimg-sign-item { border-top: 1px solid var(--jp-border-color2, #e0e0e0); padding: 2px 0; }
.contimg-sign .widget-label { color: var(--jp-ui-font-color1, #212121); }
.contimg-sign-unlabelled .widget-label { position: absolute; width: 1px; height: 1px; padding: 0;
  overflow: hidden; clip-path: inset(50%); }
.contimg-sign .contimg-sign-confirm, .contimg-sign-confirm label { height: auto !important; }
.contimg-sign-confirm label { white-space: normal !important; overflow: visible !important;
  line-height: 1.4 !important; display: flex !important; align-items: baseline; }
.contimg-sign ::placeholder { color: var(--jp-ui-font-color2, #616161); }
.contimg-sign :is(input, select, textarea, button, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 1px; }
.contimg-sign .contimg-missing input { border-color: var(--contimg-bad) !important; }
.contimg-sign ul { margin: 0; padding-left: 20px; }
.contimg-sign .contimg-entry { user-select: text; font-size: 13px; }
.contimg-sign .contimg-entry code { overflow-wrap: anywhere; }
"""
