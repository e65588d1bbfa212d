"""Whether newly scored articles are still like those that the model was checked on; and where they are not, which of them people should code."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 (a type; `date` is what articles have)
from typing import Annotated, Any

from pydantic import Field, field_validator

from newsclf import __version__
from newsclf.errors import DataError, InputError, listed
from newsclf.estimates.frame import TIMES, Scores
from newsclf.estimates.moves import TextsOf, Told
from newsclf.estimates.sides import WHOLE, Sides
from newsclf.spec import Spec

FORMAT = 1
"""Number of the layout of what `Monitored.as_dict` gives."""


class MonitorSpec(Spec):
    """What is compared, and from where on it is too far."""

    by: tuple[str, ...] = ()
    """Columns that group, as outlet; all articles together are always compared."""

    bound: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """How far something may move before people are asked to code: a share, 0.1 for ten articles of a hundred."""

    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Where nothing has moved, there is no alarm at all in so many cases; and how often intervals hold."""

    since: str = ""
    """First day of the new articles, where they are in the same folder."""

    outlets: dict[str, str] = {}
    """Spelling → name of an outlet, before newsclf's own table."""

    seed: int = Field(default=0, ge=0)
    """Of the deals that tell what chance does, and of the articles whose words are compared."""

    @field_validator("since")
    @classmethod
    def _a_day(cls, since: str) -> str:
        try:
            return since and Date.fromisoformat(since).isoformat()
        except ValueError as error:
            raise ValueError(f"the day is written as 2025-07-01; this is {since!r}") from error


@dataclass(frozen=True)
class Monitored:
    """What moved, where, how surely, and what people should code for it."""

    record: Mapping[str, Any]

    @property
    def drifted(self) -> bool:
        """Whether anything moved farther than the bound, or a group is new."""
        return bool(self.record["asks"])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.record)

    def text(self) -> str:
        """For a terminal."""
        return "\n".join(_lines(self.record))


def monitor(earlier: Scores, new: Scores | None, spec: MonitorSpec | None = None, *, texts: TextsOf | None = None) -> Monitored:
    """Compare newly scored articles with those of an earlier folder, or, with `since`, the later part of one folder with the earlier.

    Compared are the probabilities, what was not decided, how much of the articles was read, and with `texts` the words of at most 2,000 articles of
    each side. All of these, of all groups, are tested together (Holm 1979). Raises InputError where it is not said what is new, and for columns that
    there are not; DataError where the two folders are of different models or codebooks, or one side is empty.
    """
    spec = spec or MonitorSpec()
    _check(earlier, new, spec)
    sides = Sides(earlier, new, spec.since, spec.by, spec.outlets, spec.seed)
    before, after = sides.read()
    for side, name in ((before, "earlier"), (after, "new")):
        if not side.rows(WHOLE):
            when = f" The day that parts them is {spec.since}." if spec.since else ""
            raise DataError(f"{earlier.folder if name == 'earlier' or new is None else new.folder}: there are no {name} articles to compare.{when}")
    told = Told(sides, before, after, spec.seed)
    tests = [*told.of_scores(), *(told.of_words(texts) if texts else ())]
    found = told.record(tests, spec.bound, spec.level)
    record = {
        "format": FORMAT,
        "newsclf": __version__,
        "task": earlier.codebook.task,
        "labels": list(earlier.codebook.names),
        "by": list(spec.by),
        "model": earlier.model,
        "earlier": {"folder": str(earlier.folder), "fingerprint": earlier.fingerprint},
        "new": {"folder": str((new or earlier).folder), "fingerprint": (new or earlier).fingerprint, "since": spec.since},
        "bound": spec.bound,
        "level": spec.level,
        "units": "days" if sides.daily else "blocks",
        "undated": sides.undated,
        "words": texts is not None,
        **found,
    }
    return Monitored({**record, **_asked(record, told.sample(found["asks"]))})


def _asked(record: Mapping[str, Any], n: int) -> dict[str, Any]:
    """The audit sample that is asked for, and the command that draws it; nothing where nothing moved."""
    if not record["asks"]:
        return {"n": 0, "command": ""}
    by = ["--by", ",".join(record["by"])] * bool(record["by"])
    return {"n": n, "command": shlex.join(["newsclf", "audit-sample", record["new"]["folder"], "-n", str(n), *by, "-o", "audit-new"])}


