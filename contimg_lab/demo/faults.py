"""Failures that runs meet: what each writes into its log, and which runs meet them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALL_FLAGGED", "CAUSES", "FAILURES", "LAST_NIGHT", "SILENT", "Failure"]

CAUSES = (
    "memory", "timeout", "io", "validation", "calibration",
    "conversion", "database", "resource", "subprocess", "general",
)  # fmt: skip
"""Every group of failures, in the order in which a text is tested for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One way to fail: the step, the message and the last line of the traceback.

    In the texts ``{ms}`` is the MS path, ``{group}`` its group, ``{mjd}`` its middle.
    """

    cause: str
    step: str
    module: str
    message: str
    exception: str = ""
    attempts: int = 1

    def texts(self, ms_path: str, group_id: str, mid_mjd: float) -> tuple[str, str]:
        """Message and exception line for one MS."""
        words = {"{ms}": ms_path, "{group}": group_id, "{mjd}": f"{mid_mjd:.5f}"}
        message, exception = self.message, self.exception
        for word, value in words.items():
            message, exception = message.replace(word, value), exception.replace(word, value)
        return message, exception


FAILURES: tuple[Failure, ...] = (
    Failure(
        cause="memory", step="image", module="imaging.worker",
        message="gridding {ms} stopped with a MemoryError",
        exception="MemoryError: no room for a (4800, 4800, 56) array of 9.6 GiB",
    ),
    Failure(
        cause="memory", step="image", module="imaging.wsclean",
        message="the imager of {ms} was killed, exit code -9",
    ),
    Failure(
        cause="timeout", step="image", module="imaging.worker",
        message="imaging {ms}: TIMEOUT after 1800 s",
        exception="TimeoutError: no answer from the container in 1800 s", attempts=2,
    ),
    Failure(
        cause="io", step="apply", module="calibration.applycal",
        message="{ms} does not open",
        exception="FileNotFoundError: [Errno 2] No such file or directory: '{ms}/table.f3'",
    ),
    Failure(
        cause="io", step="image", module="imaging.worker",
        message="images of {ms} could not be written",
        exception="OSError: [Errno 28] No space left on device: '/stage/dsa110-contimg/images'",
    ),
    Failure(
        cause="validation", step="apply", module="pipeline.stages",
        message="{ms} rejected before its first step",
        exception="ValueError: right ascension nan of the phase centre is outside 0 to 360",
    ),
    Failure(
        cause="calibration", step="apply", module="calibration.applycal",
        message="all flagged: nothing of {ms} is left after the bandpass",
        exception="RuntimeError: all flagged", attempts=3,
    ),
    Failure(
        cause="conversion", step="convert", module="conversion.streaming",
        message="incomplete subband group (11/16): {group}",
        exception="RuntimeError: uvh5 files of the group are too few",
    ),
    Failure(
        cause="conversion", step="convert", module="conversion.writer",
        message="UVW of {group} do not belong to its phase centre",
        exception="RuntimeError: conversion refused, UVW off by 0.31 m",
    ),
    Failure(
        cause="database", step="image", module="database.products",
        message="products of {ms} not registered",
        exception="sqlite3.OperationalError: database is locked", attempts=3,
    ),
    Failure(
        cause="database", step="apply", module="database.products",
        message="state of {ms} not written",
        exception="sqlite3.OperationalError: no such column: pointing_dec_deg",
    ),
    Failure(
        cause="resource", step="image", module="pipeline.resources",
        message="{ms} gave up its place: resource pool at its limit (4 of 4)",
        exception="RuntimeError: resource limit reached",
    ),
    Failure(
        cause="subprocess", step="image", module="imaging.wsclean",
        message="wsclean on {ms} ended with exit code -11",
    ),
    Failure(
        cause="general", step="image", module="imaging.worker",
        message="deconvolution of {ms} diverged",
        exception="RuntimeError: peak residual grew in three major cycles",
    ),
)  # fmt: skip
"""Each is planted once in the season, on a tile of an ordinary night."""

LAST_NIGHT: tuple[Failure, ...] = (FAILURES[0], FAILURES[3], FAILURES[7], FAILURES[2])
"""Planted once more on the last night: memory, io, conversion, timeout."""

ALL_FLAGGED = Failure(
    cause="calibration", step="calibrate", module="calibration.solve",
    message="all flagged: no solutions from {ms}",
    exception="RuntimeError: all flagged", attempts=2,
)  # fmt: skip
"""How the bandpass calibrator fails, on the night without calibration and on one more."""

SILENT = Failure(cause="unknown", step="image", module="", message="")
"""A failure that leaves no text anywhere."""
