"""Following a log: what is read from a growing file, and how two ends of a log fit together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.panels._board import Chip, Chips
from contimg_lab.panels._home import Home
from contimg_lab.panels._log_view import LogView, continued
from contimg_lab.services._log_files import MAX_LINE_BYTES
from contimg_lab.services._log_follow import BEGUN_ANEW, FileFollow, News

LINES = st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=8))


def grown(shown: list[str], news: News | None) -> list[str]:
    """Lines on screen once the news was added."""
    if news is None:
        return shown
    return [*shown[: len(shown) - news.drop], *news.lines]


@given(parts=st.lists(st.binary(max_size=40), max_size=8))
def test_whatever_is_appended_is_read_once(
    parts: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However a file grows, the lines told one after the other must be those of the whole."""
    path = tmp_path_factory.mktemp("log") / "x.log"
    path.write_bytes(b"")
    file, shown = FileFollow(path, 10_000), []
    written = b""
    for part in parts:
        with path.open("ab") as log:
            log.write(part)
        written += part
        shown = grown(shown, file.read())
        assert file.read() is None
        wanted = written.decode("utf-8", "replace")
        pieces = written.split(b"\n")
        pieces = pieces if pieces[-1] else pieces[:-1]
        assert shown == [p.rstrip(b"\r\n").decode("utf-8", "replace") for p in pieces], wanted


def test_the_first_reading_is_the_end_of_the_file(tmp_path: Path) -> None:
    """Of a long file only the last lines must be read."""
    path = tmp_path / "x.log"
    path.write_text("".join(f"{i:07d}\n" for i in range(100_000)))
    assert FileFollow(path, 3).read() == News(("0099997", "0099998", "0099999"))


def test_a_flood_is_cut_and_says_so(tmp_path: Path) -> None:
    """Of more than a reading's worth only the end must be told, with how much was left out."""
    path = tmp_path / "x.log"
    path.write_text("begin\n")
    file = FileFollow(path, 10)
    file.read()
    flood = "".join(f"{i:07d}\n" for i in range(100_000))
    with path.open("a") as log:
        log.write(flood)
    news = file.read()
    assert news is not None
    left_out = len(flood) - (256 << 10)
    assert news.lines[0] == f"[… {left_out} bytes left out]"
    assert news.lines[-1] == "0099999"
    with path.open("a") as log:
        log.write("after\n")
    assert file.read() == News(("after",))


def test_a_file_begun_anew_is_told(tmp_path: Path) -> None:
    """A file cut off, overwritten by a longer one, or replaced must be read from its start."""
    path = tmp_path / "x.log"
    path.write_text("one\ntwo\n")
    file = FileFollow(path, 10)
    file.read()
    path.write_text("a\n")
    assert file.read() == News((BEGUN_ANEW, "a"))
    path.write_text("longer than before, and other\n")
    assert file.read() == News((BEGUN_ANEW, "longer than before, and other"))
    other = tmp_path / "other"
    other.write_text("longer than before, and other\n")
    other.replace(path)
    assert file.read() == News((BEGUN_ANEW, "longer than before, and other"))
    path.write_text("")
    assert file.read() == News((BEGUN_ANEW,))
    assert file.read() is None


def test_a_line_without_end_is_told_in_pieces(tmp_path: Path) -> None:
    """A line that never ends must not be held in memory for ever."""
    path = tmp_path / "x.log"
    path.write_text("x" * 10)
    file = FileFollow(path, 10)
    file.read()
    for _ in range(4):
        with path.open("a") as log:
            log.write("x" * MAX_LINE_BYTES)
        file.read()
        assert len(file._open_line) <= MAX_LINE_BYTES


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "gone"])
def test_only_a_plain_file_is_read(kind: str, tmp_path: Path) -> None:
    """What took the place of the file must not be opened as one, nor be waited for."""
    path, secret = tmp_path / "x.log", tmp_path / "secret"
    secret.write_text("secret\n")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"x\.log"):
        FileFollow(path, 10).read()


@given(before=LINES, more=LINES, kept=st.integers(1, 30), last=st.text("ab", max_size=3))
def test_two_ends_of_a_log_fit(before: list[str], more: list[str], kept: int, last: str) -> None:
    """The last lines read later must go on where the earlier ones ended."""
    old = [*before, "here"]
    new = [*before, f"here{last}", *more]
    tail = new[-max(kept, len(more) + 1) :]
    found = continued(old, tail)
    assert found is not None
    drop, lines = found
    shown = [*old[: len(old) - drop], *lines]
    assert shown[-len(tail) :] == tail


def test_ends_that_do_not_meet() -> None:
    """Lines with nothing in common must be told apart from those that go on."""
    assert continued(["a", "b"], ["x", "y"]) is None
    assert continued([], ["x"]) == (0, ["x"])
    assert continued(["a", "b"], ["a", "b"]) == (0, [])


async def test_the_view_sends_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same log must be added to, another one shown whole, and old lines let go."""
    said: list[dict] = []
    monkeypatch.setattr(LogView, "send", lambda self, message: said.append(message))
    view = LogView(Home(), 100)
    view.show("a", ["1", "2"])
    view.show("a", ["1", "2"])
    view.show("a", ["2", "3"])
    view.show("b", ["3"])
    assert [message["say"] for message in said] == ["all", "add", "all"]
    assert [message["version"] for message in said] == [1, 2, 3]
    assert said[1]["lines"] == [("3", False)]
    view.add([str(i) for i in range(5_000)])
    assert len(view.lines) == 2_000
    view._handle_custom_msg({"do": "hello"}, [])
    assert (said[-1]["say"], said[-1]["version"], len(said[-1]["lines"])) == ("all", 4, 2_000)
    view.close()


async def test_chips_tell_only_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same chips must not be sent again, and one that is off must not be pressed."""
    said: list[dict] = []
    monkeypatch.setattr(Chips, "send", lambda self, message: said.append(message))
    chips = Chips("x", Home())
    chips.show([Chip(key="a", text="a"), Chip(key="b", text="<b>", off=True)])
    chips.show([Chip(key="a", text="a"), Chip(key="b", text="<b>", off=True)])
    assert len(said) == 1
    chips._handle_custom_msg({"do": "press", "key": "b"}, [])
    assert chips.value == ""
    chips._handle_custom_msg({"do": "press", "key": "a"}, [])
    assert (chips.value, said[-1]["value"]) == ("a", "a")
    chips._handle_custom_msg({"do": "press"}, [])
    chips._handle_custom_msg({}, [])
    assert chips.value == "a"
    assert "&lt;b&gt;" in chips.to_html()
    chips.close()
