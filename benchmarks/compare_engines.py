"""Compare how long engines take for the same mixed models and data: ``python -m benchmarks.compare_engines``.

Each measurement has an interpreter of its own and data that are in memory before the clock starts; inference is
included. What is not installed is left out, and said.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.documents import table, wrapped, write_section
from benchmarks.measure import MODELS

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
SMALL: Final = 200
CAP: Final = 60.0
LONG: Final = 5.0
"""Seconds; a run that takes longer is not repeated."""
PARTS: Final = ("passes", "fits")
RUNS: Final = 3
DISTURBED: Final = 1.15
"""Wall over CPU time from which on the CPU time is shown too."""
PEERS: Final = Path(__file__).with_name("peers.R")
OURS: Final = "peerimpact, Kenward-Roger"
NAMES: Final = {
    "lmer": "lme4, no degrees of freedom",
    "lmer tested": "lme4 and lmerTest, Satterthwaite",
    "gls": "nlme gls, no degrees of freedom",
    "Satterthwaite": "mmrm, Satterthwaite",
    "Kenward-Roger": "mmrm, Kenward-Roger",
    "statsmodels": "statsmodels MixedLM, z",
}
RANDOM: Final = tuple(model for model in MODELS if model != "unstructured")
JOBS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "unstructured": (("gls", "gls"), ("mmrm", "Satterthwaite"), ("mmrm", "Kenward-Roger")),
    **{model: (("statsmodels", model), ("lmer", model)) for model in RANDOM if model != "group and slope"},
    "group and slope": (("lmer", "group and slope"),),
}
"""Model -> peers that have it, and what they call it; statsmodels has no slope that is correlated beside groups."""
Values = Mapping[str, Any]


@dataclass
class Bench:
    """Measurements as they come: (model, engine, size) -> values, or words where there are none."""

    folder: Path
    cap: float
    sizes: tuple[int, ...]
    r: Values
    found: dict[tuple[str, str, int], Values | str] = field(default_factory=dict)

    def python(self, what: str, model: str, people: int) -> Values:
        """Measure something of our own, which has to work."""
        found = self.peer(what, model, people, limit=None)
        if isinstance(found, str):
            raise SystemExit(f"{what}, {model}, {people:,}: {found}")
        return found

    def peer(self, what: str, model: str, people: int, *, limit: float | None) -> Values | str:
        """Measure something of Python that may fail or take too long."""
        order = [sys.executable, "-m", "benchmarks.measure", what, model, str(people), str(self.folder)]
        out, end = self._run(order, limit)
        return json.loads(out) if end is None else end

    def rscript(self, engine: str, model: str, people: int) -> Values | str:
        """Measure something of R; what was printed before the cap counts."""
        if not (self.folder / f"{people}.csv").exists():
            self.python("csv", "-", people)
        order = ["Rscript", "--vanilla", str(PEERS), engine, model, str(people), str(self.folder)]
        out, end = self._run(order, self._limit(people))
        lines = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        values = {name: float(value) for name, value in lines.items() if value != "NA"}
        return values if "seconds" in values else end or "failed"

    def _limit(self, people: int) -> float:
        """Return the seconds that a peer has, reading the data included."""
        return self.cap + 20 + people / 25_000

    def _run(self, order: list[str], limit: float | None) -> tuple[str, str | None]:
        environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        try:
            done = subprocess.run(  # noqa: S603 - our own scripts
                order, capture_output=True, text=True, timeout=limit, check=False, env=environment
            )
        except subprocess.TimeoutExpired as error:
            said = error.stdout or b""
            return said.decode() if isinstance(said, bytes) else said, f"over {self.cap:.0f} s"
        if done.returncode:
            last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
            print(f"{' '.join(order[1:])}: {' '.join(last)}", file=sys.stderr)
            return done.stdout, "failed"
        return done.stdout, None

    def compare(self) -> None:
        """Fit every model at every size with every engine."""
        for people in self.sizes:
            for model in MODELS:
                self._repeat(model, "ours", model, people)
                for engine, call in JOBS[model]:
                    if engine == "statsmodels" or engine in self.r:
                        self._repeat(model, engine, call, people)

    def ours(self, model: str, people: int) -> Values:
        """Return what our own fit took."""
        found = self.found[model, "ours", people]
        assert not isinstance(found, str)  # noqa: S101 - it has to work
        return found

    def _repeat(self, model: str, engine: str, call: str, people: int) -> None:
        name = call if engine == "mmrm" else engine
        place = self.sizes.index(people)
        if place and engine != "ours":
            before = self.found[model, name, self.sizes[place - 1]]
            expected = float("inf") if isinstance(before, str) else before["seconds"] * people / self.sizes[place - 1]
            if expected > self.cap:
                self.found[model, name, people] = "not tried"
                return
        print(f"{people:>9,} {model}: {name}", file=sys.stderr)
        runs: list[Values] = []
        for _ in range(RUNS):
            values: Values | str
            if engine == "ours":
                values = self.python(engine, call, people)
            elif engine == "statsmodels":
                values = self.peer(engine, call, people, limit=self._limit(people))
            else:
                values = self.rscript(engine, call, people)
            if isinstance(values, str):
                self.found[model, name, people] = values
                return
            runs.append(values)
            if values["seconds"] > LONG:
                break
        merged = {key: statistics.median(run[key] for run in runs if key in run) for key in runs[0]}
        self.found[model, name, people] = merged


def main() -> None:
    """Measure, print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="participants")
    parser.add_argument("--cap", type=float, default=CAP, help="seconds that a fit by a peer may take")
    parser.add_argument("--skip-r", action="store_true", help="leave the R packages out")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--output", type=Path, help="markdown file to write the tables to, between its markers")
    options = parser.parse_args()
    r, missing = _r_versions(skip=options.skip_r)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.cap, tuple(sorted(options.sizes)), r)
        load = os.getloadavg()[0]
        rows = {people: int(bench.python("simulate", "-", people)["rows"]) for people in (SMALL, *bench.sizes)}
        texts = {}
        if "passes" in options.parts:
            texts["passes"] = _measure_passes(bench, load)
            print(texts["passes"], end="\n\n", flush=True)
        if "fits" in options.parts:
            load = os.getloadavg()[0]
            bench.compare()
            texts["fits"] = "\n\n".join(
                [
                    _conditions(bench, load, missing),
                    _fits(bench),
                    _likelihoods(bench),
                    _growth(bench, rows),
                    _refits(bench),
                ]
            )
            print(texts["fits"])
    if options.output:
        for part, text in texts.items():
            write_section(options.output, part, text)


