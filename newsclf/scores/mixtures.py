"""How much of each label is in a mixture: shares that explain what a classifier says of a group of articles, when only shares differ.

Three solvers for many small problems at once; `quantify` says what they are used for, and what must hold.
"""

from __future__ import annotations

import numpy as np

from newsclf.scores.metrics import Booleans, Floats

SAME = 1e-6
"""Labels whose rates differ by less, in some combination, cannot be told apart; also where the search for shares stops."""

EXCHANGES = 200
"""Changes of the set of labels above zero, at most; ten labels need three or four."""

WARM, STEPS, HALVINGS = 10, 50, 30
"""Plain EM steps, then quadratic steps, and halvings of one, at most."""

NEVER = 1e-100
"""Stands for a likelihood of zero: its square is not rounded to zero."""


def nonnegative(grams: Floats, linears: Floats, allowed: Booleans) -> Floats:
    """The x ≥ 0 of the smallest ½ x'Gx - c'x, for each of many G, which are positive definite. [problems, n, n], [problems, n] → [problems, n]

    Block principal pivoting (Kim & Park 2011, "Fast Nonnegative Matrix Factorization: An Active-Set-Like Method"): exact, and a handful of batched
    solves. Where `allowed` [problems, n] is false, x is 0.
    """
    found, free, rooms = np.zeros_like(linears), allowed.copy(), linears.shape[1]
    left, fewest, tries = np.arange(len(linears)), np.full(len(linears), rooms + 1), np.full(len(linears), 3)
    for _ in range(EXCHANGES):
        gram, linear, inside = grams[left], linears[left], free[left]
        x = _inside(gram, linear, inside)
        slope = (gram @ x[:, :, None])[:, :, 0] - linear
        wrong = np.where(inside, x, slope) < -1e-10
        wrong &= allowed[left]
        found[left] = np.maximum(x, 0)
        count = wrong.sum(axis=1)
        better = count < fewest[left]
        fewest[left] = np.where(better, count, fewest[left])
        tries[left] = np.where(better, 3, tries[left] - 1)
        # all at once goes fast and may go in circles; the last one alone cannot (Murty 1974)
        last = np.arange(rooms) == (rooms - 1 - wrong[:, ::-1].argmax(axis=1))[:, None]
        free[left] ^= wrong & (last | (tries[left] >= 0)[:, None])
        left = left[count > 0]
        if not len(left):
            break
    return found


def _inside(grams: Floats, linears: Floats, free: Booleans) -> Floats:
    """The x of G x = c over its free places, 0 elsewhere. [problems, n]"""
    both = free[:, :, None] & free[:, None, :]
    solved: Floats = np.linalg.solve(np.where(both, grams, np.eye(free.shape[1])), np.where(free, linears, 0.0)[:, :, None])[:, :, 0]
    return solved


def explained(rates: Floats, outputs: Floats, present: Booleans, *, bounded: bool = True) -> Floats:
    """The shares of labels whose mixture is nearest to the mean output of each group, by least squares on the simplex.

    `rates` [resamples, outputs, labels] is the mean output of each label's articles, `outputs` [groups, outputs] or [resamples, groups, outputs] that
    of each group, `present` [resamples, labels] the labels whose rates are known: the others get no share. → [resamples, groups, labels], NaN for
    labels whose rates are a mixture of other labels' rates, so that no share of theirs is better than another.
    """
    known = np.where(present[:, None, :], rates, 0.0)
    _, sizes, axes = np.linalg.svd(known)
    sizes = np.pad(sizes, ((0, 0), (0, axes.shape[1] - sizes.shape[1])))
    # what the rates do not see: directions of shares that change no output
    unseen = np.sqrt((axes**2 * (sizes < SAME)[:, :, None]).sum(axis=1))
    blurred = (unseen > SAME) & present
    outputs = np.broadcast_to(outputs, (len(rates), *outputs.shape[-2:]))
    labels = rates.shape[2]
    # with C = rates - output 1', min |C p| over the simplex is min |C x|² + (1'x - 1)² over x ≥ 0, scaled to one: both grow with |C p|
    along = outputs @ known  # [resamples, groups, labels]
    grams = (known.swapaxes(1, 2) @ known)[:, None] - along[..., None] - along[..., None, :]
    grams = grams + 1 + (outputs**2).sum(axis=-1)[..., None, None]
    grams += 1e-9 * blurred.any(axis=1)[:, None, None, None] * np.eye(labels)
    allowed = np.broadcast_to(present[:, None], along.shape).reshape(-1, labels)
    search = nonnegative if bounded else _inside
    found = search(grams.reshape(-1, labels, labels), np.ones_like(along).reshape(-1, labels), allowed).reshape(along.shape)
    shares: Floats = found / np.maximum(found.sum(axis=2, keepdims=True), NEVER)
    return np.where(blurred[:, None], np.nan, shares)


