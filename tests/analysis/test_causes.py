"""Why a run failed: exit codes first, then words, of the last error."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.analysis.causes import (
    CAUSES,
    cause_of_exit_code,
    cause_of_text,
    cause_of_texts,
    message_of_texts,
)

MS = "/stage/dsa110-contimg/ms/2025-10-22T05:00:20.ms"


def error(message: str, *following: str, level: str = "ERROR", at: str = "01:00:00") -> str:
    head = (
        f"2025-10-22 {at},250 {level} [dsa110_contimg.calibration.timeout] {message} "
        "[group_id=2025-10-22T05:00:20] [stage=calibration_solve]"
    )
    return "\n".join((head, *following))


def traceback(exception: str) -> tuple[str, ...]:
    return (
        "Traceback (most recent call last):",
        '  File "/stage/dsa110-contimg/src/calibration/killed.py", line 1, in timeout',
        '    raise MemoryError("uvh5")',
        exception,
    )


def cause(*texts: str) -> str | None:
    found = cause_of_texts(texts, paths=[MS])
    return None if found is None else found.cause


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, None),
        (1, "general"),
        (2, "io"),
        (3, "memory"),
        (4, "timeout"),
        (5, "validation"),
        (6, "resource"),
        (7, "calibration"),
        (8, "conversion"),
        (9, "database"),
        (10, "subprocess"),
        (-9, "memory"),
        (137, "memory"),
        (-11, "subprocess"),
        (139, "subprocess"),
        (-1, "subprocess"),
        (124, "timeout"),
        (11, "general"),
        (255, "general"),
    ],
)
def test_exit_code_has_a_kind(code: int, expected: str | None) -> None:
    """Each exit code of the pipeline has its kind; a signal is memory if it kills."""
    assert cause_of_exit_code(code) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"stage imaging failed for {MS} (exit 4)", "timeout"),
        ("container stopped, exit code 137", "memory"),
        (f"wsclean for {MS} ended with code -11", "subprocess"),
        ("Command '['wsclean', '-j']' returned non-zero exit status 1.", "general"),
        ("Command 'wsclean' died with <Signals.SIGKILL: 9>.", "memory"),
        ("SystemExit: 8", "conversion"),
        ("EXIT CODE: 9", "database"),
        ("exited with code 6", "resource"),
        ("exit_code=2", "io"),
        ('"exit_code": 3', "memory"),
        ("returncode=-9", "memory"),
        ("(exit 5); MemoryError before that", "validation"),
        ("first (exit 5), then (exit 7)", "calibration"),
        ("exit code 0, all flagged", "calibration"),
    ],
)
def test_exit_code_decides(text: str, expected: str) -> None:
    """An exit code, however it is written, decides before any word."""
    assert cause(text) == cause(error(text)) == expected


def test_exit_code_in_json() -> None:
    """A JSON line's own field for the exit code counts like one in the text."""
    line = json.dumps({"level": "ERROR", "message": "all flagged", "exit_code": 3})
    assert cause(line) == "memory"
    assert cause('{"exit_code": 4}') == "timeout"


@pytest.mark.parametrize(
    "text",
    [
        f"Processed {MS} (artifacts: 2), noise 7.86 mJy/beam",
        "on exit 4 antennas remained",
        "exit 4.5 s later",
        "HTTP status code 404",
        "retry 2 of 3",
        "version 2.3",
    ],
)
def test_other_numbers_are_no_exit_codes(text: str) -> None:
    """A number near such words is no exit code."""
    assert cause(text) == "general"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemoryError during gridding", "memory"),
        ("wsclean was KILLED", "memory"),
        ("Out of memory", "memory"),
        ("unable to allocate 11.2 GiB", "memory"),
        ("TIMEOUT, no output for 1800 s", "timeout"),
        ("command timed out", "timeout"),
        ("ReadTimeoutError", "timeout"),
        ("[Errno 28] No space left on device", "io"),
        ("[Errno 122] Disk quota exceeded", "io"),
        ("Permission denied", "io"),
        ("IsADirectoryError", "io"),
        ("missing parameter refant", "validation"),
        ("VALUEERROR", "validation"),
        ("No active caltables", "calibration"),
        ("caltable unreadable", "calibration"),
        ("calibrator not found above threshold", "calibration"),
        ("all flagged: no solutions", "calibration"),
        ("low SNR: median 2.1 below 3", "calibration"),
        ("incomplete subband group (14/16)", "conversion"),
        ("UVW disagree with the phase centre", "conversion"),
        ("measurement set not written", "conversion"),
        ("uvh5 read stopped", "conversion"),
        ("database is locked", "database"),
        ("no such column: group_id", "database"),
        ("resource semaphore at its limit", "resource"),
        ("limit reached", "resource"),
        ("segmentation fault", "subprocess"),
        ("deconvolution diverged: peak residual rose in 3 major cycles", "general"),
    ],
)
def test_words_in_order(text: str, expected: str) -> None:
    """Words of each kind are known in either case, in a line or alone."""
    assert cause(text) == cause(error(text)) == cause(text.upper()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "eliminated 3 antennas",
        "skilled operator needed",
        "limitless",
        "unlimited",
        "subconversions",
        "memory_map.c",
    ],
)
def test_words_count_only_whole(text: str) -> None:
    """A word inside another word is not that word."""
    assert cause(error(text)) == "general"


