"""Small invented data sets, models of every kind on them, and the same models written out in full: V as one matrix."""

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import linalg
from threadpoolctl import threadpool_limits

from analysis.errors import AnalysisError
from analysis.mixed_models import ModelFit, fit_mixed_model, fit_mmrm

TIMEPOINTS = ("start", "mid", "end", "later")
WEEKS = (0.0, 4.0, 10.0, 16.0)
TERMS = ("time", "arm", "arm:time", "age", "dose")
ROW_TERMS = ("day", "arm", "arm:day", "age", "dose")
STRUCTURES = ("us", "toeph", "toep", "ar1h", "ar1", "csh", "cs", "adh", "ad")


def _visits(
    seed: int = 1,
    n: int = 36,
    timepoints: int = 4,
    gaps: float = 0.15,
    slope: float = 0.08,
    team_slope: float = 0.0,
    group_sd: float = 1.0,
) -> pd.DataFrame:
    """A trial with two arms and gaps; one row per participant and timepoint.

    Everybody has a `site` and a `team` in it; only the arm "peer" has a `group` in it, and a `late_group` from the second
    timepoint on. `day` is the actual time; `dose` changes within participants; the outcome is `score`.
    """
    rng = np.random.default_rng(seed)
    levels: dict[str, float] = {}

    def effect(label: str, sd: float) -> float:
        return levels.setdefault(label, float(rng.normal(0, sd))) if label else 0.0

    rows = []
    for person in range(n):
        arm = ("peer", "usual")[person % 2]
        site = f"s{person // 12}"
        team = f"{site}/t{person // 6}"
        group = f"{site}/g{person // 2 // 3}" if arm == "peer" else ""
        age, start, change = float(rng.integers(20, 70)), rng.normal(0, 1.0), rng.normal(0, slope)
        for place, week in list(enumerate(WEEKS))[:timepoints]:
            late = group if place else ""
            day = week * 7 + float(rng.integers(-6, 7)) * (place > 0)
            dose = float(rng.integers(0, 5))
            score = 20 + 0.02 * age + 0.1 * dose + 0.3 * place * (arm == "peer") + start + change * week
            score += effect(site, 1.2) + effect(team, 0.9) + effect(group, group_sd) + rng.normal(0, 0.9 + 0.1 * place)
            score += effect(f"change in {team}", team_slope) * week
            if place and rng.random() < gaps:
                continue
            rows.append((f"p{person:03}", arm, site, team, group, late, TIMEPOINTS[place], week, day, age, dose, score))
    names = ["participant", "arm", "site", "team", "group", "late_group", "time", "week", "day", "age", "dose", "score"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(time=pd.Categorical(frame["time"], categories=TIMEPOINTS[:timepoints]))


@dataclass(frozen=True, eq=False)
class Case:
    """A model and the rows that it is fitted to."""

    name: str
    function: Callable[..., ModelFit]
    arguments: dict[str, Any]
    frame: pd.DataFrame

    @functools.cache  # noqa: B019 - as long-lived as the cases themselves
    def fit(self, method: str = "reml", df_method: str = "satterthwaite") -> ModelFit:
        """The fit."""
        return self.function(self.frame, method=method, df_method=df_method, **self.arguments)

    @functools.cache  # noqa: B019 - as long-lived as the cases themselves
    def in_full(self, method: str = "reml") -> "InFull":
        """The same model written out in full, at the parameters of the fit."""
        return InFull.of(self.frame, self.arguments, self.fit(method), method)


@dataclass(frozen=True)
class InFull:
    """A model with one row and column of V for every row of data; derivatives of V are by natural parameters.

    `designs` holds, for every level of random effects from the lowest, its labels and the columns of Z of each.
    """

    names: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    theta: np.ndarray
    covariance: Callable[[np.ndarray], np.ndarray]
    restricted: bool
    is_linear: bool
    cluster: np.ndarray
    designs: dict[str, tuple[list[str], list[np.ndarray]]] = field(default_factory=dict)
    psi: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pd.DataFrame, arguments: dict[str, Any], fit: ModelFit, method: str) -> "InFull":
        """Write a model out; `fit` gives names and values of the covariance parameters and names of the columns."""
        components = fit.variance_components()
        names = tuple(components["component"])
        theta = components["estimate"].to_numpy(dtype=float)
        maker = _mmrm_covariance if fit.kind == "mmrm" else _random_covariance
        designs = _random_designs(frame, arguments) if fit.kind == "mixed_model" else {}
        values = dict(zip(names, theta, strict=True))
        psi = {level: _psi(values, level, columns[0].shape[1]) for level, (_, columns) in designs.items()}
        return cls(
            names=names,
            x=np.column_stack([_column(frame, name) for name in fit.terms]),
            y=frame["score"].to_numpy(),
            theta=theta,
            covariance=maker(frame, arguments, names),
            restricted=method == "reml",
            is_linear=fit.kind == "mixed_model" or arguments["covariance"] in ("us", "cs", "toep"),
            cluster=_clusters(frame, arguments),
            designs=designs,
            psi=psi,
        )

    def deviance(self, theta: np.ndarray) -> float:
        """-2 log-likelihood, constants included."""
        v = self.covariance(theta)
        inverse = np.linalg.inv(v)
        information = self.x.T @ inverse @ self.x
        residual = self.y - self.x @ np.linalg.solve(information, self.x.T @ inverse @ self.y)
        found = np.linalg.slogdet(v)[1] + residual @ inverse @ residual + len(self.y) * np.log(2 * np.pi)
        if self.restricted:
            found += np.linalg.slogdet(information)[1] - self.x.shape[1] * np.log(2 * np.pi)
        return float(found)

    @functools.cached_property
    def inverse(self) -> np.ndarray:
        """V^-1."""
        return np.linalg.inv(self.covariance(self.theta))

    @functools.cached_property
    def phi(self) -> np.ndarray:
        """(X' V^-1 X)^-1."""
        return np.linalg.inv(self.x.T @ self.inverse @ self.x)

    @functools.cached_property
    def coefficients(self) -> np.ndarray:
        """Generalised least squares."""
        return self.phi @ self.x.T @ self.inverse @ self.y

    @functools.cached_property
    def residual(self) -> np.ndarray:
        """Marginal residuals."""
        return self.y - self.x @ self.coefficients

    @functools.cached_property
    def first(self) -> list[np.ndarray]:
        """First derivatives of V, by a complex step."""
        return [_complex_step(self.covariance, self.theta, place) for place in range(len(self.theta))]

    @functools.cached_property
    def second(self) -> list[list[np.ndarray]]:
        """Second derivatives of V: differences, extrapolated, of complex steps."""
        if self.is_linear:
            return [[np.zeros_like(self.inverse)] * len(self.theta)] * len(self.theta)
        found = []
        for i, value in enumerate(self.theta):
            step = 1e-3 * max(abs(value), 1e-2)
            unit = np.eye(len(self.theta))[i]

            def change(j: int, size: float, unit: np.ndarray = unit) -> np.ndarray:
                up, down = (_complex_step(self.covariance, self.theta + sign * size * unit, j) for sign in (1, -1))
                return (up - down) / (2 * size)

            found.append([(4 * change(j, step / 2) - change(j, step)) / 3 for j in range(len(self.theta))])
        return found

    @functools.cached_property
    def projector(self) -> np.ndarray:
        """P = V^-1 - V^-1 X Phi X' V^-1."""
        moved = self.inverse @ self.x
        return self.inverse - moved @ self.phi @ moved.T

    @functools.cached_property
    def gradient(self) -> np.ndarray:
        """Of the deviance."""
        weight = self.projector if self.restricted else self.inverse
        py = self.projector @ self.y
        return np.array([np.sum(weight * change) - py @ change @ py for change in self.first])

    @functools.cached_property
    def hessian(self) -> np.ndarray:
        """Of the deviance."""
        weight = self.projector if self.restricted else self.inverse
        py = self.projector @ self.y
        turned = [weight @ change for change in self.first]
        along = np.array([change @ py for change in self.first])
        found = 2 * along @ self.projector @ along.T
        for i, a in enumerate(turned):
            for j, b in enumerate(turned):
                both = self.second[i][j]
                found[i, j] += np.sum(weight * both) - np.sum(a * b.T) - py @ both @ py
        return found

    @functools.cached_property
    def expected_information(self) -> np.ndarray:
        """tr(P dV P dV) / 2."""
        moved = [self.projector @ change for change in self.first]
        return np.array([[np.sum(a * b.T) / 2 for b in moved] for a in moved])

    def satterthwaite(self, weights: np.ndarray) -> float:
        """2 v^2 / var(v), with the observed information."""
        moved = self.inverse @ self.x @ self.phi @ weights
        gradient = np.array([moved @ change @ moved for change in self.first])
        spread = gradient @ (2 * np.linalg.solve(self.hessian, gradient))
        return float(2 * (weights @ self.phi @ weights) ** 2 / spread)

    def kenward_roger(self, information: str, linear: bool) -> "KenwardRoger":
        """Kenward and Roger 1997, letter by letter."""
        w = np.linalg.inv(self.hessian / 2 if information == "observed" else self.expected_information)
        moved = self.inverse @ self.x
        turned = [change @ moved for change in self.first]
        p = [-moved.T @ a for a in turned]
        total = np.zeros_like(self.phi)
        for i, a in enumerate(turned):
            for j, b in enumerate(turned):
                q = a.T @ self.inverse @ b
                r = np.zeros_like(q) if linear or self.is_linear else moved.T @ self.second[i][j] @ moved
                total += w[i, j] * (q - p[i] @ self.phi @ p[j] - r / 4)
        return KenwardRoger(self.phi, self.phi + 2 * self.phi @ total @ self.phi, p, w)

    def robust(self, power: float) -> tuple[np.ndarray, Callable[[np.ndarray], float]]:
        """The sandwich with residuals multiplied by (I - H)^power within clusters, and its degrees of freedom.

        Coordinates are whitened by the symmetric root, where the package takes a Cholesky factor.
        """
        white = linalg.sqrtm(self.inverse).real
        x, residual = white @ self.x, white @ self.residual
        hat = x @ self.phi @ x.T
        adjusted, meat = np.zeros_like(x), np.zeros_like(self.phi)
        for label in np.unique(self.cluster):
            own = np.flatnonzero(self.cluster == label)
            values, vectors = np.linalg.eigh(np.eye(len(own)) - hat[np.ix_(own, own)])
            adjusted[own] = vectors @ np.diag(values**power) @ vectors.T @ x[own]
            score = adjusted[own].T @ residual[own]
            meat += np.outer(score, score)
        labels = np.unique(self.cluster)

        def df(weights: np.ndarray) -> float:
            each = (adjusted @ self.phi @ weights)[:, None] * (self.cluster[:, None] == labels)
            inside = each.T @ (np.eye(len(x)) - hat) @ each
            return float(np.trace(inside) ** 2 / np.sum(inside**2))

        return self.phi @ meat @ self.phi, df

    def random_effects(self) -> dict[tuple[str, str], np.ndarray]:
        """Psi Z' V^-1 (y - X b) by level and label."""
        return {
            (level, label): self.psi[level] @ z.T @ self.inverse @ self.residual
            for level, (labels, columns) in self.designs.items()
            for label, z in zip(labels, columns, strict=True)
        }

    def conditional(self) -> np.ndarray:
        """Fitted values with random effects."""
        effects = self.random_effects()
        return self.x @ self.coefficients + sum(
            z @ effects[level, label]
            for level, (labels, columns) in self.designs.items()
            for label, z in zip(labels, columns, strict=True)
        )


