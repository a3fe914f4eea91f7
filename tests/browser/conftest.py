"""A report with hostile labels, opened from disk in a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, sync_playwright

from analysis.design import Arm, Measure, StudyDesign, Timepoint
from analysis.plan import Plan
from analysis.results import Result, results_table
from instruments import load_library
from reports import ReportContent, render_report

CHROMIUM = Path(os.environ.get("PEERIMPACT_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
BEACON = "http://beacon.invalid/seen"
HOSTILE = {
    "peer": f'<span style="mask-image:url({BEACON})">Peer</span>',
    "usual": f'<img src={BEACON} onerror="window.attacked=1">Usual</script><script>window.attacked=1</script>',
    "post": f'<a href="javascript:window.attacked=1" style="background:url({BEACON})">12 weeks</a>',
}
LABELS = {"peer": "Peer support", "usual": "Usual care", "post": "12 weeks"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a network of its own making, or a skip that says where it was looked for.

    It ends with its module: while it runs, so does an event loop, which Dagster in later tests does not bear.
    """
    if not CHROMIUM.is_file():
        pytest.skip(f"no Chromium at {CHROMIUM}; set PEERIMPACT_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a plain report on disk."""
    return _write(tmp_path_factory.mktemp("report"), LABELS)


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report whose labels attack."""
    return _write(tmp_path_factory.mktemp("attacked"), HOSTILE)


@pytest.fixture(scope="session")
def long_winded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report with labels of hundreds of characters."""
    long = "An arm with a name that does not come to an end " * 12
    return _write(tmp_path_factory.mktemp("long"), LABELS | {"peer": long.strip(), "post": f"When {long}".strip()})


def _write(folder: Path, labels: dict[str, str]) -> str:
    path = folder / "report.html"
    path.write_text(render_report(_content(labels)), encoding="utf-8")
    return path.as_uri()


def _content(labels: dict[str, str]) -> ReportContent:
    """Return a randomised study of two outcomes, of which one is refused, and an arm with few answers at the end."""
    design = StudyDesign(
        kind="randomised",
        timepoints=(Timepoint("baseline", "Baseline", 0), Timepoint("post", labels["post"], 12),
                    Timepoint("late", "26 weeks", 26)),
        arms=(Arm("peer", labels["peer"]), Arm("usual", labels["usual"], is_reference=True)),
        measures={
            "ssci-8.total": Measure("ssci-8.total", "SSCI-8 total", "felt stigma", 8, 40, "worse", "ssci-8"),
            "who-5.total": Measure("who-5.total", "WHO-5 index", "mental well-being", 0, 100, "better", "who-5"),
        },
        recruitment={"eligible": 900, "invited": 700},
    )  # fmt: skip
    plan = Plan.model_validate({
        "sap": 1,
        "outcomes": [{"id": "stigma", "measure": "ssci-8.total", "role": "primary"},
                     {"id": "wellbeing", "measure": "who-5.total", "role": "secondary"}],
        "estimands": [{"id": f"{outcome}_post", "outcome": outcome, "contrast": "peer - usual", "timepoint": "post"}
                      for outcome in ("stigma", "wellbeing")],
    })  # fmt: skip
    library = load_library()
    return ReportContent(
        title="Harbour", question="Do people feel less stigma?", programme="Weekly groups.", sponsor="A foundation",
        evaluator=labels["peer"], synthetic=True, design=design, plan=plan, results=results_table(_rows()),
        instruments={name: library[name] for name in ("ssci-8", "who-5")}, wording={},
        verdicts=pd.DataFrame({"contract": ["responses"], "rule": ["in_range"], "column": ["value"], "is_own": [False],
                               "severity": ["error"], "passed": [True],
                               "n_checked": [900], "n_failed": [0], "description": ["Answers are in range."]}),
        reconciliation=pd.DataFrame({"source": ["wave.csv"], "rows_read": [900], "rows_accepted": [900],
                                     "rows_quarantined": [0], "rows_excluded": [0], "reasons": [""]}),
        cells_quarantined=0, provenance={"versions": {"pandas": "3.1.1"}, "fingerprints": {"wave.csv": "ab" * 32}},
    )  # fmt: skip


def _rows() -> list[Result]:
    counts = {"peer": (220, 190, 7), "usual": (231, 200, 160)}
    rows = [Result(analysis="flow", statistic=name, value=n, n=n, verdict="declared")
            for name, n in (("eligible", 900), ("invited", 700))]  # fmt: skip
    for arm, (started, *_) in counts.items():
        rows.append(Result(analysis="flow", statistic="allocated", arm=arm, value=started, n=started))
    for arm, answered in counts.items():
        for timepoint, n in zip(("baseline", "post", "late"), answered, strict=True):
            rows.append(Result(analysis="flow", statistic="answered", arm=arm, timepoint=timepoint, value=n, n=n))
            for analysis, statistic in (("descriptive", "mean"), ("model", "marginal_mean")):
                rows.append(Result(analysis=analysis, statistic=statistic, outcome="stigma", arm=arm, timepoint=timepoint,
                                   value=20.0, conf_low=19.0, conf_high=21.5, n=n, verdict="estimated",
                                   method="A model in words."))  # fmt: skip
            if timepoint != "baseline":
                rows.append(Result(analysis="change_within_arm", statistic="mean_change", outcome="stigma", arm=arm,
                                   timepoint=timepoint, contrast=f"{timepoint} - baseline", value=-2.0, conf_low=-3.0,
                                   conf_high=-1.0, n=n))  # fmt: skip
    question = {"analysis": "model", "statistic": "difference", "timepoint": "post", "contrast": "peer - usual"}
    rows += [
        Result(**question, estimand="stigma_post", outcome="stigma", value=-2.4, conf_low=-4.2, conf_high=-0.6,
               p_value=0.009, n=190, verdict="estimated", method="A model in words."),
        Result(**question, estimand="wellbeing_post", outcome="wellbeing", verdict="refused:no_scores",
               method="Nobody has a score. Deliver the answers."),
        Result(analysis="certainty", statistic="level", outcome="stigma", estimand="stigma_post", value=3),
        Result(analysis="certainty", statistic="reason", outcome="stigma", estimand="stigma_post", value=1,
               method="Few groups were observed."),
    ]  # fmt: skip
    return rows