def test_earlier_kind_wins_within_one_error() -> None:
    """Where one error holds words of two kinds, the kind tested first is its cause."""
    assert cause(error("calibration: database is locked")) == "calibration"
    assert cause(error("conversion stopped", *traceback("MemoryError: x"))) == "memory"


def test_only_message_and_final_exception_count() -> None:
    """Logger names, tags, paths, modules and the code of a traceback are no evidence."""
    assert cause(error(f"{MS} broke", *traceback("RuntimeError: diverged"))) == "general"
    assert cause(error("/stage/calibration/killed/timeout.log broke")) == "general"
    assert cause(error("dsa110_contimg.calibration.solve broke")) == "general"
    assert cause(error("2025-10-22T06:42:22_killed.ms broke")) == "general"
    odd = '/stage/odd killed names/it\'s "timeout" x.ms'
    assert cause_of_text(error(f"{odd} broke"), paths=[odd]).cause == "general"  # type: ignore[union-attr]


def test_stage_name_is_not_the_cause() -> None:
    """The stage that failed does not hide what made it fail."""
    assert cause(error("stage calibration failed: database is locked")) == "database"
    both = error("database is locked") + "\n" + error(f"stage conversion failed for {MS}")
    assert cause(both) == "database"


@pytest.mark.parametrize(
    "message", [f"imaging of {MS} failed after 3 attempts", "giving up", f"run of {MS} failed (3)"]
)
def test_announcement_without_a_reason_is_passed_over(message: str) -> None:
    """A last line that only says that something failed leaves the cause to the error before."""
    assert cause(error("database is locked") + "\n" + error(message)) == "database"
    reason = error("imaging failed: beam not finite")
    assert cause(error("database is locked") + "\n" + reason) == "general"
    assert cause(error(message)) == "general"


def test_exception_of_the_traceback() -> None:
    """The last exception of a traceback counts, of a chain the last one."""
    found = cause_of_text(error(f"cannot write {MS}", *traceback("OSError: [Errno 28] full")))
    assert found is not None
    assert (found.cause, found.line) == ("io", "OSError: [Errno 28] full")
    chain = (
        *traceback("KeyError: 'killed'"),
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        *traceback("sqlite3.OperationalError: database is locked"),
    )
    assert cause(error("broke", *chain)) == "database"
    assert cause("\n".join(chain)) == "database"


def test_json_lines() -> None:
    """A JSON error's message and final exception count; its module names do not."""
    held = {
        "level": "ERROR",
        "logger": "dsa110_contimg.calibration",
        "message": "group broke",
        "module": "timeout",
        "ms_path": "/x/killed.ms",
        "exception": "Traceback (most recent call last):\nRuntimeError: incomplete subband group",
    }
    found = cause_of_text(json.dumps(held))
    assert found is not None
    assert (found.cause, found.line) == ("conversion", "RuntimeError: incomplete subband group")
    del held["exception"]
    assert cause(json.dumps(held)) == "general"
    assert cause(json.dumps({**held, "level": "INFO", "message": "timeout"})) == "general"


def test_error_column_of_a_batch_item() -> None:
    """A message with its exception on the next line is one error."""
    text = f"bad input for {MS}: x\nTypeError: solve() missing 1 argument: 'refant'"
    assert cause(text) == "validation"
    assert cause(f"apply/image failed for {MS}: MemoryError\nRuntimeError: uvh5") == "memory"


