"""How a score grows with the number of coded articles, and how many more articles a gain would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from newsclf.scores.metrics import Floats

EXPONENTS: Floats = np.geomspace(0.05, 2.0, 60)
"""What c may be: 0.05 is hardly told from a logarithm, and above 2 a curve has levelled out within its first sizes."""

DRAWS = 1000
LEVEL = 0.8
"""Of the ranges: one in ten is missed on either side."""

FARTHEST = 10
"""Times the articles there are, beyond which no plan goes: a curve of a few hundred articles says nothing of a hundred thousand."""

PARAMETERS = 3
FEWEST_SIZES, FEWEST_REPEATS = 5, 3


@dataclass(frozen=True)
class Plan:
    """How many more articles a gain takes; `str` says it."""

    gain: float
    now: int
    """Articles that the gain is counted from."""

    more: int | None
    """Articles to code on top of those, at the middle of the range; None where the curve does not say."""

    low: int | None
    high: int | None
    """Ends of the range; a high of None may be more than ten times the data, or never."""

    note: str
    """The answer as a sentence."""

    def __str__(self) -> str:
        return self.note


@dataclass(frozen=True)
class Curve:
    """score = a - b · n^-c, as fitted and as fitted to each resample."""

    sizes: NDArray[np.int64]
    """Numbers of coded articles, ascending. [sizes]"""

    means: Floats
    """Mean score of the repeats at each. [sizes]"""

    fitted: Floats
    """a, b and c. [3]"""

    drawn: Floats
    """Those of each resample. [draws, 3]"""

    def at(self, articles: float) -> float:
        """Expected score with so many articles."""
        return float(_value(self.fitted, articles))

    def range_at(self, articles: float) -> tuple[float, float]:
        """The range of the expected score with so many articles, `LEVEL` sure where the score does follow such a curve."""
        low, high = _range(_value(self.drawn, articles))
        # bounds make the fit lean to one side, and resamples of it lean again: the range reaches as far on the other side, too
        middle = self.at(articles)
        low, high = min(low, 2 * middle - high), max(high, 2 * middle - low)
        return max(low, 0.0), min(high, 1.0)

    def plan(self, gain: float, *, now: int | None = None) -> Plan:
        """How many articles to code for the score to rise by `gain` (0.02 is two points), from `now` ones or as many as the largest size has.

        Raises ValueError for a gain that is not between 0 and 1, and for `now` below 1.
        """
        start = int(self.sizes[-1]) if now is None else now
        if not 0 < gain < 1:
            raise ValueError(f"the gain is a difference of two scores, such as 0.02 for two points; it must be between 0 and 1, not {gain}")
        if start < 1:
            raise ValueError(f"the articles that a plan starts from must be 1 or more, not {start}")
        needed = _needed(self.drawn, start, gain)
        limit = (FARTHEST - 1) * start
        low, middle, high = (float(np.quantile(needed, at, method="higher")) for at in (_TAIL, 0.5, 1 - _TAIL))
        if middle > limit:
            return Plan(gain, start, None, None, None, self._why_none(gain, start, beyond=low > limit))
        more, least, most = int(np.ceil(middle)), int(np.ceil(low)), int(np.ceil(high)) if high <= limit else None
        end = _about(most) if most is not None else f"more than {FARTHEST} times the data"
        note = f"{_points(gain)} more: code about {_about(more)} articles on top of {start:,} (from {_about(least)} to {end})."
        return Plan(gain, start, more, least, most, note)

    def _why_none(self, gain: float, now: int, *, beyond: bool) -> str:
        first, last = int(self.sizes[0]), int(self.sizes[-1])
        rise = _range(_value(self.drawn, last) - _value(self.drawn, first))
        seen = f"from {first:,} to {last:,} coded articles the score rose by {_points(self.at(last) - self.at(first))} ({_in_points(rise)})"
        if rise[1] < gain or (beyond and rise[0] <= 0):
            return f"the curve is flat: {seen}; more articles of this kind will hardly give {_points(gain)} more."
        far = _range(_value(self.drawn, FARTHEST * now) - _value(self.drawn, now))
        expected = f"{FARTHEST} times the data would give {_in_points(far)} more"
        if beyond:
            return f"{_points(gain)} more would need more than {FARTHEST} times the {now:,} coded articles: {expected}."
        return f"what {_points(gain)} more would need cannot be told: {seen}, and {expected}; measure it with more repeats, or once more are coded."


_TAIL = (1 - LEVEL) / 2


def fit_curve(sizes: Sequence[int], scores: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Curve:
    """The inverse power law through scores of models that learned from growing parts of the articles.

    `sizes` are numbers of coded articles, ascending [sizes]; `scores` are from 0 to 1, more is better [sizes, repeats]; a repeat is one order of the
    articles, of which each size takes the first ones, so what is lucky at one size may be so at the next.

    score = a - b · n^-c with a ≤ 1 and b ≥ 0, by least squares with weights that grow with the size (Figueroa et al. 2012, "Predicting sample size
    required for classification performance"); for the law itself see Viering & Loog 2022, "The Shape of Learning Curves: a Review". Ranges come from
    resampled repeats: their deviations from the mean are drawn whole and added to the fitted curve, widened as Student's t is for few repeats.
    They know the luck of the draw alone, neither that of the test articles, which all sizes share, nor another kind of curve
    (scripts/simulate_curves.py). Raises ValueError for what are no such sizes or scores.
    """
    numbers, table = np.asarray(sizes), np.asarray(scores, np.float64)
    _check(numbers, table)
    means = table.mean(axis=1)
    fitted = _fit(numbers, means[None])[0]
    repeats, chance = table.shape[1], np.random.default_rng(seed)
    apart = (table - means[:, None]) * np.sqrt(repeats / (repeats - 1))
    lots = chance.integers(repeats, size=(draws, repeats))
    noise = apart[:, lots].mean(axis=2).T  # [draws, sizes]
    widened = np.sqrt((repeats - 1) / chance.chisquare(repeats - 1, size=(draws, 1)))
    widened *= _misfit(means - _value(fitted, numbers), apart)
    return Curve(numbers.astype(np.int64), means, fitted, _fit(numbers, _value(fitted, numbers) + noise * widened))


def _misfit(off: Floats, apart: Floats) -> float:
    """How many times further the means are off the curve than the repeats explain, 1 at least (Birge 1932): a bad fit has wider ranges."""
    explained = (apart**2).mean(axis=1) / apart.shape[1]
    weight = _weights(len(off))
    free = len(off) / (len(off) - PARAMETERS)
    return float(np.sqrt(max(1.0, free * (off**2 @ weight) / max(explained @ weight, 1e-12))))


def _check(sizes: NDArray[np.generic], scores: Floats) -> None:
    if sizes.ndim != 1 or len(sizes) < FEWEST_SIZES:
        raise ValueError(f"a learning curve takes {FEWEST_SIZES} sizes or more, not {sizes.size}")
    if not np.issubdtype(sizes.dtype, np.integer) or not (np.diff(sizes, prepend=0) > 0).all():
        raise ValueError(f"the sizes of a learning curve are numbers of articles from 1 on, each larger than the last, not {sizes.tolist()}")
    if scores.ndim != 2 or len(scores) != len(sizes) or scores.shape[1] < FEWEST_REPEATS:
        shape = " x ".join(map(str, scores.shape))
        raise ValueError(f"the scores of a learning curve are a table of {len(sizes)} sizes and {FEWEST_REPEATS} or more repeats, not {shape}")
    inside = (scores >= 0) & (scores <= 1)  # NaN is neither
    if not inside.all():
        row, column = np.argwhere(~inside)[0].tolist()
        raise ValueError(f"a score is from 0 to 1, and more is better: with {sizes[row]} articles, repeat {column} has {scores[row, column]}")


def _fit(sizes: NDArray[np.generic], means: Floats) -> Floats:
    """a, b and c of the best curve through each row of means. [curves, sizes] → [curves, 3]

    For a given c the best a and b are in closed form, so c is tried out: no starting point, and no local minimum to be caught in.
    """
    weight = _weights(len(sizes))
    power = np.asarray(sizes, np.float64) ** -EXPONENTS[:, None]  # [exponents, sizes]
    middle = power @ weight  # [exponents]
    mean = means @ weight  # [curves]
    spread = ((power - middle[:, None]) ** 2) @ weight
    b = np.maximum(-((means * weight) @ (power - middle[:, None]).T) / spread, 0)  # [curves, exponents]
    a = mean[:, None] + b * middle
    steep = ((1 - means) * weight) @ power.T / (power**2 @ weight)  # the best b where a is 1
    b, a = np.where(a > 1, steep, b), np.minimum(a, 1)
    error = (((means[:, None] - a[:, :, None] + b[:, :, None] * power) ** 2) * weight).sum(axis=2)
    best = error.argmin(axis=1)
    row = np.arange(len(means))
    return np.column_stack([a[row, best], b[row, best], EXPONENTS[best]])


def _weights(sizes: int) -> Floats:
    return np.asarray(np.arange(1, sizes + 1) / (sizes * (sizes + 1) / 2))


def _value(curves: Floats, articles: ArrayLike) -> Floats:
    a, b, c = np.moveaxis(curves, -1, 0)
    return np.asarray(a - b * np.asarray(articles, np.float64) ** -c)


def _needed(curves: Floats, now: int, gain: float) -> Floats:
    """How many more articles each curve takes to rise by the gain; infinity where it never does. [curves]"""
    _, b, c = np.moveaxis(curves, -1, 0)
    left = b * float(now) ** -c - gain  # what would still be missing of a
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where(left > 0, (b / np.where(left > 0, left, 1)) ** (1 / c) - now, np.inf)


def _range(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    return float(low), float(high)


def _points(score: float) -> str:
    number = _number(score)
    return f"{number} point{'' if number == '1' else 's'}"


def _in_points(ends: tuple[float, float]) -> str:
    return f"{_number(ends[0])} to {_number(ends[1])} points"


def _about(articles: int) -> str:
    """With two digits that count: a third would be pretended."""
    return f"{int(float(f'{articles:.2g}')):,}"


def _number(score: float) -> str:
    return f"{round(100 * score, 1) + 0.0:g}"