def _measure_passes(bench: Bench, load: float) -> str:
    """Measure what does not concern peers: one pass against numpy, two processes, small trials."""
    people = bench.sizes[-1]
    small = bench.python("small", "unstructured", SMALL)
    mixed = bench.python("shuffled", "unstructured", people)
    passes = {size: bench.python("cross product", "unstructured", size) for size in bench.sizes}
    halves = {
        (model, size): bench.python("two processes", model, size)
        for model in ("unstructured", "group")
        for size in bench.sizes
    }
    said = [
        f"{_machine()}. Load of the machine before the first measurement: {load:.1f}, and after the last:"
        f" {os.getloadavg()[0]:.1f}. Where other work keeps a core busy, the wall time of two processes says nothing.",
        f"Unstructured, {SMALL} participants, Kenward-Roger: {_seconds(small['first'])} the first time in a fresh"
        f" interpreter, {_seconds(small['median'])} after that.",
        f"Unstructured, {people:,} participants, the rows of the frame in random order: {_seconds(mixed['seconds'])},"
        f" {mixed['megabytes']:.0f} MB.",
    ]
    return "\n\n".join([*map(wrapped, said), _passes(passes), _halves(halves)])


def _r_versions(*, skip: bool) -> tuple[Values, list[str]]:
    """Return engine -> versions of the R packages behind it, and a line for each that is left out."""
    if skip or shutil.which("Rscript") is None:
        why = "left out as asked" if skip else "no Rscript"
        return {}, [f"R packages skipped: {why}."]
    said = subprocess.run(["Rscript", "--vanilla", str(PEERS)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    installed = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    needs = {"lmer": ("lme4", "lmerTest"), "gls": ("nlme",), "mmrm": ("mmrm",)}
    found: dict[str, Any] = {"R": f"R {installed['R']} with {installed['BLAS']}"}
    missing = []
    for engine, packages in needs.items():
        absent = [name for name in packages if name not in installed]
        missing += [f"{name} skipped: R package {name} not installed." for name in absent]
        if not absent:
            found[engine] = ", ".join(f"{name} {installed[name]}" for name in packages)
    return found, missing


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "statsmodels"))
    return f"{os.cpu_count()} cores ({platform.machine()}); Python {platform.python_version()}, {packages}"


def _conditions(bench: Bench, load: float, missing: Iterable[str]) -> str:
    said = "; ".join([_machine(), *(text for text in bench.r.values())])
    conditions = (
        f"{said}. Load of the machine before the first measurement: {load:.1f}; one of these alone makes 1."
        f" {' '.join(missing)}"
    )
    how = (
        "y ~ timepoint * arm + age, four timepoints, REML; simulated, participants in groups of about ten. Wall time of"
        " the fit with its inference, data in memory, each in a fresh interpreter: median of three, or one run where"
        f" that takes more than {LONG:.0f} s; CPU time is added where other work disturbed. Then the most"
        " memory used beyond the data, and how many times as long as peerimpact, by wall or CPU time, whichever is"
        f" less. A peer that needed more than {bench.cap:.0f} s was stopped (over); where a smaller size had shown that"
        " it would, it was not tried."
    )
    return f"{wrapped(conditions)}\n\n{wrapped(how)}"


def _fits(bench: Bench) -> str:
    head = ["model", "engine", *(f"{people:,}" for people in bench.sizes)]
    rows = []
    for model in MODELS:
        for name, label in _engines(bench, model):
            cells = []
            for people in bench.sizes:
                mine, values = bench.ours(model, people), bench.found[model, name.split()[0], people]
                cells.append(_fit_cell(values, mine, tested=name.endswith("tested"), own=name == "ours"))
            rows.append([model, label, *cells])
    return f"Participants:\n\n{table(head, rows)}"


