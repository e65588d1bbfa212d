"""The articles of scored rows, read again from the corpus: scores hold no text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from newsclf.article import Article
from newsclf.corpus.html import extract_html, looks_like_html
from newsclf.corpus.identity import identity
from newsclf.corpus.read import CorpusSpec, articles_of
from newsclf.corpus.shards import Shard, ShardReader
from newsclf.errors import DataError, NewsclfError
from newsclf.estimates.frame import Scores
from newsclf.inference.commit import Commit
from newsclf.progress import progress


def articles_at(scores: Scores, places: Collection[str]) -> dict[str, Article]:
    """Place → article, as scoring read it and before it was cleaned, of HTML its text; only shards are read that hold one of them.

    Raises DataError where a file of the corpus is gone or has changed since it was scored, and MissingExtra where a text is HTML and the `html`
    extra is not installed.
    """
    corpus = CorpusSpec.parse(scores.job.corpus, where=f"{scores.folder}")
    wanted, found = set(places), dict[str, Article]()
    sought = pa.array(sorted(wanted), pa.string())
    shards = [shard for part in scores.parts if (shard := _shard_with(part, sought))]
    with progress("reading", size=sum(shard.bytes for shard in shards)) as report, ShardReader(corpus.columns()) as reader:
        for shard in shards:
            for file in dict.fromkeys(piece.file for piece in shard.pieces):
                _check(scores, file)
            rows = (row for row in reader.rows(shard) if row.place in wanted)
            found |= {article.place: _legible(article) for article in articles_of(rows, corpus, checked=True) if isinstance(article, Article)}
            report.advance(shard.rows, shard.bytes)
    if missing := sorted(wanted - set(found)):
        raise DataError(f"{scores.folder}: the corpus has no row {missing[0]!r} any more, which was scored; put it back as it was, or score again.")
    return found


def _legible(article: Article) -> Article:
    """What people read of an article: of an HTML page its text, as the model does."""
    if not looks_like_html(article.text):
        return article
    title, text = extract_html(article.text)
    return replace(article, text=text, title=article.title or title)


def _shard_with(part: Path, places: pa.Array) -> Shard | None:
    """The shard of a part, where it holds one of these places."""
    held = pc.is_in(pq.read_table(part, columns=["place"])["place"], value_set=places)
    return Shard.of_dict(Commit.read(part.with_suffix(".json")).shard) if pc.any(held).as_py() else None


def _check(scores: Scores, file: str) -> None:
    try:
        now = identity(file)
    except (OSError, NewsclfError) as error:
        raise DataError(
            f"{file}: this file of the corpus cannot be read, and the articles to code are in it ({str(error).rstrip('.')}). Put it back where it "
            "was when it was scored; paths are those of the folder in which the score command ran."
        ) from error
    if now != scores.job.inputs.get(file):
        raise DataError(f"{file}: this file has changed since it was scored, so that the scores are of other articles. Put it back, or score again.")
