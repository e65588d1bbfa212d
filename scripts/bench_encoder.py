"""What the encoders' speed and memory are worth: newsclf beside transformers' pipeline, same weights, tokens and cores, in one run.

Usage: python scripts/bench_encoder.py --encoder FOLDER [--data FOLDER] [--articles 200] [--passes 2] [--engine auto] [--output FOLDER]

The encoder must be a BERT. Articles are those of BBC News, cut at 512 tokens; windows are off. Passes of both ways alternate and the best of each
counts, so that ratios tell even where the machine is not idle. Without --memory the memory of 20,000 texts is not measured: it takes minutes.
Fine-tuning has a script of its own: bench_finetune.py.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from bench_encoder_ways import TASKS, Ours, Theirs

from newsclf import __version__
from newsclf.learners.embedding import Embedder
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.encoder_torch import TorchForward, open_torch
from newsclf.learners.protocol import Documents
from newsclf.learners.windows import WindowSpec
from newsclf.machine import usable_cores

ROOT = Path(__file__).resolve().parent.parent
BATCHES = (4, 8, 16, 32)
FEW, MANY = 2_000, 20_000
KINDS: Mapping[str, tuple[str, ...]] = {
    "linear layers": ("aten::addmm", "aten::mm", "aten::linear"),
    "attention": ("aten::_scaled_dot_product_flash_attention_for_cpu", "aten::bmm", "aten::_softmax"),
    "GELU": ("aten::gelu",),
    "layer norms": ("aten::native_layer_norm",),
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    theirs: str = "–"
    ratio: str = "–"
    goal: str = "–"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--encoder", required=True, help="folder of a sentence encoder")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--memory", action="store_true", help=f"measure the memory of {FEW:,} and {MANY:,} texts too")
    parser.add_argument("--output", type=Path, help="folder that SPEED.md is written to")
    options = parser.parse_args()
    texts = pq.read_table(options.data / "bbc_news" / "test.parquet")["text"].to_pylist()[: options.articles]
    ours = Ours(options.encoder, options.engine)
    rows = [*beside_the_pipeline(ours, Theirs(options.encoder, ours.encoder.tokens), texts, options.passes)]
    rows += where_time_goes(options.encoder, ours.encoder, texts, options.passes)
    rows.append(cached(options.encoder, options.engine, texts))
    if options.memory:
        rows += memory(options.encoder)
    page = table(rows, ours.encoder, len(texts), options.passes)
    print(page)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "SPEED.md").write_text(page, "utf-8")


def beside_the_pipeline(ours: Ours, theirs: Theirs, texts: Sequence[str], passes: int) -> list[Row]:
    """One task and three, at the pipeline's default and at its best batch; and whether both say the same."""
    ours.ask(texts[:4]), theirs.ask(texts[:4], TASKS)
    ways: dict[str, Callable[[], Any]] = {"ours": partial(ours.ask, texts), "default": partial(theirs.ask, texts)}
    ways |= {str(size): partial(theirs.ask, texts, batch=size) for size in BATCHES}
    taken, said = timed(ways, passes)
    best = min(ways.keys() - {"ours"}, key=lambda name: taken[name])
    size = None if best == "default" else int(best)
    tasks, _ = timed({"ours": partial(ours.ask, texts, TASKS), "theirs": partial(theirs.ask, texts, TASKS, batch=size)}, passes)
    one, other = said["ours"][0], said["default"][0]
    agree = float((one.argmax(axis=1) == other.argmax(axis=1)).mean())
    return [
        Row("articles/s, pipeline at its default (batch 1)", *_rates(len(texts), taken["ours"], taken["default"])),
        Row(f"articles/s, pipeline at its best batch ({best})", *_rates(len(texts), taken["ours"], taken[best]), "1.6 without 16-bit instructions"),
        Row(f"articles/s, {TASKS} tasks: one pass, {TASKS} pipelines", *_rates(len(texts), tasks["ours"], tasks["theirs"]), "7"),
        Row("share of articles with the same label", f"{agree:.3f}", goal="0.995"),
        Row("largest difference of a probability", f"{float(np.abs(one - other).max()):.1e}", goal="0.01"),
    ]


