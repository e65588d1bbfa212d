"""Which pictures a report has, and what each is called for those who do not see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsclf.training import plots
from newsclf.training.measured import named
from newsclf.training.verdicts import Studies

NAMES = ("labels", "reliability", "coverage", "precision_recall", "plan", "decay")


def pictures(found: Mapping[str, Any], made: Studies) -> dict[str, str]:
    """SVG of each picture of a run's findings and studies, "" where there is nothing to draw; raises MissingExtra without the extra `report`."""
    return dict.fromkeys(NAMES, "") | _of_findings(found) | _of_studies(made)


def _of_findings(found: Mapping[str, Any]) -> dict[str, str]:
    drawn = {}
    if len(found["labels"]) > 1:
        drawn["labels"] = plots.forest(found["labels"], title="F1 of each label with its 95 % interval, and its test rows")
    if found["reliability"]:
        drawn["reliability"] = plots.reliability(found["reliability"], title="Reliability: what the model promised and what was right")
    if found["risk_coverage"]:
        points = [(row["share"], row["accuracy"]) for row in found["risk_coverage"]]
        across = "share of the articles that the model answers"
        drawn["coverage"] = plots.curves({"accuracy": points}, title="Accuracy of the most certain answers", across=across, up="accuracy")
    if found["precision_recall"]:
        lines = {row["label"]: [tuple(point) for point in row["points"]] for row in found["precision_recall"]}
        drawn["precision_recall"] = plots.curves(lines, title="Precision and recall of the commonest labels", across="recall", up="precision")
    return drawn


def _of_studies(made: Studies) -> dict[str, str]:
    drawn = {}
    if plan := made["plan"]:
        said = " ".join(["Learning curve: the score against the coded articles.", *plan["sentences"]])
        drawn["plan"] = plots.growth(plan["points"], plan["curve"], title=said, up=named(plan["metric"]))
    if aged := made["decay"]:
        said = " ".join(["Back-test: the score against the time since training.", *aged["sentences"]])
        drawn["decay"] = plots.decay(aged["horizons"], title=said, period=aged["period"], up=named(aged["metric"]))
    return drawn
