"""Regression of a label on outlet, month or any trait of the smallest groups, where a model labelled the corpus and coders a sample of it.

Coefficients of a model's labels are biased by its errors, which differ between outlets and over time. Design-based supervised learning (Egami,
Hinck, Stewart & Wei 2023, "Using Imperfect Surrogates for Downstream Inference") regresses what the model says of every article, and adds the
regression of what it gets wrong, from coded articles whose chance of being drawn is known: right whatever the model is worth. Here the corpus is
finite: coefficients are those that all of these articles would give, had each been coded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import qr
from scipy.special import expit, stdtr, stdtrit

from newsclf.scores.estimate import LEAST, Corpus, Sample, more_needed
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.regressors import Regressors, regressors
from newsclf.scores.survey import Design, Ids, covariance

Link = Literal["linear", "logistic"]

STEPS, HALVINGS = 50, 30
"""Of Newton's method, and of one step of it, at most."""

SURE = 15.0
"""Log-odds beyond which logistic coefficients have no end: one article in three million."""


ENDLESS = (
    "have no end: with these regressors some articles all have the label, or none of them has it. "
    "Join small groups, code more rows, or take the linear regression"
)


@dataclass(frozen=True)
class Fit:
    """How a regression is made."""

    link: Link = "linear"
    """linear: coefficients are differences of shares; logistic: of log-odds."""

    weight: float | None = None
    """How much of the model is taken, 0: nothing; None: what makes the fitted shares most exact."""

    superpopulation: bool = False
    """Coefficients of what makes such articles, in place of these articles' own. It assumes that articles are independent of each other given the
    regressors; stories that many outlets print are not, and make intervals too narrow."""