def _engines(bench: Bench, model: str) -> list[tuple[str, str]]:
    """Return (key, name) of the engines that a model was given to; lmer has two rows."""
    found = [("ours", OURS)]
    for engine, call in JOBS[model]:
        if engine == "mmrm" and engine in bench.r:
            found.append((call, NAMES[call]))
        elif engine == "statsmodels" or engine in bench.r:
            found.append((engine, NAMES[engine]))
        if engine == "lmer" and engine in bench.r:
            found.append(("lmer tested", NAMES["lmer tested"]))
    return found


def _fit_cell(values: Values | str, mine: Values, *, tested: bool, own: bool) -> str:
    if isinstance(values, str):
        return values
    seconds, cpu = (values.get(name) for name in (("tested", "tested cpu") if tested else ("seconds", "cpu")))
    if seconds is None or cpu is None:
        return "over"
    memory = values.get("peak" if tested else "megabytes", values.get("peak"))
    said = _seconds(seconds)
    if seconds > DISTURBED * cpu:
        said += f" (CPU {_seconds(cpu)})"
    if memory is not None:
        said += f", {memory:.0f} MB"
    if not values.get("converged", True):
        said += ", not converged"
    return said if own else f"{said}, {_times(min(seconds, cpu) / min(mine['seconds'], mine['cpu']))}"


def _likelihoods(bench: Bench) -> str:
    rows = []
    for model in MODELS:
        for name, label in _engines(bench, model):
            if name != "lmer tested":
                found = [bench.found[model, name, people] for people in bench.sizes]
                cells = ["" if isinstance(values, str) else f"{values['log_likelihood']:.4f}" for values in found]
                rows.append([model, label.split(",")[0], *cells])
    text = "The same models were fitted: restricted log-likelihood."
    return f"{text}\n\n{table(['model', 'engine', *(f'{people:,}' for people in bench.sizes)], rows)}"


def _growth(bench: Bench, rows: Mapping[int, int]) -> str:
    lines = []
    for model in MODELS:
        found = [bench.ours(model, people) for people in bench.sizes]
        speeds = [rows[people] / values["seconds"] / 1e6 for people, values in zip(bench.sizes, found, strict=True)]
        lines.append([model, *(f"{speed:.2f}" for speed in speeds)])
    head = ["million rows a second, peerimpact", *(f"{people:,}" for people in bench.sizes)]
    return table(head, lines)


def _refits(bench: Bench) -> str:
    rows = []
    for model in MODELS:
        found = [bench.ours(model, people) for people in bench.sizes]
        other = "toeph" if model == "unstructured" else "no slope" if "slope" in model else "with a slope"
        rows.append([f"{model}, then {other}", *(_seconds(values["refit"]) for values in found)])
    head = ["second fit from the same moments", *(f"{people:,}" for people in bench.sizes)]
    return table(head, rows)


def _passes(passes: Mapping[int, Values]) -> str:
    names = {
        "build": "building [X, y]",
        "product": "its cross product",
        "one thread": "its cross product on one thread",
        "fit": "unstructured fit, one thread",
    }
    rows = [[label, *(_seconds(values[key]) for values in passes.values())] for key, label in names.items()]
    for prefix, label in (("", "fit / (building and product)"), ("first ", "the same, first turn")):
        fit, build, product = (f"{prefix}{name}" for name in ("fit", "build", "product"))
        rows.append([label, *(f"{v[fit] / (v[build] + v[product]):.1f}" for v in passes.values())])
    text = wrapped(
        "Against one cross product with numpy, by turns in one interpreter: the best of five turns. The first turn also"
        " waits for memory from the system, numpy as much as the fit."
    )
    return f"{text}\n\n{table(['', *(f'{people:,}' for people in passes)], rows)}"


def _halves(halves: Mapping[tuple[str, int], Values]) -> str:
    names = {
        "one": "one process",
        "one sum": "of which summing, CPU",
        "two": "two processes, already running",
        "two sum": "of which summing, CPU of the slower one",
        "adding": "of which adding up",
        "starting": "starting them, once",
    }
    sizes = list(dict.fromkeys(people for _, people in halves))
    rows = []
    for model in dict.fromkeys(model for model, _ in halves):
        found = [halves[model, people] for people in sizes]
        for key, label in names.items():
            rows.append([model, label, *(_seconds(v[key]) for v in found)])
        for key, label in (("", "one / two"), (" sum", "one / two, summing, CPU")):
            rows.append([model, label, *(f"{v['one' + key] / v['two' + key]:.1f}" for v in found)])
    text = wrapped(
        "Reading two Parquet files and summing them to moments, in one process and in two that send theirs back: the"
        " best of five turns. Reading uses both cores even in one process."
    )
    return f"{text}\n\n{table(['model', '', *(f'{people:,}' for people in sizes)], rows)}"


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if value < 1 else f"{value:.1f} s"


def _times(ratio: float) -> str:
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×"


if __name__ == "__main__":
    main()
