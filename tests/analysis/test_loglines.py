"""One line of a log: its parts, its times, and whose it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.loglines import RunKey, belongs_to, line_times, parse_line

LA = ZoneInfo("America/Los_Angeles")
GROUP = "2025-10-22T06:42:22"
PATH = f"/stage/ms/{GROUP}.ms"
TWIN = f"/stage/ms/{GROUP}_selfcal.ms"
ODD = '/stage/ms/odd names/2025-10-25T06:33:22 it\'s "a" %20 é test.ms'


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def text_line(message: str, group: str | None = None) -> str:
    tag = f" [group_id={group}]" if group else ""
    return f"2025-10-22 01:00:00,250 INFO [dsa110_contimg.imaging] {message}{tag} [stage=imaging]"


def names(line: str, run: RunKey) -> bool:
    return belongs_to(parse_line(line, LA), run)


def test_text_line_is_in_the_hosts_zone() -> None:
    """A line without a zone is in the host's, and its parts are told apart."""
    line = parse_line(text_line("wrote [Errno 28] x", GROUP) + "\r\n", LA)
    assert (line.level, line.logger) == ("INFO", "dsa110_contimg.imaging")
    assert line.message == "wrote [Errno 28] x"
    assert dict(line.tags) == {"group_id": GROUP, "stage": "imaging"}
    assert line.times_unix == (unix("2025-10-22T08:00:00.250"),)
    assert not line.is_json


def test_line_with_z_is_utc() -> None:
    """A line with ``Z`` is UTC whatever the zone, and its logger ends with a colon."""
    line = parse_line("2025-10-09T06:35:04Z ERROR imaging: /x.ms: no table", LA)
    assert (line.level, line.logger, line.message) == ("ERROR", "imaging", "/x.ms: no table")
    assert line.times_unix == (unix("2025-10-09T06:35:04"),)
    assert parse_line("2025-10-09T06:35:04+02:00 INFO x: y", LA).times_unix == (
        unix("2025-10-09T04:35:04"),
    )


def test_newer_pipelines_line_names_its_logger_bare() -> None:
    """``YYYY-MM-DDTHH:MM:SS LEVEL logger message`` is local time and names the logger bare."""
    line = parse_line("2026-03-01T12:00:00 WARNING continuum.batch timeout near", LA)
    assert (line.level, line.logger, line.message) == (
        "WARNING",
        "continuum.batch",
        "timeout near",
    )
    assert line.times_unix == (unix("2026-03-01T20:00:00"),)


def test_json_line_is_utc_and_keeps_its_exception() -> None:
    """A JSON line is UTC with or without Z; its other values are tags."""
    held = {
        "timestamp": "2025-10-24T07:57:52.022476",
        "level": "error",
        "logger": "a.b",
        "message": "broke",
        "group_id": GROUP,
        "line": 12,
        "exception": "Traceback (most recent call last):\nValueError: x",
    }
    line = parse_line(json.dumps(held), LA)
    assert (line.level, line.logger, line.message, line.is_json) == ("ERROR", "a.b", "broke", True)
    assert line.times_unix == pytest.approx([unix("2025-10-24T07:57:52.022476")], abs=1e-5)
    assert line.tags["group_id"] == GROUP
    assert line.tags["line"] == "12"
    assert line.exception is not None
    assert line.exception.endswith("ValueError: x")


def test_repeated_hour_has_two_times() -> None:
    """A local time of the repeated hour may be either; an hour later it is one again."""
    line = "2025-11-02 01:30:00,000 INFO [x] y"
    assert parse_line(line, LA).times_unix == (
        unix("2025-11-02T08:30:00"),
        unix("2025-11-02T09:30:00"),
    )
    assert line_times(line, LA) == parse_line(line, LA).times_unix
    assert len(parse_line("2025-11-02 02:00:00,000 INFO [x] y", LA).times_unix) == 1
    assert len(parse_line("2025-11-02T01:30:00Z INFO x: y", LA).times_unix) == 1


