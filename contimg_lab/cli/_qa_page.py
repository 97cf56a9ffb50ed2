"""The sign-off notebook as a page that is whole in itself, to be read offline and printed."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from contimg_lab.cli._qa_offline import offline

__all__ = ["REPORT_DIGEST", "head", "page_of"]

REPORT_DIGEST = "contimg-lab-report"
"""Name under which a page and a notebook keep the SHA-256 of the report beside them."""

_STYLE = """
html{color-scheme:light}
body{font:15px/1.45 system-ui,"Liberation Sans",sans-serif;color:#111;background:#fff;
max-width:72em;margin:1.5em auto;padding:0 1.2em}
h1{font-size:1.6em}h2{font-size:1.3em;margin-top:1.6em}h3{font-size:1.1em}
table{border-collapse:collapse;margin:.5em 0;font-size:.92em}
th,td{border:1px solid #999;padding:.15em .5em;text-align:left;vertical-align:top}
thead th{background:#eee}
img,svg{max-width:100%;height:auto}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.86em}
code,.long{overflow-wrap:anywhere}
a.anchor-link{display:none}
.pass{background:#e3f1e3}.warn{background:#fff0c2}.fail{background:#f8d0cc;font-weight:bold}
.none{color:#595959}
@page{size:A4;margin:14mm 12mm 16mm}
@media print{
body{max-width:none;margin:0;padding:0 1px;font-size:9.5pt}
table{font-size:8pt}
pre{font-size:7.5pt}
h1,h2,h3{break-after:avoid}
p{orphans:3;widows:3}
.text_cell:has(+.code_cell){break-after:avoid}
img{max-height:212mm;object-fit:contain}
.kept{break-inside:avoid}
tr,img,svg,figure{break-inside:avoid}
thead{display:table-header-group}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page_of(notebook: Any, told: Mapping[str, Any], digest: str) -> str:
    """Write an executed notebook as a page; its code stays in the notebook.

    Parameters
    ----------
    notebook
        As nbformat has it.
    told
        The report as JSON has it, with ``ledger`` beside: number and hash of its head, or
        why it cannot be read.
    digest
        SHA-256 of the report's file, by which the files of one run know each other.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        embed_images=True,
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    night, verdict = told["night"], told["verdict"]
    foot = f"night {night} (UTC), evidence {told['evidence']['digest'][:12]}, {_head(told)}"
    top = head(f"QA of {night}: {verdict}", foot, {REPORT_DIGEST: digest})
    return f"{top}<body><main>{offline(body)}</main>{_stands_on(told)}</body></html>\n"


def head(title: str, foot: str, told: Mapping[str, str] | None = None) -> str:
    """Begin a page: title, style, what stands at the foot of each printed sheet, and more."""
    # only letters, digits and plain signs come into the string of a style sheet
    plain = "".join(c for c in foot if c.isalnum() or c in " .,:;()-")
    sheets = (
        f'@page{{@bottom-left{{content:"{plain}";font:7.5pt sans-serif}}'
        '@bottom-right{content:counter(page) " / " counter(pages);font:7.5pt sans-serif}}'
    )
    more = "".join(
        f'<meta name="{html.escape(name)}" content="{html.escape(value)}">'
        for name, value in (told or {}).items()
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{more}'
        f"<title>{html.escape(title)}</title><style>{_STYLE}{sheets}</style></head>"
    )


def _stands_on(told: Mapping[str, Any]) -> str:
    """What is needed to find the numbers again, and to tell a ledger that was cut off."""
    limits, database = told["thresholds"], told["database"]
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    rows = sum(table["rows"] for table in told["evidence"]["tables"].values())
    lines = (
        ("read", f"{told['as_of'][:19].replace('T', ' ')} UTC"),
        ("ledger", _ledger(told)),
        ("thresholds", f"{limits['name']}, SHA-256 {limits['digest']}"),
        ("evidence", f"{rows:,} rows, SHA-256 {told['evidence']['digest']}"),
        ("database", f"{database['identity']} ({database['layout']})"),
        ("versions", versions),
    )
    cells = "".join(
        f'<tr><th scope="row">{name}</th><td class="long">{html.escape(text)}</td></tr>'
        for name, text in lines
    )
    return (
        f'<section class="kept"><h2>To be kept with this page</h2><table>{cells}</table></section>'
    )


def _ledger(told: Mapping[str, Any]) -> str:
    held = told["ledger"]
    if held["why_not"]:
        return f"could not be read: {held['why_not']}"
    if not held["number"]:
        return "nobody has signed yet, so it has no head"
    return (
        f"entry {held['number']}, head {held['number']}:{held['hash']} "
        "(contimg-lab ledger verify --head NUMBER:HASH tells whether its end was cut off since)"
    )


def _head(told: Mapping[str, Any]) -> str:
    held = told["ledger"]
    if held["why_not"]:
        return "ledger not read"
    return f"ledger head {held['number']}:{held['hash'][:16]}" if held["number"] else "no signature"
