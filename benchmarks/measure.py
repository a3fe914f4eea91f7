"""One measurement, in an interpreter of its own: ``python -m benchmarks.measure WHAT MODEL SIZE FOLDER`` prints JSON.

Data are read before the clock starts. Memory is the highest resident set while the clock runs, less that before.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

TERMS: Final = ("timepoint", "arm", "timepoint:arm", "age")
FORMULA: Final = "y ~ timepoint * arm + age"
MODELS: Final = ("unstructured", "intercept", "slope", "group", "group and slope")
REPEATS_OF_SMALL: Final = 20
TURNS: Final = 5


def simulate(people: int, folder: Path) -> dict[str, Any]:
    """Write a simulated trial: all rows, and two halves with no group in both.

    Groups of about ten by arm, four waves, a random intercept and slope; one in ten leaves before a wave, and of the
    other rows after baseline one in twenty is missing.
    """
    rng = np.random.default_rng(20_240_601 + people)
    groups = max(2, round(people / 10))
    group = rng.integers(0, groups, people)
    arm = (rng.permutation(groups) % 2)[group]
    age = np.round(rng.normal(40, 12, people).clip(18, 85), 1)
    of_group = rng.normal(0, 1.0, groups)
    effects = rng.multivariate_normal([0, 0], [[9.0, -0.6], [-0.6, 0.5]], people)
    wave, who = np.tile(np.arange(4), people), np.repeat(np.arange(people), 4)
    y = 20 + 0.05 * (age[who] - 40) + np.array([0, -0.5, -0.9, -1.2])[wave]
    y += arm[who] * np.array([0, -0.8, -1.2, -1.5])[wave] + of_group[group[who]]
    y += effects[who, 0] + effects[who, 1] * wave + rng.normal(0, 3, 4 * people)
    leaves = np.where(rng.random(people) < 0.10, rng.integers(1, 4, people), 9)
    kept = (wave < leaves[who]) & ((wave == 0) | (rng.random(4 * people) >= 0.05))
    columns = {"id": who, "group": group[who], "arm": arm[who], "wave": wave, "age": age[who], "y": np.round(y, 4)}
    frame = pd.DataFrame({name: values[kept] for name, values in columns.items()})
    frame.to_parquet(folder / f"{people}.parquet", index=False)
    first = frame["group"] < groups // 2
    frame[first].to_parquet(folder / f"{people}-first.parquet", index=False)
    frame[~first].to_parquet(folder / f"{people}-second.parquet", index=False)
    return {"rows": len(frame)}


def write_csv(people: int, folder: Path) -> dict[str, Any]:
    """Write the rows for R."""
    pd.read_parquet(folder / f"{people}.parquet").to_csv(folder / f"{people}.csv", index=False)
    return {}


def read(path: Path) -> pd.DataFrame:
    """Return the rows, the timepoint as a factor."""
    frame = pd.read_parquet(path)
    names = pd.CategoricalDtype([f"wave {number}" for number in range(4)])
    return frame.assign(timepoint=pd.Categorical.from_codes(frame["wave"], dtype=names))


def timed(action: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Run an action; return its result, and its seconds (wall and CPU) and megabytes of memory at most."""
    gc.collect()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _resident()
    cpu, start = time.process_time(), time.perf_counter()
    result = action()
    seconds = time.perf_counter() - start
    return result, {"seconds": seconds, "cpu": time.process_time() - cpu, "megabytes": max(_peak() - before, 0.0)}


def _status(field: str) -> float | None:
    """Return a field of this process's status in megabytes, where the system has one."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return float(line.split()[1]) / 1024
    return None


def _peak() -> float:
    found = _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if found is None else found


def _resident() -> float:
    found = _status("VmRSS")
    return _peak() if found is None else found


def ours(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Fit a model with Kenward-Roger, table of coefficients included, and fit another one to its moments."""
    from analysis.mixed_models import refit_mixed_model, refit_mmrm

    frame = read(folder / f"{people}.parquet")
    fit, found = timed(lambda: _fit(model, frame))
    if model == "unstructured":
        again = timed(lambda: refit_mmrm(fit.moments, covariance="toeph").tidy())[1]
    else:
        again = timed(
            lambda: refit_mixed_model(fit.moments, random="intercept" if "slope" in model else "slope").tidy()
        )[1]
    return {
        **found,
        "log_likelihood": fit.log_likelihood,
        "converged": fit.optimisation.converged,
        "refit": again["seconds"],
    }


def _fit(model: str, frame: pd.DataFrame) -> Any:
    from analysis.mixed_models import fit_mixed_model, fit_mmrm

    if model == "unstructured":
        fit = fit_mmrm(frame, outcome="y", terms=TERMS, participant="id")
    else:
        fit = fit_mixed_model(
            frame,
            outcome="y",
            terms=TERMS,
            participant="id",
            time="wave",
            timepoint="timepoint",
            random="slope" if "slope" in model else "intercept",
            groups="group" if "group" in model else (),
        )
    fit.tidy()
    return fit


