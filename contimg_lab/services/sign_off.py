"""Sign-offs: a night released by name, with reasons, on rows that are kept; and held to it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from contimg_lab import _faces
from contimg_lab.ledger.chain import Entry
from contimg_lab.records.sign_offs import NightState
from contimg_lab.services._context import Service
from contimg_lab.services._frames import record_frame
from contimg_lab.services._ledger_book import LedgerBook, read_book
from contimg_lab.times import parse_night

if TYPE_CHECKING:
    import pandas as pd

    from contimg_lab.ledger.changes import Change
    from contimg_lab.ledger.keys import SigningKey
    from contimg_lab.services._sign_off_check import SignOffCheck
    from contimg_lab.services._signing import Signer
    from contimg_lab.services.night_report import NightReport

__all__ = ["LedgerBook", "SignOffs"]


class SignOffs(Service):
    """Sign-offs of nights, beside what is said of their quality."""

    async def sign(
        self,
        report: NightReport,
        *,
        reviewer: str,
        decision: str,
        reason: str,
        exceptions: Sequence[Mapping[str, Any]] = (),
        hours: Mapping[Any, Any] | None = None,
        notes: str = "",
        key: SigningKey | str | os.PathLike[str] | None = None,
        corrects: int | Entry | None = None,
    ) -> Entry:
        """Sign a night's report: one entry more in the ledger, which is on the disk afterwards.

        Parameters
        ----------
        report
            What `night` returned, still true of the database.
        reviewer
            Who decides. With a key that the list of reviewers (the TOML of thresholds) names
            the entry says that it is listed; else it is kept, and says that it is not.
        decision
            accept, accept with exceptions, reject or hold.
        reason
            Why, in words.
        exceptions
            Of what fails and is accepted nevertheless, each with ``check``, ``hour`` or
            ``key`` (or neither, for the night as a whole), and ``reason`` in words.
        hours
            By hour a decision, or ``{"decision": ..., "promotion": ...}``; hours left out
            follow the night's. Promotion classes: trusted_baseline, comparator_only,
            weak_baseline, where the report says that the conditions are met.
        notes
            Anything else.
        key
            The key that signs, or its file; None: the reviewer's own, where
            ``contimg-lab qa key`` made one, else the entry says that it is not signed.
        corrects
            Number of an earlier entry about the night that this one puts right.

        Raises
        ------
        InvalidInput
            A rule is not kept: a failing check without its exception, no name, no reason ...
        StaleReport
            Rows changed since the report was made.
        SigningKeyError
            The key cannot be used.
        LedgerError
            Nothing was written; see its kinds in `contimg_lab.errors`.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo(ledger=Path(tempfile.mkdtemp()) / "ledger.sqlite3") as lab:
        ...     report = lab.qa.night(lab.last_night())
        ...     entry = lab.qa.sign(
        ...         report, reviewer="Ana", decision="hold", reason="flux scale is looked into"
        ...     )
        ...     lab.qa.verify(entry).changes
        ()
        """
        from contimg_lab.services._signing import sign_report

        return await sign_report(
            self.context,
            report,
            reviewer=reviewer,
            decision=decision,
            reason=reason,
            exceptions=exceptions,
            hours=hours,
            notes=notes,
            key=key,
            corrects=corrects.number if isinstance(corrects, Entry) else corrects,
        )

    async def signer(
        self, reviewer: str, *, key: SigningKey | str | os.PathLike[str] | None = None
    ) -> Signer:
        """Tell how an entry of a reviewer would be signed; nothing is written.

        Parameters
        ----------
        reviewer, key
            As for `sign`.

        Raises
        ------
        InvalidInput
            No name is given, or one that is none.
        SigningKeyError
            The key cannot be used.
        ConfigError
            The list of reviewers cannot be read.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     print(lab.qa.signer("Nobody whom this computer knows"))
        will be unsigned: Nobody whom this computer knows has no key on this computer; not \