@dataclass(frozen=True)
class Regression:
    """Coefficients with their errors. Arrays are [regressors] unless said otherwise."""

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    """[regressors, regressors]"""

    freedom: Floats
    """Degrees of freedom of each variance."""

    naive: Floats
    """What the model's decisions give when they are counted, for comparison; NaN where they are not given, or give nothing."""

    weight: float
    """How much of the model is taken."""

    rows: int
    """Articles of the corpus that the coefficients are of."""

    coded: int
    """Articles of them that were coded."""

    @property
    def errors(self) -> Floats:
        """Standard errors."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0))

    @property
    def statistic(self) -> Floats:
        """t, coefficient / error; infinite where all articles were coded."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.coefficients / self.errors)

    @property
    def p(self) -> Floats:
        """Of a coefficient at least so far from 0, were it 0."""
        return np.asarray(2 * stdtr(np.minimum(self.freedom, 1e6), -np.abs(self.statistic)))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits."""
        half = -stdtrit(np.minimum(self.freedom, 1e6), (1 - level) / 2) * self.errors
        return self.coefficients - half, self.coefficients + half


def regress(sample: Sample, corpus: Corpus, on: Regressors, *, label: int = 0, decided: Floats | None = None, fit: Fit | None = None) -> Regression:
    """The regression of a label, a column of the sample, over all articles of the corpus; `decided` [cells, labels] counts the model's decisions.

    With f the model's probability, y what coders say and b the weighted regression of y - λf in the sample, the coefficients solve
    Σ x μ(x'β) = λ Σ x f + Σ x x'b over the corpus: linear ones are λ β(f) + b. Errors are linearised and of the draw from this corpus; residuals are
    those of a row left out where λ was tuned on it.

    Raises ValueError for regressors that cannot be told apart, levels of which too few rows are coded, and logistic coefficients that have no end.
    """
    fit = fit or Fit()
    _check(sample, corpus, on, label)
    basis, weights = _basis(on, corpus.counts), sample.design.weights
    x = on.values @ basis  # with x'x = 1 over the corpus
    taken = x[sample.cells]
    pull = taken @ np.linalg.inv((taken * weights[:, None]).T @ taken)  # what a row adds to each linear coefficient: [sample, regressors]
    both = np.column_stack([sample.truth[:, label], sample.scores[:, label]])
    slopes = (pull * weights[:, None]).T @ both  # [regressors, 2]
    residual = both - taken @ slopes
    weight, leverage = (fit.weight, np.zeros(len(taken))) if fit.weight is not None else _tuned(sample.design, pull, residual)
    less = np.array([1, -weight])
    found = _solved(x, corpus.counts, total=weight * (x.T @ corpus.sums[:, label]) + slopes @ less, link=fit.link)
    if found is None:
        raise ValueError(f"logistic coefficients of {list(on.names)} {ENDLESS}")
    coefficients, slope = found
    bread = slope @ basis.T
    spread, freedom = covariance(sample.design, pull @ bread * (residual @ less / (1 - leverage))[:, None])
    if fit.superpopulation:
        apart = (taken @ bread) * (np.sqrt(weights) * (sample.truth[:, label] - _mean(taken @ coefficients, fit.link)))[:, None]
        spread = spread + apart.T @ apart
    counted = None if decided is None else _solved(x, corpus.counts, total=x.T @ decided[:, label], link=fit.link)
    return Regression(
        on.names,
        basis @ coefficients,
        spread,
        np.minimum(freedom, _freedom(sample.design, pull @ bread)),
        naive=np.full(len(coefficients), np.nan) if counted is None else basis @ counted[0],
        weight=float(weight),
        rows=round(float(corpus.counts[on.inside].sum())),
        coded=int(on.inside[sample.cells].sum()),
    )


def trend(sample: Sample, corpus: Corpus, periods: Ids, *, label: int = 0, inside: Booleans | None = None) -> Regression:
    """How the share changes from one period to the next: the coefficient of `period`, by linear regression on the period's number.

    `periods` [cells] numbers the period of each cell, `inside` [cells] is the part of the corpus that is meant, all of it if None. An article counts
    as much as another, so a period of many counts more. Raises ValueError as `regress` does, and where there is one period alone.
    """
    on = regressors(periods=periods)
    return regress(sample, corpus, on if inside is None else on.within(inside), label=label)


def change(sample: Sample, corpus: Corpus, periods: Ids, since: int, *, label: int = 0, inside: Booleans | None = None) -> Regression:
    """The share from a period on, less the share before it: the coefficient after the intercept, which is the share before. As `trend` otherwise."""
    on = regressors(periods=periods, since=since)
    return regress(sample, corpus, on if inside is None else on.within(inside), label=label)


def _basis(on: Regressors, counts: Floats) -> Floats:
    """What turns regressors into others that say the same and are uncorrelated in the corpus: numbers of days since year 1 are all alike, nearly."""
    most = np.abs(on.values).max(axis=0)
    return np.asarray(np.linalg.inv(np.linalg.qr(on.values / most * np.sqrt(counts)[:, None], mode="r")) / most[:, None])


def _tuned(design: Design, pull: Floats, residual: Floats) -> tuple[float, Floats]:
    """The model's weight that makes the variance of fitted shares least on average over the corpus, and each row's leverage on it: [sample].

    So it depends neither on the unit of a regressor nor on the group that others are compared with.
    """
    spread, _ = covariance(design, np.hstack([pull * residual[:, :1], pull * residual[:, 1:]]))
    size = pull.shape[1]
    together, alone = (float(np.trace(spread[size:, columns])) for columns in (slice(size), slice(size, None)))
    weight = max(together / alone, 0.0) if alone > 1e-12 else 0.0
    own = (pull**2).sum(axis=1) * (design.weights * residual[:, 1]) ** 2
    return weight, np.minimum(own / max(own.sum(), 1e-300), 0.9)


def _freedom(design: Design, pull: Floats) -> Floats:
    """Degrees of freedom of variances that few units make, Satterthwaite's (1946): n - 1 for the mean of n rows. [regressors]"""
    unit, stratum = design.units()
    size = np.zeros((len(stratum), pull.shape[1]))
    np.add.at(size, unit, np.abs(pull) * design.weights[:, None])
    return np.asarray(np.maximum((size**2).sum(axis=0) ** 2 / np.maximum((size**4).sum(axis=0), 1e-300) - 1, 1))


def _mean(linear: Floats, link: Link) -> Floats:
    return np.asarray(linear if link == "linear" else expit(linear))


def _solved(x: Floats, counts: Floats, *, total: Floats, link: Link) -> tuple[Floats, Floats] | None:
    """The coefficients of Σ x μ(x'β) = total, and the inverse of its slope in them; None where they have no end. For x'x = 1 over the corpus."""
    if link == "linear":
        return total, np.eye(len(total))
    found = np.zeros(len(total))

    def height(at: Floats) -> float:
        return float(total @ at - counts @ np.logaddexp(0, x @ at))

    for _ in range(STEPS):
        share = expit(x @ found)
        slope = np.asarray(np.linalg.pinv((x * (counts * share * (1 - share))[:, None]).T @ x))
        step = slope @ (total - x.T @ (counts * share))
        step = next((each for each in (step * 0.5**half for half in range(HALVINGS)) if height(found + each) >= height(found)), step * 0)
        found = found + step
        if np.abs(x @ found).max() > SURE:
            return None
        if np.abs(x @ step).max() < 1e-10:
            return found, slope
    return None


def _check(sample: Sample, corpus: Corpus, on: Regressors, label: int) -> None:
    """Refuse what cannot be told."""
    if len(on.values) != len(corpus.counts):
        raise ValueError(f"regressors are of {len(on.values)} cells and the corpus of {len(corpus.counts)}")
    for rows, where in ((np.sqrt(corpus.counts), "of the corpus"), (np.bincount(sample.cells, minlength=len(corpus.counts)) > 0, "that are coded")):
        _, triangle, order = qr(on.values * rows[:, None] / np.maximum(np.abs(on.values).max(axis=0), 1e-300), mode="economic", pivoting=True)
        sizes = np.abs(np.diag(triangle))
        if same := sorted(on.names[at] for at in order[int((sizes > 1e-9 * sizes.max(initial=0)).sum()) :]):
            raise ValueError(f"among the rows {where}, {same} cannot be told from the other regressors: leave out what others say already")
    positive = sample.truth[:, label] >= 0.5
    for name, cells in {"all rows": on.inside, **on.levels}.items():
        inside = (cells & on.inside)[sample.cells]
        coded, having = int(inside.sum()), int(positive[inside].sum())
        size, expected = corpus.counts[cells].sum(), corpus.sums[cells, label].sum()
        if coded == size or (coded >= LEAST and 0 < having < coded):
            continue
        why = f"{coded} rows are coded and {LEAST} are needed" if coded < LEAST else f"{having} of {coded} coded rows have the label"
        raise ValueError(
            f"{name}: {why}, which says nothing of it yet: code about {more_needed(coded, having, expected / size)} more, or leave it out"
        )