def statsmodels(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Fit a model with statsmodels, whose tests are by the normal distribution."""
    import warnings

    from statsmodels.regression.mixed_linear_model import MixedLM

    warnings.simplefilter("ignore")
    frame = read(folder / f"{people}.parquet")

    def fit() -> Any:
        if model == "group":
            start = MixedLM.from_formula(
                FORMULA, frame, groups="group", re_formula="1", vc_formula={"participant": "0 + C(id)"}
            )
        else:
            start = MixedLM.from_formula(FORMULA, frame, groups="id", re_formula="~wave" if model == "slope" else "1")
        found = start.fit()
        found.summary()
        return found

    result, found = timed(fit)
    return {**found, "log_likelihood": float(result.llf), "converged": bool(result.converged)}


def cross_product(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Form [X | y]'[X | y] with numpy from the columns of the frame, and fit, by turns in one interpreter."""
    from threadpoolctl import threadpool_limits

    import analysis.mixed_models  # noqa: F401 - before the clock starts

    frame = read(folder / f"{people}.parquet")
    found: dict[str, list[float]] = {"build": [], "product": [], "one thread": [], "fit": []}
    for _ in range(TURNS):
        built, taken = timed(lambda: _design(frame))
        found["build"].append(taken["seconds"])
        found["product"].append(timed(partial(_square, built))[1]["seconds"])
        with threadpool_limits(1):
            found["one thread"].append(timed(partial(_square, built))[1]["seconds"])
        del built
        found["fit"].append(timed(lambda: _fit(model, frame))[1]["seconds"])
    return {
        **{name: min(values) for name, values in found.items()},
        **{f"first {name}": values[0] for name, values in found.items()},
    }


def _design(frame: pd.DataFrame) -> np.ndarray:
    """Return [X | y] of the model, column by column, as numpy and BLAS like it best."""
    codes = frame["timepoint"].cat.codes.to_numpy()
    arm = frame["arm"].to_numpy()
    found = np.empty((len(frame), 10), order="F")
    found[:, 0] = 1.0
    for number in (1, 2, 3):
        found[:, number] = codes == number
        found[:, 4 + number] = found[:, number] * arm
    found[:, 4] = arm
    found[:, 8] = frame["age"]
    found[:, 9] = frame["y"]
    return found


def _square(values: np.ndarray) -> Any:
    return values.T @ values


def shuffled(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Fit with the rows in random order."""
    import analysis.mixed_models  # noqa: F401 - before the clock starts

    frame = read(folder / f"{people}.parquet").sample(frac=1.0, random_state=1, ignore_index=True)
    return timed(lambda: _fit(model, frame))[1]


def small(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Fit a small trial: the first time in this interpreter, and the median of those that follow."""
    import analysis.mixed_models  # noqa: F401 - before the clock starts

    frame = read(folder / f"{people}.parquet")
    times = [timed(lambda: _fit(model, frame))[1]["seconds"] for _ in range(1 + REPEATS_OF_SMALL)]
    return {"first": times[0], "median": statistics.median(times[1:])}


def two_processes(model: str, people: int, folder: Path) -> dict[str, Any]:
    """Sum the moments of two Parquet files, one after the other and in two processes."""
    from analysis.mixed_models import add_moments

    paths = [folder / f"{people}-{part}.parquet" for part in ("first", "second")]
    design = _moments(paths[0], model)[0].design  # agreed beforehand
    found: dict[str, list[float]] = {name: [] for name in ("one", "one sum", "two", "two sum", "adding")}
    start = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_ready, range(4)))
        starting = time.perf_counter() - start
        for turn in range(1 + TURNS):
            start = time.perf_counter()
            alone = [_moments(path, model, design) for path in paths]
            one = add_moments(moments for moments, _ in alone)
            done = time.perf_counter()
            parts = list(pool.map(_moments, paths, [model] * 2, [design] * 2))
            arrived = time.perf_counter()
            two = add_moments(moments for moments, _ in parts)
            end = time.perf_counter()
            if turn:  # the first one warms up all three
                found["one"].append(done - start)
                found["one sum"].append(sum(seconds for _, seconds in alone))
                found["two"].append(end - done)
                found["two sum"].append(max(seconds for _, seconds in parts))
                found["adding"].append(end - arrived)
    if not np.allclose(one.products, two.products, rtol=1e-12, atol=0.0):
        raise SystemExit("two processes found other moments than one")
    return {"starting": starting, **{name: min(values) for name, values in found.items()}}


def _ready(number: int) -> int:
    """Import what a worker needs, and take long enough for the other worker to get its share."""
    import analysis.mixed_models  # noqa: F401

    time.sleep(0.05)
    return number


def _moments(path: Path, model: str, design: Any = None) -> tuple[Any, float]:
    """Return the moments of a file, and the CPU seconds that summing alone took."""
    from analysis.mixed_models import Moments
    from analysis.mixed_models.threads import on_one_thread

    frame = read(path)
    start = time.process_time()
    moments = on_one_thread(Moments.from_frame)(
        frame,
        outcome="y",
        terms=TERMS,
        participant="id",
        timepoint="timepoint",
        groups=("group",) if "group" in model else (),
        design=design,
    )
    return moments, time.process_time() - start


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # gives memory back after reading
    what, model, people, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    if what == "simulate":
        found = simulate(people, folder)
    elif what == "csv":
        found = write_csv(people, folder)
    else:
        found = {
            "ours": ours,
            "statsmodels": statsmodels,
            "cross product": cross_product,
            "shuffled": shuffled,
            "small": small,
            "two processes": two_processes,
        }[what](model, people, folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