listed as a reviewer
        """
        from contimg_lab.services._signing import find_signer

        return await find_signer(self.context, reviewer, key)

    async def changes(self, report: NightReport) -> tuple[Change, ...]:
        """Name what differs now from the rows that a report was computed from.

        Nothing is judged again: `sign` takes the report as long as this is empty.

        Parameters
        ----------
        report
            What `night` returned.

        Raises
        ------
        DatabaseError
            The database cannot be read now.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lab.qa.changes(lab.qa.night(lab.last_night()))
        ()
        """
        from contimg_lab.services._signing import report_changes

        return await report_changes(self.context, report)

    def sign_panel(self, night: NightReport | str | date | None = None, **options: Any) -> Any:
        """Show the form in which a night is decided on and signed.

        Parameters
        ----------
        night
            A report of `night`, or a UTC date; None: the night that is selected, else the last.
        **options
            More of `contimg_lab.panels.sign_off.SignOffPanel`: ``reviewer``, ``key``,
            ``corrects``.
        """
        if night is not None:
            given = "report" if hasattr(night, "evidence") else "night"
            options = {given: night, **options}
        return _faces.panel("sign_off", self.lab, **options)

    async def ledger(self) -> LedgerBook:
        """List the ledger's entries, of every database, and its head.

        Raises
        ------
        LedgerError
            It cannot be read. A ledger that is not there yet has no entries.
        """
        return await asyncio.to_thread(read_book, self.context.ledger)

    async def entry(self, number: int) -> Entry:
        """Return one entry, with everything it says.

        Raises
        ------
        NotFound
            There is none of this number.
        LedgerError
            The ledger cannot be read.
        """
        return await asyncio.to_thread(self.context.ledger.entry, number)

    async def verify(self, entry: Entry | int) -> SignOffCheck:
        """Hold a sign-off against the ledger and against this database.

        Parameters
        ----------
        entry
            The entry, or its number.

        Returns
        -------
        SignOffCheck
            What was found of the chain, the signature, the reviewer, the rows (each change
            with its old and new value) and the recorded thresholds run again.

        Raises
        ------
        NotFound
            The ledger has no such entry.
        LedgerError, DatabaseError
            Ledger or database cannot be read.
        """
        from contimg_lab.services._sign_off_verify import verify_entry

        return await verify_entry(self.context, entry)

    async def calendar(
        self,
        first: str | date | None = None,
        last: str | date | None = None,
        *,
        check: bool = True,
    ) -> pd.DataFrame:
        """Tell how each night stands: unsigned, accepted ..., or stale and since when.

        The last entry about a night counts. Nothing is written anywhere: since when a night is
        stale is known from when it was noticed, while this Lab is open.

        Parameters
        ----------
        first, last
            UTC dates, both included; None: from the first night, to the last.
        check
            Hold the rows of signed nights against the database now, where that was not done
            since the last commit: about as long as reading each of them takes. False: as far
            as is known (column ``is_checked``); while anybody listens to ``lab.events()`` it
            is found in the background, and told as an event of kind ``stale``.

        Returns
        -------
        pandas.DataFrame
            One row a night.

        Raises
        ------
        InvalidInput
            A text is no date.
        LedgerError, DatabaseError
            Ledger or database cannot be read.
        """
        return record_frame(NightState, await self.states(first, last, check=check))

    async def states(
        self,
        first: str | date | None = None,
        last: str | date | None = None,
        *,
        check: bool = True,
    ) -> list[NightState]:
        """Return what `calendar` makes a table of."""
        low = "" if first is None else parse_night(first).isoformat()
        high = "9" if last is None else parse_night(last).isoformat()
        standing = self.context.standing
        await standing.refresh()
        held = (await self.context.directory()).nights()
        nights = [n for n in sorted({*held, *standing.nights()}) if low <= n <= high]
        token = await standing.token()
        if check:
            for state in standing.states(nights, token):
                if state.is_checked is False:
                    await standing.check(state.night)
            token = await standing.token()
        return standing.states(nights, token)
