"""What `estimates.json` holds, made up: shares of labels by outlet and quarter, with what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

OUTLETS = ("Courier", "Harbour Post")
QUARTERS = ("2024 Q1", "2024 Q2", "2024 Q3", "2025 Q1")
LABELS = ("enforcement", "economy")


def share(label: str, group: Mapping[str, Any], estimate: float | None = 0.4, *, audited: int = 50, naive: float = 0.3) -> dict[str, Any]:
    """A share with an interval of ten points each way; refused where there is no estimate."""
    told = estimate is not None
    numbers = {"estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1} if told else dict.fromkeys(("estimate", "low", "high"))
    totals = {f"total{end}": 1000 * value if told else None for end, value in zip(("", "_low", "_high"), numbers.values(), strict=True)}
    why = None if told else f"only {audited} articles of this group were coded"
    counts = {"scored": 1000, "audited": audited, "positives": 20, "naive": naive, "worth": 60.5 if told else None}
    return {"label": label, "group": dict(group), **counts, **numbers, **totals, "refused": why, "pooled": False}


def record(outlets: Sequence[str] = OUTLETS, quarters: Sequence[str] = QUARTERS, labels: Sequence[str] = LABELS, **changed: Any) -> dict[str, Any]:
    """A record with a share of the whole, of each outlet, and of each outlet in each quarter, the second of which is refused."""
    shares = []
    for label in labels:
        shares += [share(label, {}), *(share(label, {"outlet": outlet}) for outlet in outlets)]
        for outlet in outlets:
            shares += [
                share(label, {"outlet": outlet, "quarter": quarter}, None if at == 1 else 0.3 + at / 50, audited=12)
                for at, quarter in enumerate(quarters)
            ]
    gap = {"difference": 0.125, "low": 0.05, "high": 0.2, "simultaneous": True, "family": "pairs of outlet"}
    interval = {"low": -0.01, "high": 0.03}
    return {
        "task": "framing",
        "kind": "multi",
        "labels": list(labels),
        "by": ["outlet", "quarter"],
        "time": "quarter",
        "scores": {"folder": "scores", "rows": 37554, "set_aside": 12},
        "model": "sha256:9f31ab44c0de77aa",
        "audit": {
            "fingerprint": "sha256:0123456789abcdef",
            "articles": 300,
            "coders": 2,
            "design": "stratified by outlet, 2 draws",
            "by_hand": False,
        },
        "method": {"estimator": "difference estimator (PPI++)", "level": 0.95, "interval": "With a t distribution.", "weight": {labels[0]: 0.91}},
        "shares": shares,
        "differences": [{"label": labels[0], "a": {"outlet": a}, "b": {"outlet": b}, **gap} for a, b in combinations(outlets, 2)],
        "trends": [{"label": labels[0], "group": {}, "slope": 0.013, "per": "quarter", **interval}],
        "changes": [{"label": labels[0], "group": {}, "at": "2024-04-01", "change": 0.081, **interval}],
        "comparators": [
            {"label": labels[0], "group": {}, "method": "PCC", "estimate": 0.33, "low": 0.31, "high": 0.35, "assumes": "Odds are right."}
        ],
        "coders": [{"coder": "anna", "label": labels[0], "group": {}, "estimate": 0.44, "low": 0.4, "high": 0.48}],
        "remarks": ["12 articles have no outlet."],
    } | changed
