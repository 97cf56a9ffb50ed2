"""What can be done with a light curve: bin, normalise, fold, search for periods and changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contimg_lab.services._curve_value import Floats

if TYPE_CHECKING:
    from contimg_lab.services._curve_value import Curve
    from contimg_lab.services.light_curve_bins import BinnedCurve, Blocks, NormalizedCurve
    from contimg_lab.services.light_curve_changes import StructureFunction, TwoEpoch
    from contimg_lab.services.light_curve_periods import FoldedCurve, Periodogram

__all__ = ["CurveWork"]


class CurveWork:
    """Methods of a light curve that make new values; the curve itself is never changed.

    What needs times leaves out epochs without one and counts them as ``n_untimed``. Each value
    has ``plot()`` and ``to_pandas()``.
    """

    __slots__ = ()

    def bin(self: Curve, width_days: float, *, start_mjd: float | None = None) -> BinnedCurve:
        """Average in bins of equal width, weighted by ``1 / s**2``.

        Bins without an epoch are left out. The error of a mean assumes independent errors:
        where ``chi_squared`` is far above n - 1 it is too small.

        Parameters
        ----------
        width_days
            Width, days.
        start_mjd
            An edge, MJD (UTC). None: the first epoch.

        Raises
        ------
        InvalidInput
            The width is not above 0, or ``start_mjd`` is not finite.

        References
        ----------
        Bevington & Robinson, Data Reduction and Error Analysis, ch. 4:
        ``sum(w S) / sum(w)``, error ``1 / sqrt(sum(w))``, w = 1/s**2.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> weekly = lc.bin(7.0)
        >>> len(weekly) < len(lc) and int(weekly.n.sum()) == len(lc)
        True
        """
        from contimg_lab.services.light_curve_bins import bin_curve

        return bin_curve(self, width_days, start_mjd)

    def normalize(self: Curve, *, by: str | float = "weighted_mean") -> NormalizedCurve:
        """Divide fluxes and errors by one flux.

        Parameters
        ----------
        by
            ``weighted_mean``, ``mean``, ``median``, or a flux in Jy.

        Raises
        ------
        InvalidInput
            There is no epoch, or the flux to divide by is not above 0.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> relative = lc.normalize(by="median")
        >>> round(float(relative.flux[0] * relative.level_jy / lc.flux_jy[0]), 12)
        1.0
        """
        from contimg_lab.services.light_curve_bins import normalize_curve

        return normalize_curve(self, by)

    def fold(self: Curve, period_days: float, epoch_mjd: float | None = None) -> FoldedCurve:
        """Fold on a period: phase in [0, 1) of each epoch.

        Parameters
        ----------
        period_days
            Period, days.
        epoch_mjd
            Time of phase 0, MJD (UTC). None: the first epoch.

        Raises
        ------
        InvalidInput
            The period is not above 0, ``epoch_mjd`` is not finite, or more than 1e9 cycles lie
            between it and an epoch.

        References
        ----------
        phase = frac((t - epoch) / period), cycle = floor((t - epoch) / period).

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> folded = lc.fold(2.0)
        >>> float(folded.phase[0]), bool((folded.phase < 1.0).all())
        (0.0, True)
        """
        from contimg_lab.services.light_curve_periods import fold_curve

        return fold_curve(self, period_days, epoch_mjd)

    def periodogram(
        self: Curve,
        *,
        shortest_days: float | None = None,
        longest_days: float | None = None,
        samples_per_peak: int = 50,
        levels: Sequence[float] = (0.1, 0.01, 0.001),
    ) -> Periodogram:
        """Lomb-Scargle periodogram with a floating mean, and its false-alarm levels.

        One visit a (sidereal) day aliases every period. The false-alarm level (Baluev's bound)
        knows Gaussian noise only: red variability and image gains pass it easily.

        Parameters
        ----------
        shortest_days, longest_days
            Range of periods, days. None: twice the median time between visits, and the whole
            time span.
        samples_per_peak
            Frequencies across a peak.
        levels
            False-alarm probabilities whose power to give.

        Raises
        ------
        InvalidInput
            Fewer than 5 different times, all fluxes equal, no period in the range, or more than
            5e6 frequencies.

        References
        ----------
        VanderPlas (2018), ApJS 236, 16; Baluev (2008), MNRAS 385, 1279 (false alarms);
        Montgomery & O'Donoghue (1999), Delta Scuti Star Newsletter 13, 28: error of the
        frequency ``sqrt(6 / N) s / (pi T a)``, s the scatter about a sinusoid of amplitude a
        over a time T.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> planted = [p for p in cl.demo_truth().variables if p.kind == "periodic"][-1]
        >>> with cl.demo() as lab:
        ...     found = lab.sources.light_curve(planted.source_id).periodogram()
        >>> bool(abs(found.best_period_d / planted.parameters["period_d"] - 1.0) < 0.01)
        True
        """
        from contimg_lab.services.light_curve_periods import find_periods

        return find_periods(self, shortest_days, longest_days, samples_per_peak, levels)

    def structure_function(
        self: Curve, *, edges_days: Sequence[float] | Floats | None = None, n_bins: int = 10
    ) -> StructureFunction:
        """First-order structure function: the mean square change against lag, less the noise.

        Twice the variance at long lags for a stationary source; a rise tells the time scale.

        Parameters
        ----------
        edges_days
            Rising edges of the lag bins, days. None: ``n_bins`` from the shortest to the longest
            lag, even in its logarithm.
        n_bins
            Number of bins where no edges are given.

        Raises
        ------
        InvalidInput
            Fewer than 2 different times, or edges that do not rise.

        References
        ----------
        Simonetti, Cordes & Heeschen (1985), ApJ 296, 46:
        ``D(tau) = mean((S(t + tau) - S(t))**2)``, here less ``s_a**2 + s_b**2`` of each pair.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> with cl.demo() as lab:
        ...     lc = lab.sources.light_curve(lab.sources.list_sources(limit=1)[0].source_id)
        >>> found = lc.structure_function(n_bins=6)
        >>> int(found.n_pairs.sum()) == len(lc) * (len(lc) - 1) // 2
        True
        """
        from contimg_lab.services.light_curve_changes import find_structure

        return find_structure(self, edges_days, n_bins)

    def bayesian_blocks(self: Curve, *, false_alarm: float = 0.01) -> Blocks:
        """Split where the level changes.

        Assumes independent Gaussian errors: with image gains uncorrected it finds the images.

        Parameters
        ----------
        false_alarm
            Probability of a false change of level.

        Raises
        ------
        InvalidInput
            Fewer than 2 different times, or no probability between 0 and 1.

        References
        ----------
        Scargle et al. (2013), ApJ 764, 167, eqs. 21 (prior) and 41 (point measurements).

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> flare = [p for p in cl.demo_truth().variables if p.kind == "flare"][0]
        >>> with cl.demo() as lab:
        ...     blocks = lab.sources.light_curve(flare.source_id).bayesian_blocks()
        >>> len(blocks) > 1
        True
        """
        from contimg_lab.services.light_curve_bins import find_blocks

        return find_blocks(self, false_alarm)

    def two_epoch(self: Curve) -> TwoEpoch:
        """Find, among all pairs of epochs, the one of largest |Vs|.

        Assumes independent Gaussian errors: image gains make pairs of bright sources differ.

        Raises
        ------
        InvalidInput
            Fewer than 2 epochs.

        References
        ----------
        Mooley et al. (2016), ApJ 818, 105, sec. 5:
        ``Vs = (S_a - S_b) / sqrt(s_a**2 + s_b**2)``, ``m = 2 (S_a - S_b) / (S_a + S_b)``;
        variable where |Vs| > 4.3 and |m| > 0.26.

        Examples
        --------
        >>> from contimg_lab import blocking as cl
        >>> flare = [p for p in cl.demo_truth().variables if p.kind == "flare"][0]
        >>> with cl.demo() as lab:
        ...     pair = lab.sources.light_curve(flare.source_id).two_epoch()
        >>> abs(pair.vs) > 4.3 and abs(pair.m) > 0.26
        True
        """
        from contimg_lab.services.light_curve_changes import find_two_epoch

        return find_two_epoch(self)
