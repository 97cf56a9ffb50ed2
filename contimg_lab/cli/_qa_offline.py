"""HTML that needs nothing but itself: no script, and nothing that is fetched from elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from html.parser import HTMLParser

__all__ = ["offline"]

_DROPPED = frozenset({"base", "embed", "frame", "iframe", "link", "meta", "object", "script"})
_FETCHED = frozenset(
    {"action", "background", "cite", "data", "formaction", "href", "longdesc", "manifest", "ping",
     "poster", "src", "srcdoc", "srcset", "xlink:href"}
)  # fmt: skip
_IMPORT = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_URL = re.compile(r"""url\(\s*(?!["']?(?:data:|\#))[^)]*\)""", re.IGNORECASE)

_ADDRESS = re.compile(r"""(["'])(?!data:)[^"']*//[^"']*\1""", re.IGNORECASE)

Attributes = Sequence[tuple[str, str | None]]


def offline(text: str) -> str:
    """Return a piece of HTML without what runs, and without what a browser would fetch.

    Links to other pages become their words; links within the page stay.

    Examples
    --------
    >>> offline('<p onclick="x()"><a href="https://example.org">NVSS</a> <a href="#b">b</a></p>')
    '<p><a>NVSS</a> <a href="#b">b</a></p>'
    >>> offline('<img src="https://example.org/a.png"><img src="data:image/png;base64,AA==">')
    '<img><img src="data:image/png;base64,AA==">'
    >>> offline("<script>fetch('x')</script><b>1 &lt; 2</b>")
    '<b>1 &lt; 2</b>'
    """
    writer = _Writer()
    writer.feed(text)
    writer.close()
    return "".join(writer.parts)


class _Writer(HTMLParser):
    """Writes again what it reads, but for what is not to stay."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._inside = ""  # the element whose text is no HTML

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        if tag not in _DROPPED:
            self.parts.append(f"<{tag}{_kept(tag, attrs)}>")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag not in _DROPPED:
            self.parts.append(f"<{tag}{_kept(tag, attrs)}/>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag not in _DROPPED:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.parts.append(_style(data))
        elif self._inside != "script":
            self.parts.append(data.replace("<", "&lt;"))

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")


def _kept(tag: str, attrs: Attributes) -> str:
    told = []
    for name, value in attrs:
        if name.startswith(("on", "xmlns")):
            continue
        if name in _FETCHED and not _is_within(tag, name, value or ""):
            continue
        if value is None:
            told.append(f" {name}")
        else:
            shown = _style(value) if name == "style" else value
            told.append(f' {name}="{html.escape(shown)}"')
    return "".join(told)


def _is_within(tag: str, name: str, value: str) -> bool:
    value = value.strip().lower()
    if value.startswith("#"):
        return name in ("href", "xlink:href")
    return value.startswith("data:image/") and (name == "src" or tag == "image")


def _style(text: str) -> str:
    if "\\" in text:  # may spell any letter, so that no word is known for what it is
        return ""
    return _ADDRESS.sub('""', _URL.sub("none", _IMPORT.sub("", text)))
