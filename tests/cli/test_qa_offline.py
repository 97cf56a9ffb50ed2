"""HTML that needs nothing but itself keeps its words, and nothing that runs or is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.cli._qa_offline import offline


class Reader(HTMLParser):
    """Reads text and attributes as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.attributes: list[tuple[str, str]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def read(text: str) -> Reader:
    """Read a piece of HTML."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://a.b/c.js"></script>',
        "<script>fetch('https://a.b')</script>",
        '<link rel="stylesheet" href="//a.b/c.css">',
        '<img src="https://a.b/c.png">',
        '<img srcset="https://a.b/c.png 2x">',
        '<img src=" HTTPS://a.b/c.png">',
        '<img src="c.png" onerror="fetch(1)">',
        '<iframe src="https://a.b"></iframe>',
        '<object data="https://a.b"></object>',
        '<video poster="https://a.b/c.png" src="https://a.b/c"></video>',
        '<style>@import "https://a.b/c.css"; p{color:red}</style>',
        "<style>p{background:url(https://a.b/c.png)}</style>",
        "<style>p{background:u\\72l('https://a.b/c.png')}</style>",
        "<style>p{background:image-set('https://a.b/c.png' 1x)}</style>",
        '<p style="background:URL( //a.b/c.png )">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="https://a.b/c.png"/></svg>',
        '<svg><use xlink:href="https://a.b/c.svg#d"/></svg>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<form action="https://a.b"><button formaction="https://a.b">x</button></form>',
        '<meta http-equiv="refresh" content="0;https://a.b">',
        '<base href="https://a.b/">',
    ],
)
def test_nothing_is_fetched(text: str) -> None:
    """Whatever way there is to fetch or to run something is gone, and what is beside it stays."""
    made = offline(f"<p>before</p>{text}<p>after</p>")
    assert "a.b" not in made
    assert not re.search(r"https?:|javascript:|fetch\(", made, re.IGNORECASE)
    words = read(made).words
    assert words.startswith("before")
    assert words.endswith("after")


def test_what_a_page_holds_itself_stays() -> None:
    """Pictures in the page, links within it and plain styles are as they were."""
    text = (
        '<img src="data:image/png;base64,AA//BB==" alt="a &quot;b&quot;">'
        '<a href="#x">y</a><style>p{color:red}</style><p style="color:red" class="z">&amp;&#65;</p>'
    )
    assert offline(text) == text


plain = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["p", "td", "b", "code", "span"]), plain), max_size=8))
def test_words_stay(parts: list[tuple[str, str]]) -> None:
    """Words that are escaped are read as they were, whatever they are."""
    import html

    text = "".join(f"<{tag} title='{html.escape(w)}'>{html.escape(w)}</{tag}>" for tag, w in parts)
    made, given_ = read(offline(text)), read(text)
    assert made.words == given_.words
    assert made.attributes == given_.attributes
    assert made.tags == given_.tags


@given(plain)
def test_whatever_is_given(text: str) -> None:
    """Text that is no proper HTML either never gives a tag that runs or fetches."""
    made = read(offline(text))
    assert not {"script", "iframe", "link", "object", "embed", "base"}.intersection(made.tags)
    assert not any(name.startswith("on") for name, _ in made.attributes)
