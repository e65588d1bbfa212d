"""What quantifiers make of the scores: shares without an audit, each with what it takes for granted. They stand beside estimates, for comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.errors import InputError
from newsclf.estimates.contrasts import Group
from newsclf.estimates.frame import Scores
from newsclf.estimates.tally import Tally
from newsclf.scores.groups import Groups, HeldOut
from newsclf.scores.metrics import Booleans
from newsclf.scores.quantifiers import METHODS
from newsclf.scores.quantify import DOUBTS, Quantified, quantify


def held_out(run: Path, scores: Scores) -> HeldOut:
    """The tested rows of a training run, which its model had not seen; raises InputError where there are none, or of another model."""
    try:
        about = json.loads((run / "summary.json").read_bytes())
        rows = [json.loads(line) for line in (run / "test.jsonl").read_text("utf-8").splitlines()]
        if not rows:
            raise ValueError("it was tested on no row")
        fingerprint = about["model_fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{run}: this is no finished training run ({error}); train prints its folder as `record`.") from error
    if fingerprint != scores.model:
        raise InputError(f"{run}: this run made another model than the one whose scores are in {scores.folder}; name its own run, or score again.")
    names = scores.codebook.names
    try:
        given = [scores.codebook.matrix(row[kind] for row in rows) for kind in ("labels", "decided")]
        return HeldOut(given[0], np.array([[row["p"][name] for name in names] for row in rows]), given[1])
    except (KeyError, TypeError) as error:
        raise InputError(f"{run}: its rows do not say what the model decided (test.jsonl lacks {error}); train again with this newsclf.") from error


def supposed(scores: Scores, tally: Tally, groups: Sequence[Group], members: Booleans, *, tested: HeldOut | None) -> Iterator[dict[str, Any]]:
    """Shares by every method that held-out rows, or their absence, allow, as plain values; `members` [groups, cells]."""
    names = scores.codebook.names
    counts = members @ tally.counts
    sums = members @ tally.sums
    if tested is None:
        method, nothing = METHODS["pcc"], np.full(sums.shape, np.nan)
        found = [(method, Quantified("pcc", sums / counts[:, None], nothing, nothing, np.zeros(sums.shape, np.int8)))]
    else:
        rows = tuple(tally.looked.of(members)) if tally.looked else ()
        corpus = Groups(counts.round().astype(np.int64), members @ tally.decided, sums, rows)
        every = quantify(tested, corpus, kind=scores.codebook.kind)
        found = [(METHODS[each.method], each) for each in every if each.method != "cc"]  # which stands beside every estimate
    for method, each in found:
        for column, label in enumerate(names):
            for row, group in enumerate(groups):
                values = (each.estimate[row, column], each.low[row, column], each.high[row, column])
                numbers = dict(zip(("estimate", "low", "high"), (float(value) if np.isfinite(value) else None for value in values), strict=True))
                doubt = DOUBTS[each.doubts[row, column]]
                yield {"label": label, "group": dict(group), "method": method.title, **numbers, "assumes": method.needs, "doubt": doubt}