def _check(earlier: Scores, new: Scores | None, spec: MonitorSpec) -> None:
    if times := [name for name in spec.by if name in TIMES]:
        raise InputError(f"--by {times[0]}: new articles are of other times than the earlier ones, so that no time is on both sides; leave it out.")
    if (new is None) != bool(spec.since):
        raise InputError(
            "name a second folder with the newly scored articles, or say from which day on those of this one are new:  --since 2025-07-01"
            if new is None
            else "--since parts one folder by day; with two folders the second is what is new. Leave one of the two out."
        )
    if new is None:
        return
    if new.folder.resolve() == earlier.folder.resolve():
        raise InputError(f"{new.folder}: both folders are the same; to part one by day:  --since 2025-07-01")
    if earlier.codebook.task != new.codebook.task or earlier.codebook.fingerprint() != new.codebook.fingerprint():
        raise DataError(
            f"{new.folder}: its codebook is not that of {earlier.folder}, so that the same word may mean two things; score with one of them."
        )
    if earlier.model != new.model:
        raise DataError(
            f"{new.folder}: scored by another model ({new.model[:12]}…) than {earlier.folder} ({earlier.model[:12]}…): what differs may be the "
            "models, not the articles. Score the new articles with the earlier model."
        )
    targets = [tuple(scores.job.spec.get("targets", ())) for scores in (earlier, new)]
    if earlier.codebook.is_stance and targets[0] != targets[1]:
        raise DataError(
            f"{new.folder}: asked about the targets {listed(targets[1])}, {earlier.folder} about {listed(targets[0])}; ask about the same."
        )


WIDTH = 110
HEAD = ("", "before", "after", "a day", "probabilities", "no label", "coverage", "words")


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    new = f"those from {record['new']['since']} on" if record["new"]["since"] else record["new"]["folder"]
    yield f"{record['task']}: articles of {record['earlier']['folder']} (before) and {new} (after)."
    yield ""
    rows = [(_name(row["group"]), *_cells(row)) for row in record["groups"]]
    drop = [at for at, name in enumerate(HEAD) if at > 3 and not any(name in row["moves"] for row in record["groups"])]
    table = [[cell for at, cell in enumerate(row) if at not in drop] for row in (HEAD, *rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    for row in table:
        yield "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
    whole, *groups = record["groups"]
    everywhere = whole["moves"].get("words", {}).get("drift", False)
    said = [*_meaning(record), *_about(whole), *(line for row in groups for line in _about(row, words=not everywhere))]
    yield ""
    for line in said:
        yield from textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)
    yield ""
    yield from textwrap.wrap(_request(record), WIDTH, break_long_words=False, break_on_hyphens=False)
    if record["asks"]:
        yield f"  {record['command']}"
    if record["asks"] and record["new"]["since"]:
        yield f"That draws from the whole folder: code those from {record['new']['since']} on, or score them into a folder of their own first."


def _name(group: Mapping[str, str]) -> str:
    return " × ".join(group.values()) or "all articles"


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['before']:,}"
    yield f"{row['after']:,}"
    a_day = row["a_day_before"], row["a_day_after"]
    yield "" if None in a_day else f"{a_day[0]:.1f} → {a_day[1]:.1f}"
    for what in HEAD[4:]:
        move = row["moves"].get(what)
        yield "" if move is None else f"{'*' * move['drift']}{100 * move['beyond']:.1f}"


def _meaning(record: Mapping[str, Any]) -> Iterator[str]:
    units = "days" if record["units"] == "days" else "blocks of articles that follow one another"
    yield (
        f"Each number says how far that moved beyond what chance does, in points: {units} were dealt to the two sides at random. * marks a drift: "
        f"too far for chance, all {record['tests']} tests together at {1 - record['level']:.0%}, and beyond the bound of "
        f"{100 * record['bound']:g} points."
    )
    if record["undated"]:
        yield f"{record['undated']:,} rows without a day are on neither side."


def _about(row: Mapping[str, Any], *, words: bool = True) -> Iterator[str]:
    """What stands out in a group, in sentences."""
    name, moves = _name(row["group"]), row["moves"]
    if row["why_not"]:
        yield f"{name}: {row['why_not']}."
    if moves.get("probabilities", {}).get("drift"):
        for told in sorted(row["labels"], key=lambda label: -abs(label["probability"]["difference"]))[:3]:
            yield f"{name}: {told['label']}: mean probability {_gap(told['probability'])}; counted {_gap(told['counted'])}."
    if words and moves.get("words", {}).get("drift"):
        yield f"{name}: words that came: {', '.join(moves['words']['came']) or 'none'}; that went: {', '.join(moves['words']['went']) or 'none'}."


def _gap(told: Mapping[str, Any]) -> str:
    limits = "" if told["low"] is None else f", from {100 * told['low']:+.1f} to {100 * told['high']:+.1f}"
    return f"{told['before']:.1%} → {told['after']:.1%} ({100 * told['difference']:+.1f} points{limits})"


def _request(record: Mapping[str, Any]) -> str:
    if not record["asks"]:
        return "Nothing moved farther than the bound. That is no proof that the model errs as it did: only codes of new articles show that."
    wanted = ", ".join(f"{_name(ask['group'])} {ask['n']}" for ask in record["asks"])
    return (
        "Scores cannot tell whether the world changed or the model errs more; codes can. To see, in four of five cases, an error that moved by "
        f"{100 * record['bound']:g} points, code of the new articles: {wanted}."
    )
