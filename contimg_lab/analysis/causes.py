"""Cause of a failure: from the exit code where there is one, else from the words of its errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contimg_lab.analysis._error_texts import ErrorRecord, error_records, quiet_lines

__all__ = [
    "CAUSES",
    "Evidence",
    "cause_of_exit_code",
    "cause_of_text",
    "cause_of_texts",
    "message_of_texts",
]

CAUSES = (
    "memory",
    "timeout",
    "io",
    "validation",
    "calibration",
    "conversion",
    "database",
    "resource",
    "subprocess",
    "general",
)
"""Kinds of failure in the order in which words are tested."""

_BY_CODE = {
    1: "general",
    2: "io",
    3: "memory",
    4: "timeout",
    5: "validation",
    6: "resource",
    7: "calibration",
    8: "conversion",
    9: "database",
    10: "subprocess",
    124: "timeout",
}
_KILL = 9
_SHELL_SIGNALS = range(129, 193)

_NUMBER = r"(-?\d{1,4})(?![\w-]|[.:]\d)"
_CODES = re.compile(
    rf"""
    \bexit(?:ed)?[\s_-]?(?:with\s+)?(?:code|status)["']?(?:\s+(?:was|of|is))?\s*[:=]?\s*{_NUMBER}
    | \bexited\s+with\s+{_NUMBER}
    | \bexit\s*[:=]?\s*{_NUMBER}(?=\s*(?:[)\],;.]|$))
    | \b(?:ended|exited|finished|failed|terminated|died|returned|stopped|quit)\s+with\s+
      (?:(?:an?|the|exit|return|error|non-?zero)\s+)*(?:code|status)\s*[:=]?\s*{_NUMBER}
    | \breturn[\s_-]?code["']?\s*[:=]?\s*{_NUMBER}
    | \bSystemExit:\s*{_NUMBER}
    | \b(?:died\s+with\s+<Signals\.\w+:|(?:killed|terminated)\s+by\s+signal)
      \s*(?P<signal>\d{{1,2}})\b
    """,
    re.IGNORECASE | re.VERBOSE,
)

_ERRNO = r"errno (?:2|5|13|17|20|21|28|30|116|122)"
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "memory",
        r"memory ?error|out[ -]of[ -]memory|oom(?:[ -]?kill(?:ed|er)?)?|killed|sigkill|bad_alloc"
        r"|(?:cannot|unable to|failed to|could not) allocate|(?:not enough|insufficient) memory",
    ),
    ("timeout", r"[a-z]*time-?outs?(?:error|expired|exception)?|timed[ -]?out|time[ -]out"),
    (
        "io",
        r"filenotfound(?:error)?|permission(?:error| denied)?|is ?a ?directory(?:error)?"
        r"|notadirectoryerror|fileexistserror|no such file or directory|no space left"
        rf"|(?:disk )?quota exceeded|disk full|read-only file system|input/output error|{_ERRNO}",
    ),
    ("validation", r"valueerror|typeerror|missing parameters?"),
    (
        "calibration",
        r"calibrations?|cal(?:ibration)?[ _-]?tables?|calibrators?|all flagged|low snr",
    ),
    (
        "conversion",
        r"uvh5|conversions?|measurement[ -]?sets?|(?:incomplete|missing) sub-?bands?"
        r"|sub-?band groups?|uvw",
    ),
    (
        "database",
        r"database (?:table )?is locked|no such (?:column|table|index)|database error"
        r"|database disk image is malformed|unable to open database|operationalerror"
        r"|integrityerror|databaseerror|(?:unique|foreign key|not null) constraint failed",
    ),
    ("resource", r"resources?|limits?|too many open files"),
    ("subprocess", r"subprocess|calledprocesserror|segmentation fault|segfault|sig[a-z]{3,4}"),
)
_WEAK: tuple[tuple[str, str], ...] = (  # tested only where no word of the table above is found
    ("memory", r"memory"),
    (
        "io",
        r"oserror|ioerror|(?:cannot|could not|unable to|failed to) (?:open|read|write)",
    ),
    ("validation", r"validation|bad input|invalid (?:parameters?|inputs?|values?|coordinates?)"),
    ("database", r"database|sqlite3?"),
)


def _compiled(words: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (cause, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE))
        for cause, pattern in words
    )


_STRONG_PATTERNS, _WEAK_PATTERNS = _compiled(_WORDS), _compiled(_WEAK)
_PATH = re.compile(
    r"""(?<![\w.)])(?:\w+:/)?(?:~|\.\.?)?/(?=[\w.])[^\s'",;:()\[\]<>]*(?::\d[^\s'",;:()]*)*"""
)
_TOKEN = re.compile(r"""[^\s'"]+""")
_FILE_ENDS = (".ms", ".fits", ".py", ".log")
_TAG = re.compile(r"\[[A-Za-z_]\w*=[^\[\]]*\]")
_MODULE = re.compile(r"(?<![\w.])(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])(\w+)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CLASS = re.compile(r"\b[A-Z]\w*(?:Error|Exception)\b")
_STAGE = re.compile(r"\bstage[ =:]+[\w/]+", re.IGNORECASE)
_SUMMARY = re.compile(
    r"(?:(?:stage|step|job|run|task|pipeline)\b[\w /-]*\bfailed(?: for)?|giving up\b[\w ]*)"
    r"[\s.:!]*",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"[^:;]*\b(?:failed|giving up|gave up|aborted|stopped)\b[^:;]*", re.IGNORECASE
)  # says that something failed, and no reason


@dataclass(frozen=True, slots=True)
class Evidence:
    """Cause of a failure with what showed it.

    Attributes
    ----------
    cause
        One of `CAUSES`.
    line
        Line that showed it, as written (of a JSON line its message or exception).
    how
        The exit code or the word in it, in words.
    text
        Which of the given texts the line stood in, counted from 0.
    """

    cause: str
    line: str
    how: str
    text: int = 0


def cause_of_exit_code(code: int) -> str | None:
    """Kind of failure of an exit code; None for 0, which says that nothing failed.

    Codes 129 to 192 are a shell's way to write a signal (137 is -9), 124 is that of the
    ``timeout`` command; any other positive code that the pipeline does not use is general.
    """
    if code == 0:
        return None
    signal = -code if code < 0 else code - 128 if code in _SHELL_SIGNALS else 0
    if signal:
        return "memory" if signal == _KILL else "subprocess"
    return _BY_CODE.get(code, "general")


def cause_of_text(text: str, *, paths: Sequence[str] = ()) -> Evidence | None:
    """Cause that one text shows; see `cause_of_texts`.

    Examples
    --------
    >>> cause_of_text("wsclean was killed (exit -9)")
    Evidence(cause='memory', line='wsclean was killed (exit -9)', how='exit code -9', text=0)
    """
    return cause_of_texts((text,), paths=paths)


def cause_of_texts(texts: Sequence[str], *, paths: Sequence[str] = ()) -> Evidence | None:
    """Cause that the texts of one failed run show; None where they are all blank.

    The last exit code of any error line decides; else the words of the last error that
    says anything, tested in the order of `CAUSES`; ``general`` where no word is known.

    Parameters
    ----------
    texts
        Log lines, error columns, whole logs: the oldest first, since the last error counts.
    paths
        Paths to leave out of the search for words: those with a space cannot be told from
        words otherwise.
    """
    if not any(text.strip() for text in texts):
        return None
    found = [(index, record) for index, text in enumerate(texts) for record in error_records(text)]
    for index, record in reversed(found):
        shown = _by_code(record, index)
        if shown is not None:
            return shown
    shown = _by_words(found, tuple(sorted(paths, key=len, reverse=True)))
    if shown is not None and shown.cause != "general":
        return shown
    for index in range(len(texts) - 1, -1, -1):
        code = _last_code(quiet_lines(texts[index]))
        if code is not None and code[0] != "general":
            return Evidence(*code, index)
    if shown is not None:
        return shown
    index = max(i for i, text in enumerate(texts) if text.strip())
    return Evidence("general", texts[index].strip().rsplit("\n", 1)[-1].strip(), "no error", index)


def message_of_texts(texts: Sequence[str]) -> str | None:
    """What went wrong in the pipeline's own words: the last error's message and exception.

    An announcement that a stage failed is passed over for the error before it; None where
    the texts hold no error.
    """
    found = [record for text in texts for record in error_records(text)]
    said = [(record, list(record.lines())) for record in found]
    telling = [
        record for record, lines in said if not all(_SUMMARY.match(words) for words, _ in lines)
    ]
    if not (telling or found):
        return None
    record = (telling or found)[-1]
    parts = [_TAG.sub("", words).strip() for words, _ in record.messages[-1:]]
    if record.exception is not None and record.exception.strip() not in parts:
        parts.append(record.exception.strip())
    return "; ".join(part for part in parts if part) or None


def _by_code(record: ErrorRecord, index: int) -> Evidence | None:
    lines = list(record.lines())
    shown = _last_code(lines)
    if shown is None and record.codes:
        written = lines[0][1] if lines else record.codes[0]
        shown = _last_code((code, written) for code in record.codes)
    return None if shown is None else Evidence(*shown, index)


def _last_code(lines: Iterable[tuple[str, str]]) -> tuple[str, str, str] | None:
    last = None
    for words, written in lines:
        for match in _CODES.finditer(words):
            signal = match["signal"]
            code = -int(signal) if signal else int(next(g for g in match.groups() if g))
            cause = cause_of_exit_code(code) if -64 <= code <= 255 else None
            if cause is not None:
                last = cause, written, f"exit code {code}"
    return last


def _by_words(found: Sequence[tuple[int, ErrorRecord]], paths: tuple[str, ...]) -> Evidence | None:
    said = [
        (index, record, [(_searchable(words, paths), line) for words, line in record.lines()])
        for index, record in found
    ]
    telling = [row for row in said if not all(_SUMMARY.fullmatch(words) for words, _ in row[2])]
    last: Evidence | None = None
    for index, record, lines in reversed(telling or said):
        if not lines:
            continue
        shown = _first_word(lines)
        if shown is not None:
            return Evidence(*shown, index)
        last = last or Evidence("general", lines[-1][1], "no known word", index)
        announces = all(_ANNOUNCES.fullmatch(words) for words, _ in lines)
        if record.exception is not None or (record.levelled and not announces):
            break  # an earlier attempt's error is not what ended the run
    return last


def _first_word(lines: Sequence[tuple[str, str]]) -> tuple[str, str, str] | None:
    for patterns in (_STRONG_PATTERNS, _WEAK_PATTERNS):
        for strip_stage in (True, False):
            for cause, pattern in patterns:
                for words, written in lines:
                    match = pattern.search(_STAGE.sub(" ", words) if strip_stage else words)
                    if match is not None:
                        return cause, written, f"word {match[0].lower()!r}"
    return None


def _searchable(words: str, paths: Sequence[str]) -> str:
    for path in paths:
        if path:
            words = words.replace(path, " ")
    words = _TOKEN.sub(_no_file_name, _PATH.sub(" ", _TAG.sub(" ", words)))
    words = _MODULE.sub(_last_part, words)
    classes = " ".join(_CAMEL.sub(" ", name) for name in _CLASS.findall(words))
    return f"{words.strip()} {classes}".strip()


def _no_file_name(match: re.Match[str]) -> str:
    return " " if match[0].rstrip(":,.;)").endswith(_FILE_ENDS) else match[0]


def _last_part(match: re.Match[str]) -> str:
    name = match[1]
    return name if name.endswith(("Error", "Exception", "Expired", "Exit", "Interrupt")) else " "