@dataclass(frozen=True)
class KenwardRoger:
    """Adjusted covariance and scaled F, in the letters of the paper."""

    phi: np.ndarray
    vcov: np.ndarray
    p: list[np.ndarray]
    w: np.ndarray

    def test(self, coefficients: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
        """The scaled F statistic, and its denominator degrees of freedom."""
        size = len(rows)
        theta = rows.T @ np.linalg.inv(rows @ self.phi @ rows.T) @ rows
        inner = [theta @ self.phi @ p @ self.phi for p in self.p]
        a1 = sum(self.w[i, j] * np.trace(a) * np.trace(b) for i, a in enumerate(inner) for j, b in enumerate(inner))
        a2 = sum(self.w[i, j] * np.trace(a @ b) for i, a in enumerate(inner) for j, b in enumerate(inner))
        b = (a1 + 6 * a2) / (2 * size)
        g = ((size + 1) * a1 - (size + 4) * a2) / ((size + 2) * a2)
        divisor = 3 * size + 2 * (1 - g)
        c1, c2, c3 = g / divisor, (size - g) / divisor, (size + 2 - g) / divisor
        expectation = 1 / (1 - a2 / size)
        variance = 2 / size * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = variance / (2 * expectation**2)
        df = 4 + (size + 2) / (size * rho - 1)
        found = rows @ coefficients
        f = found @ np.linalg.inv(rows @ self.vcov @ rows.T) @ found / size
        return float(df / (expectation * (df - 2)) * f), float(df)


def _complex_step(function: Callable[[np.ndarray], np.ndarray], theta: np.ndarray, place: int) -> np.ndarray:
    step = 1e-30
    return np.imag(function(theta.astype(complex) + 1j * step * np.eye(len(theta))[place])) / step


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column of X by its name, such as ``arm[peer]:age``."""
    found = np.ones(len(frame))
    for part in name.split(":") if name != "intercept" else []:
        column, _, level = part.removesuffix("]").partition("[")
        found = found * (frame[column].astype(str) == level if level else frame[column]).to_numpy(dtype=float)
    return found


def _over_timepoints(kind: str, theta: np.ndarray, size: int) -> np.ndarray:
    """A covariance over the timepoints; complex parameters allowed."""
    found = np.empty((size, size), dtype=theta.dtype)
    kind, heterogeneous = kind.removesuffix("h"), kind.endswith("h")
    variances = size if heterogeneous else 1
    for a in range(size):
        for b in range(a + 1):
            rest = theta[variances:]
            if kind == "us":
                value = theta[a * (a + 1) // 2 + b]
            elif a == b:
                value = theta[a if heterogeneous else 0]
            elif kind in ("cs", "toep") and not heterogeneous:
                value = rest[0] if kind == "cs" else rest[a - b - 1]
            else:
                correlation = {
                    "cs": lambda a, b, rest: rest[0],
                    "ar1": lambda a, b, rest: rest[0] ** (a - b),
                    "toep": lambda a, b, rest: rest[a - b - 1],
                    "ad": lambda a, b, rest: np.prod(rest[b:a]),
                }[kind](a, b, rest)
                value = correlation * np.sqrt(theta[a if heterogeneous else 0] * theta[b if heterogeneous else 0])
            found[a, b] = found[b, a] = value
    return found


def _mmrm_covariance(
    frame: pd.DataFrame, arguments: dict[str, Any], names: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    labels = [label for label in TIMEPOINTS if label in set(frame["time"])]
    at = frame["time"].map({label: place for place, label in enumerate(labels)}).to_numpy(dtype=int)
    strata = sorted(frame[arguments["by_arm"]].unique()) if "by_arm" in arguments else [""]
    stratum = frame[arguments["by_arm"]].map(strata.index).to_numpy() if "by_arm" in arguments else 0 * at
    same = _same(frame["participant"])
    own = len(names) // len(strata)

    def covariance(theta: np.ndarray) -> np.ndarray:
        found = np.zeros(same.shape, dtype=theta.dtype)
        for place in range(len(strata)):
            over = _over_timepoints(arguments["covariance"], theta[place * own : (place + 1) * own], len(labels))
            inside = stratum == place
            found += over[np.ix_(at, at)] * same * np.outer(inside, inside)
        return found

    return covariance


def _same(labels: pd.Series) -> np.ndarray:
    """Which rows share a label; an empty one is shared with nobody."""
    values = labels.astype(str).to_numpy()
    return ((values[:, None] == values) & (values != "")[:, None]).astype(float)


def _levels(arguments: dict[str, Any]) -> dict[str, str]:
    """Column of each level -> kind of its random effects, from the lowest."""
    groups = arguments.get("groups", ())
    groups = [groups] if isinstance(groups, str) else groups
    own = dict(groups) if isinstance(groups, dict) else dict.fromkeys(groups, "intercept")
    return {"participant": arguments.get("random", "intercept"), **own}


def _random_designs(frame: pd.DataFrame, arguments: dict[str, Any]) -> dict[str, tuple[list[str], list[np.ndarray]]]:
    found = {}
    for level, kind in _levels(arguments).items():
        labels = sorted(set(frame[level]) - {""})
        time = frame[arguments["time"]].to_numpy() if kind != "intercept" else None
        columns = []
        for label in labels:
            mine = (frame[level] == label).to_numpy(dtype=float)
            columns.append(mine[:, None] if time is None else np.column_stack([mine, mine * time]))
        found[level] = (labels, columns)
    return found


def _psi(values: dict[str, float], level: str, width: int) -> np.ndarray:
    found = np.zeros((width, width))
    found[0, 0] = values[f"{level} intercept"]
    if width > 1:
        found[1, 1] = values[f"{level} slope"]
        found[0, 1] = found[1, 0] = values.get(f"{level} covariance", 0.0)
    return found


def _random_covariance(
    frame: pd.DataFrame, arguments: dict[str, Any], names: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    time = frame[arguments["time"]].to_numpy() if "time" in arguments else np.zeros(len(frame))
    changes = []
    for name in names:
        level, _, what = name.rpartition(" ")
        if not level:
            own = what.removeprefix("residual").strip("[]")
            inside = (frame[arguments["residual_by"]] == own).to_numpy() if own else np.ones(len(frame))
            changes.append(np.diag(inside.astype(float)))
        else:
            by_time = {"intercept": 1.0, "slope": np.outer(time, time), "covariance": np.add.outer(time, time)}[what]
            changes.append(_same(frame[level]) * by_time)
    stack = np.array(changes)
    return lambda theta: np.tensordot(theta, stack, 1)


def _clusters(frame: pd.DataFrame, arguments: dict[str, Any]) -> np.ndarray:
    """The highest group that a participant belongs to, or the participant."""
    found = frame["participant"].astype(str)
    for level in list(_levels(arguments))[1:]:
        of_participant = frame.groupby("participant")[level].transform("max")
        found = found.where(of_participant == "", level + of_participant)
    return pd.factorize(found)[0]


_MMRM: dict[str, Any] = {"outcome": "score", "terms": TERMS, "participant": "participant", "timepoint": "time"}
_PLANNED: dict[str, Any] = _MMRM | {"time": "week"}
_ROWS: dict[str, Any] = {"outcome": "score", "terms": ROW_TERMS, "participant": "participant"}
_PARTIAL: dict[str, Any] = {"partially_nested": True}
CASES: dict[str, tuple[Callable[..., ModelFit], dict[str, Any], dict[str, Any]]] = {
    **{name: (fit_mmrm, _MMRM | {"covariance": name}, {"seed": 4}) for name in STRUCTURES},
    "us by arm": (fit_mmrm, _MMRM | {"covariance": "us", "by_arm": "arm"}, {"timepoints": 3}),
    "ar1h by arm": (fit_mmrm, _MMRM | {"covariance": "ar1h", "by_arm": "arm"}, {}),
    "toep of two timepoints": (fit_mmrm, _MMRM | {"covariance": "toep"}, {"timepoints": 2}),
    "intercept": (fit_mixed_model, _MMRM, {}),
    "slope": (fit_mixed_model, _PLANNED | {"random": "slope"}, {"slope": 0.2}),
    "uncorrelated slope": (fit_mixed_model, _PLANNED | {"random": "slope_uncorrelated"}, {"slope": 0.2}),
    "residual by arm": (fit_mixed_model, _MMRM | {"residual_by": "arm"}, {}),
    "groups": (fit_mixed_model, _MMRM | {"groups": "team"}, {}),
    "group slope": (
        fit_mixed_model,
        _PLANNED | {"groups": {"team": "slope_uncorrelated"}},
        {"n": 60, "team_slope": 0.2},
    ),
    "slopes of both": (
        fit_mixed_model,
        _PLANNED | {"random": "slope", "groups": {"team": "slope"}},
        {"slope": 0.2, "team_slope": 0.25, "n": 48, "gaps": 0.3},
    ),
    "groups in sites": (fit_mixed_model, _MMRM | {"groups": ("team", "site")}, {"n": 60}),
    "partially nested": (fit_mixed_model, _MMRM | _PARTIAL | {"groups": "group"}, {}),
    "partially nested in sites, residual by arm": (
        fit_mixed_model,
        _MMRM | _PARTIAL | {"groups": ("group", "site"), "residual_by": "arm"},
        {"n": 60, "group_sd": 1.5},
    ),
    "groups from the second timepoint": (fit_mixed_model, _MMRM | _PARTIAL | {"groups": "late_group"}, {}),
    "rows": (fit_mixed_model, _ROWS, {}),
    "rows, slope": (fit_mixed_model, _ROWS | {"time": "day", "random": "slope"}, {"slope": 0.2}),
    "rows, uncorrelated slope": (
        fit_mixed_model,
        _ROWS | {"time": "day", "random": "slope_uncorrelated"},
        {"slope": 0.2},
    ),
    "rows, groups in sites, residual by arm": (
        fit_mixed_model,
        _ROWS | _PARTIAL | {"groups": ("group", "site"), "residual_by": "arm"},
        {"n": 60, "group_sd": 1.5},
    ),
    "rows, slopes of both": (
        fit_mixed_model,
        _ROWS | {"time": "day", "random": "slope", "groups": {"team": "slope"}},
        {"slope": 0.2, "team_slope": 0.25, "n": 48, "gaps": 0.3},
    ),
    "rows, groups from the second timepoint in sites": (
        fit_mixed_model,
        _ROWS | _PARTIAL | {"groups": ("late_group", "site")},
        {"n": 60, "group_sd": 3.0},
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _on_one_thread() -> Iterator[None]:
    """The products here are small: more threads only wait for each other."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.fixture(scope="session")
def make_visits() -> Callable[..., pd.DataFrame]:
    """A function that invents a trial, see `_visits`."""
    return _visits


@functools.cache
def _case(name: str) -> Case:
    function, arguments, data = CASES[name]
    return Case(name, function, arguments, _visits(**data))


@pytest.fixture(scope="session")
def widen() -> Callable[..., pd.DataFrame]:
    """A function that gives a trial with a row per participant and a column of the score per timepoint."""

    def give(frame: pd.DataFrame, *still: str) -> pd.DataFrame:
        of_participant = ["participant", *still]
        table = frame.astype({"time": str}).pivot_table("score", of_participant, "time").reset_index()
        return table.rename_axis(columns=None)

    return give


@pytest.fixture(scope="session", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """A model of each kind."""
    return _case(request.param)


@pytest.fixture(scope="session", params=[name for name, each in CASES.items() if each[0] is fit_mixed_model])
def random_case(request: pytest.FixtureRequest) -> Case:
    """A model with random effects of each kind."""
    return _case(request.param)


@pytest.fixture(scope="session")
def write_out() -> Callable[..., InFull]:
    """A function that writes a fitted model out in full: of a frame, the arguments of the fit, the fit and its method."""
    return InFull.of


@pytest.fixture(scope="session")
def refused() -> Callable[..., AbstractContextManager[list[AnalysisError]]]:
    """A context that wants an AnalysisError, with one of these codes where any are given; it holds the error after."""

    @contextmanager
    def check(*codes: str) -> Iterator[list[AnalysisError]]:
        found: list[AnalysisError] = []
        with pytest.raises(AnalysisError) as caught:
            yield found
        found.append(caught.value)
        for problem in caught.value.problems:
            assert problem.message
            assert problem.how_to_fix
            assert not codes or problem.code in codes, f"refused as {problem.code}"

    return check