def likeliest(probabilities: Floats, priors: Floats) -> Floats:
    """The shares of labels under which rows with these probabilities are likeliest. [rows, labels], [labels] → [labels]

    The probabilities hold for articles whose labels have the shares `priors`; a label whose prior is 0 gets no share. It is the maximum that EM goes
    toward (Saerens, Latinne & Decaestecker 2002, "Adjusting the Outputs of a Classifier to New a Priori Probabilities"), found by EM steps and then
    by quadratic ones, which need ten where EM needs thousands (Kim, Carbonetto, Stephens & Anitescu 2020, "A Fast Algorithm for Maximum Likelihood
    Estimation of Mixture Proportions Using Sequential Quadratic Programming").
    """
    known = priors > 0
    ratios = known.astype(np.float64)  # share / prior of each label, what is sought
    for _ in range(WARM):
        ratios *= _scores(probabilities, ratios).mean(axis=0) / np.where(known, priors, 1.0)
    for _ in range(STEPS):
        moved = _quadratic(probabilities, ratios, priors)
        change = np.abs((moved - ratios) * priors).max()
        ratios = moved
        if change < SAME:
            break
    shares = ratios * priors
    return np.asarray(shares / max(shares.sum(), NEVER))


def _scores(probabilities: Floats, ratios: Floats) -> Floats:
    """Each label's probability over that of the row under the mixture: ratio times this is the label's probability there. [rows, labels]"""
    return np.asarray(probabilities / np.maximum(probabilities @ ratios, NEVER)[:, None])


def _quadratic(probabilities: Floats, ratios: Floats, priors: Floats) -> Floats:
    """One step down - mean log(Σ ratio · probability) + Σ prior · ratio, which is smallest where the shares sum to one. [labels]"""
    scores = _scores(probabilities, ratios)
    gram = _curvature(scores)
    toward = nonnegative(gram[None], (gram @ ratios + scores.mean(axis=0) - priors)[None], priors[None] > 0)[0]
    before, step = _height(probabilities, ratios, priors), 1.0
    for _ in range(HALVINGS):
        moved: Floats = ratios + step * (toward - ratios)
        if _height(probabilities, moved, priors) <= before + 1e-14:
            return moved
        step /= 2
    return ratios


def _curvature(scores: Floats) -> Floats:
    # two labels with equal probabilities have no curvature between them: a step stays where it is
    return np.asarray(scores.T @ scores / len(scores) + 1e-9 * np.eye(scores.shape[1]))


def _height(probabilities: Floats, ratios: Floats, priors: Floats) -> float:
    return float(ratios @ priors - np.log(np.maximum(probabilities @ ratios, NEVER)).mean())


def nearby(probabilities: Floats, shares: Floats, prior: Floats, priors: Floats, times: Floats) -> tuple[Floats, Floats, Floats]:
    """What `likeliest` finds about the same rows drawn `times` [resamples, rows] over, with other `priors` [resamples, tasks, labels].

    For several tasks at once, whose labels each are a mixture: `probabilities` [rows, tasks, labels], `shares` [tasks, labels] that it found with
    `prior` [tasks, labels]. One quadratic step from there (Schucany & Wang 1991, "One-Step Bootstrapping for Smooth Iterative Procedures").
    → those shares and the shares that rows so drawn are expected to have, [resamples, tasks, labels] each, and the variance of having a label in one
    row, on average, [tasks, labels].
    """
    rows, *shape = probabilities.shape
    ratios = shares / np.where(prior > 0, prior, 1.0)
    scores = np.stack([_scores(probabilities[:, task], ratios[task]) for task in range(shape[0])], axis=1)
    grams = np.stack([_curvature(scores[:, task]) for task in range(shape[0])])  # [tasks, labels, labels]
    expected = (times @ scores.reshape(rows, -1) / rows).reshape(-1, *shape)
    linears = (grams @ ratios[..., None])[..., 0] + expected - priors
    many = np.broadcast_to(grams, (len(times), *grams.shape)).reshape(-1, *grams.shape[1:])
    found = nonnegative(many, linears.reshape(-1, shape[1]), priors.reshape(-1, shape[1]) > 0).reshape(priors.shape) * priors
    found /= np.maximum(found.sum(axis=2, keepdims=True), NEVER)
    within = np.maximum(ratios * scores.mean(axis=0) - ratios**2 * (scores**2).mean(axis=0), 0)
    return found, expected * ratios, within