def test_last_error_decides() -> None:
    """Of several attempts the last error is the cause, even if it says nothing known."""
    first = error("timeout, no output", *traceback("RuntimeError: timeout"))
    last = error("deconvolution diverged", *traceback("RuntimeError: diverged"), at="02:00:00")
    assert cause(first + "\n" + last) == "general"
    assert cause(last + "\n" + first) == "timeout"
    assert cause("MemoryError: a\nsecond try\nTimeoutError: b") == "timeout"


def test_lines_below_error_are_no_errors() -> None:
    """INFO, DEBUG and WARNING lines, and what follows a warning, show no cause."""
    for level in ("INFO", "DEBUG", "WARNING"):
        text = error("database is locked, retry", level=level) + "\n" + error("broke")
        assert cause(text) == "general"
        assert cause(error("broke") + "\n" + error("killed", level=level)) == "general"
    warned = error("retry", *traceback("MemoryError: x"), level="WARNING")
    assert cause(warned) == "general"
    crashed = error("started", *traceback("MemoryError: x"), level="INFO")
    assert cause(crashed) == "memory"


def test_exit_code_of_a_quieter_line_is_the_last_resort() -> None:
    """An exit code on a line that is no error counts only where no error shows a cause."""
    quiet = error("container gone, exit code 137", level="INFO")
    assert cause(quiet) == "memory"
    assert cause(quiet, error("all flagged")) == "calibration"


def test_no_text_is_no_cause() -> None:
    """Blank text shows nothing: that is not the same as an unknown word."""
    assert cause() is cause("") is cause("  \n\t", "") is None
    assert cause("?") == "general"


def test_evidence_says_which_text() -> None:
    """The evidence names the line, what in it counted, and the text that it stood in."""
    found = cause_of_texts(["broke", "", error(f"{MS} failed (exit 9)"), "end"])
    assert found is not None
    assert (found.cause, found.how, found.text) == ("database", "exit code 9", 2)
    assert found.line.startswith("2025-10-22 01:00:00,250 ERROR")


LINES = st.sampled_from(
    [
        error("killed"),
        error("x", *traceback("RuntimeError: y")),
        error("z", level="WARNING"),
        "Traceback (most recent call last):",
        '{"level": "ERROR", "message": "x", "exception": ""}',
        '{"level": "ERROR", "message": "", "exit_code": null}',
        "(exit 4)",
        "During handling of the above exception, another exception occurred:",
    ]
)


@given(st.lists(st.lists(LINES | st.text(max_size=60), max_size=6).map("\n".join), max_size=4))
def test_no_text_raises(texts: list[str]) -> None:
    """Whatever the texts hold, there is a known cause or, for blank texts, none."""
    found = cause_of_texts(texts)
    if found is None:
        assert not any(text.strip() for text in texts)
    else:
        assert found.cause in CAUSES
        assert 0 <= found.text < len(texts)


@pytest.mark.parametrize(
    "bad", ["/", "a.", "stage ", "[a=", "exit ", "{", "[", "A:", "a/", ":", "aB", '{"a":', "[a=b] "]
)
def test_no_text_is_slow(bad: str) -> None:
    """A line of tens of kilobytes of one thing is judged at once."""
    text = bad * (50_000 // len(bad))
    start = time.perf_counter()
    cause_of_texts([text, error(text), json.dumps({"level": "ERROR", "message": text})])
    assert time.perf_counter() - start < 2.0


def test_the_message_is_the_last_error_that_says_anything():
    """An announcement that a stage failed is passed over for what the error itself said."""
    texts = [
        "2025-10-21 02:03:41,573 ERROR [p.applycal] caltable unreadable [stage=calibration]\n"
        'Traceback (most recent call last):\n  File "x.py", line 2, in run\n'
        "RuntimeError: caltable absent",
        "2025-10-21 02:03:42,573 ERROR [p.orchestrator] stage calibration failed for /a (exit 7)",
    ]
    assert message_of_texts(texts) == "caltable unreadable; RuntimeError: caltable absent"
    assert message_of_texts(["wsclean was killed (exit -9)"]) == "wsclean was killed (exit -9)"
    assert message_of_texts([]) is message_of_texts(["2025-10-21 02:03:41,573 INFO [x] ok"]) is None