def test_skipped_hour_has_one_time() -> None:
    """A local time that no clock showed is taken with the offset before the change."""
    line = parse_line("2026-03-08 02:30:00,000 INFO [x] y", LA)
    assert line.times_unix == (unix("2026-03-08T10:30:00"),)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        '  File "/x.py", line 1, in run',
        "{not json",
        "[1, 2]",
        "2025-13-45 99:00:00,000",
        '{"timestamp": 1e400, "message": [1]}',
    ],
)
def test_other_lines_are_all_message(line: str) -> None:
    """A line of no known form has neither level nor time."""
    parsed = parse_line(line, LA)
    assert (parsed.level, parsed.times_unix) == (None, ())


@given(st.text() | st.text(alphabet='{}[]=:"0123456789-TZ ,./\\a'))
def test_no_line_raises(line: str) -> None:
    """Any text at all can be parsed."""
    parsed = parse_line(line, LA)
    belongs_to(parsed, RunKey(PATH, "job-x", GROUP))
    assert len(parsed.times_unix) <= 2


@pytest.mark.parametrize(
    ("message", "ours"),
    [
        (f"imaging {PATH}: 2400 x 2400", True),
        (f"wrote {PATH}.", True),
        (f"cannot open {PATH}/table.dat", True),
        (f"'{PATH}'", True),
        (f"imaging {TWIN}", False),
        (f"copied {PATH} to {TWIN}", True),
        (f"removed {PATH}_old", False),
        (f"removed {PATH}.bak", False),
        (f"removed {PATH}~", False),
        (f"read /data{PATH}", False),
        (f"wrote /stage/images/{GROUP}.img-image.fits", False),
    ],
)
def test_path_counts_only_as_a_whole(message: str, ours: bool) -> None:
    """A line is a run's where it names its path as a whole, not as the head of another's."""
    assert names(text_line(message), RunKey(PATH, "job-x", GROUP)) is ours


def test_group_counts_where_no_other_ms_is_named() -> None:
    """A group's line is the run's unless it names another MS, a twin for one."""
    run, twin = RunKey(PATH, "job-x", GROUP), RunKey(TWIN, "job-y", GROUP)
    assert names(text_line("major cycle 1", GROUP), run)
    assert names(text_line("major cycle 1", GROUP), twin)
    assert not names(text_line(f"imaging {TWIN}", GROUP), run)
    assert names(text_line(f"imaging {TWIN}", GROUP), twin)
    assert not names(text_line(f"imaging {PATH}_old", GROUP), run)
    assert not names(text_line(f"imaging {ODD}", GROUP), run)
    assert not names(text_line(f"imaging {GROUP}_selfcal.ms", GROUP), run)
    assert names(text_line(f"imaging {GROUP}.ms", GROUP), run)
    assert not names(text_line("major cycle 1", GROUP + "0"), run)
    assert not names(text_line(f"group {GROUP} is complete"), run)
    assert not names(text_line("major cycle 1", GROUP), RunKey(PATH, "job-x", None))


def test_json_line_is_known_by_its_fields() -> None:
    """A JSON line belongs by its path or its group, under the same rules."""
    run = RunKey(PATH, "job-x", GROUP)
    assert names(json.dumps({"message": "m", "ms_path": PATH}), run)
    assert names(json.dumps({"message": "m", "group_id": GROUP}), run)
    assert not names(json.dumps({"message": "m", "group_id": GROUP, "ms_path": TWIN}), run)
    assert names(json.dumps({"message": "m", "ms_path": ODD}), RunKey(ODD, "job-odd", None))


def test_path_with_spaces_and_quotes() -> None:
    """A path with spaces, quotes and a percent sign is found like any other."""
    run = RunKey(ODD, "job-odd", None)
    assert names(text_line(f"imaging {ODD}: 2400"), run)
    assert not names(text_line(f"imaging {ODD}_old"), run)


def test_longer_path_of_another_ms_is_not_ours() -> None:
    """Where another MS's path goes on after a space, its lines are not this run's."""
    longer = f"{PATH} copy.ms"
    run = RunKey(PATH, "job-x", GROUP, None, (longer,))
    assert not names(text_line(f"imaging {longer}: x", GROUP), run)
    assert names(text_line(f"imaging {PATH} next to {longer}"), run)