def where_time_goes(folder: str, encoder: Encoder, texts: Sequence[str], passes: int) -> list[Row]:
    """Shares of the time in 32 bits on torch, and how near its linear layers come to the machine's fastest matrix product."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    some = texts[:32]
    plain = Encoder.open(folder, "torch-fp32", tokens=encoder.tokens)
    tokenise = min(timed({"tokens": partial(plain.token_counts, some)}, passes)[0].values())
    forward = open_torch(encoder_files(folder), usable_cores(), device="cpu", precisions=("float32",))
    ids = torch.randint(999, 2_000, (4, encoder.tokens)).numpy()
    forward(ids, np.ones_like(ids))
    reached = max(_linear_rate(forward, ids) / _product_rate() for _ in range(5 * passes))
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        plain.encode(some)
    spent = {event.key: event.self_cpu_time_total / 1e6 for event in seen.key_averages()}
    whole = sum(spent.values())
    shares = {kind: sum(spent.get(name, 0.0) for name in names) / whole for kind, names in KINDS.items()}
    told = ", ".join(f"{kind} {share:.0%}" for kind, share in shares.items())
    return [
        Row("where the time of torch-fp32 goes", f"{told}, other {1 - sum(shares.values()):.0%}"),
        Row("tokenising, beside the encoder's time", f"{tokenise / (whole / usable_cores()):.1%}"),
        Row("linear layers, of the machine's matrix product rate in 32 bits", f"{reached:.0%}", goal="60%"),
    ]


def _linear_rate(forward: TorchForward, ids: Any) -> float:
    """Operations a second in the linear layers of one batch."""
    import torch

    started: dict[Any, float] = {}
    done = [0.0, 0.0]  # operations, seconds

    def after(module: Any, inputs: Any, out: Any) -> None:
        done[1] += time.perf_counter() - started[module]
        done[0] += 2.0 * out.numel() * module.in_features

    hooks = []
    for module in forward.model.modules():
        if isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_pre_hook(lambda module, _: started.update({module: time.perf_counter()})))
            hooks.append(module.register_forward_hook(after))
    forward(ids, np.ones_like(ids))
    for hook in hooks:
        hook.remove()
    return done[0] / done[1]


def _product_rate(side: int = 1536) -> float:
    """Operations a second in the product of two square matrices, the best of some."""
    import torch

    torch.set_num_threads(usable_cores())
    one, other = torch.rand(side, side), torch.rand(side, side)
    return 2.0 * side**3 / min(timed({"product": lambda: one @ other}, 4)[0].values())


def cached(folder: str, engine: str, texts: Sequence[str]) -> Row:
    """The encoding part of a first experiment on a corpus, and of a second one."""
    encoder = Encoder.open(folder, engine)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NEWSCLF_CACHE"] = cache
        seconds = []
        for _ in range(2):  # each as a process of its own would: it knows nothing but the cache
            documents = Documents([""] * len(texts), texts)
            reader = Embedder(encoder, WindowSpec())
            seconds.append(timed({"": partial(reader.read, documents)}, 1)[0][""])
    return Row(
        "seconds of encoding, second experiment beside the first", f"{seconds[1]:.2f}", f"{seconds[0]:.2f}", f"{seconds[0] / seconds[1]:.0f}", "50"
    )


def memory(folder: str) -> list[Row]:
    """Peak memory of few texts and of many, each in its own process."""
    script = Path(__file__).with_name("bench_encoder_peak.py")
    few, many = (
        int(subprocess.check_output([sys.executable, str(script), folder, str(number)], text=True))  # noqa: S603 (our own script)
        for number in (FEW, MANY)
    )
    return [
        Row(
            f"peak memory in MB, {MANY:,} texts of 64 tokens beside {FEW:,}",
            f"{many / 1e6:.0f}",
            f"{few / 1e6:.0f}",
            f"{many / few:.3f}",
            "1.15 at most",
        ),
        Row("bytes a text more, of them its vector", f"{(many - few) / (MANY - FEW):.0f}", f"{4 * encoder_files(folder).numbers.dim}"),
    ]


def timed(ways: Mapping[str, Callable[[], Any]], passes: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Seconds of the best pass of each way, and what each said; the ways take turns."""
    taken = dict.fromkeys(ways, float("inf"))
    said: dict[str, Any] = {}
    for _ in range(passes):
        for name, run in ways.items():
            started = time.perf_counter()
            said[name] = run()
            taken[name] = min(taken[name], time.perf_counter() - started)
    return taken, said


def _rates(texts: int, ours: float, theirs: float) -> tuple[str, str, str]:
    return f"{texts / ours:.1f}", f"{texts / theirs:.1f}", f"{theirs / ours:.2f}"


def table(rows: Sequence[Row], encoder: Encoder, articles: int, passes: int) -> str:
    """The page."""
    machine = f"newsclf {__version__}, Python {platform.python_version()}, {platform.machine()}, {usable_cores()} cores"
    lines = [
        "# Speed of encoders",
        "",
        f"Written by `python scripts/bench_encoder.py` ({machine}).",
        f"{articles} articles of BBC News at {encoder.tokens} tokens; passes took turns, the best of {passes} counts. Engine {encoder.why}.",
        f"The pipeline's batches: 1, {', '.join(map(str, BATCHES))}.",
        "",
        "| what | newsclf | other | ratio | goal |",
        "|---|---|---|---|---|",
        *(f"| {row.what} | {row.ours} | {row.theirs} | {row.ratio} | {row.goal} |" for row in rows),
        "| fine-tuning, articles/s | `scripts/bench_finetune.py` | | | |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
