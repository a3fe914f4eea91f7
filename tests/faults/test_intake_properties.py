"""What holds for every study, however it was delivered: nothing is lost, nothing depends on how it was cut or written."""

import os
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data_contracts import Checked, PeerimpactError
from pipelines.folder import open_folder
from pipelines.intake import Intake, take_in
from pipelines.store import Store

from .malformed.layouts import DAYS, HEADER, ITEMS, LAYOUTS, FhirLayout, Layout, Table, as_text, write_study

KEY = b"k" * 32
OWN_TABLES = ("responses", "participants", "delivered_scores", "quarantine", "reconciliation")
MAY_REFUSE = {"no_rows_accepted", "no_rows", "rows_do_not_fit"}
"""What a study may be refused for whatever its cells hold: that nothing is left of it."""
MORE = int(os.environ.get("PEERIMPACT_EXAMPLES", "1"))
"""How many times the usual number of studies are drawn."""
quiet = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.generate, Phase.explain],
)


@st.composite
def tables(draw: st.DrawFn, answers: st.SearchStrategy[str], *, faults: bool) -> Table:
    """Draw people, the timepoints at which they answered, and their answers; with faults also rows that must not be."""
    people = draw(st.lists(st.integers(1, 999), min_size=2, max_size=6, unique=True))
    rows = [
        [
            f"k{person}",
            wave,
            ("peer", "usual")[place % 2],
            str(20 + person % 60),
            DAYS[wave],
            "",
            *draw(st.tuples(*[answers] * 7)),
        ]
        for place, person in enumerate(people)
        for wave in draw(st.sampled_from([["1"], ["1", "2"], ["1", "2"], ["2"]]))
    ]
    for fault in (
        draw(st.lists(st.sampled_from(["again", "blank", "other", "nobody", "arm", "wave"]), max_size=4))
        if faults
        else []
    ):
        row = list(rows[draw(st.integers(0, len(rows) - 1))])
        change = {"nobody": (0, ""), "arm": (2, "third"), "wave": (1, "7"), "other": (6, "3")}
        if fault in change:
            row[change[fault][0]] = change[fault][1]
        rows.insert(draw(st.integers(0, len(rows))), row if fault != "blank" else [""] * len(HEADER))
    return Table(list(HEADER), rows)


some_answers = st.sampled_from(["0", "1", "2", "3", "3", "-9", "", "8", "x", "2,5", " 1 ", "=1"])
sound_answers = st.sampled_from(["0", "1", "2", "3"])


def deliver(folder: Path, layout: Layout, table: Table) -> Path:
    """Write the study with these rows."""
    study = write_study(folder / "small", layout)
    layout.save(study, table)
    if isinstance(layout, FhirLayout):
        people = {row[0]: [row[0], row[2], row[3]] for row in table.rows}
        (study / "arms.csv").write_text(as_text([["pid", "arm", "age"], *people.values()]))
    return study


def taken(study: Path) -> Intake:
    opened = open_folder(study)
    return take_in(opened.study.value, opened.data_root, opened.library, KEY)


def taken_or_refused(study: Path) -> Intake | None:
    """Return what was taken in, or None where nothing is left of the study, which must be said so."""
    try:
        return taken(study)
    except PeerimpactError as error:
        refused = {problem.code for problem in error.problems}
    assert refused <= MAY_REFUSE
    return None


def told(intake: Intake) -> pd.DataFrame:
    """Return what was answered, without where it stood."""
    kept = intake.responses[["participant_id", "timepoint", "instrument", "item", "value", "missing_reason"]]
    return kept.sort_values(["participant_id", "timepoint", "item"]).reset_index(drop=True)


def known(intake: Intake) -> pd.DataFrame:
    return intake.participants.sort_values("participant_id").reset_index(drop=True)


def same(first: Intake, second: Intake) -> None:
    for name in OWN_TABLES:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))


def text_layouts() -> Iterable[str]:
    return [name for name, layout in LAYOUTS.items() if not isinstance(layout, FhirLayout)]


@settings(quiet, max_examples=30 * MORE)
@given(table=tables(some_answers, faults=True), name=st.sampled_from([*text_layouts()]))
def test_every_row_is_accepted_quarantined_or_excluded_in_every_format(table: Table, name: str) -> None:
    layout = LAYOUTS[name]
    with tempfile.TemporaryDirectory() as folder:
        intake = taken_or_refused(deliver(Path(folder), layout, table))
    if intake is None:
        return
    (line,) = intake.reconciliation.to_dict("records")
    assert line["rows_read"] == line["rows_accepted"] + line["rows_quarantined"] + line["rows_excluded"]
    headers = layout.first_row - 2
    n_blank_ends = line["rows_read"] - headers - len(table.rows)
    assert n_blank_ends == 0 or (
        layout.format in ("microsoft_forms", "excel", "kobo", "google_forms") and n_blank_ends < 0
    ), "a workbook does not keep blank rows at its end; every other row that was written is read"
    fates = intake.quarantine[intake.quarantine["severity"] != "cell"]
    assert fates["source_row"].nunique() == line["rows_quarantined"] + line["rows_excluded"]
    assert set(intake.responses["source_row"]).isdisjoint(fates["source_row"])
    assert intake.responses["source_row"].nunique() == line["rows_accepted"]


@settings(quiet, max_examples=5 * MORE)
@given(table=tables(some_answers, faults=True), name=st.sampled_from(["csv", "qualtrics", "excel", "parquet"]))
def test_taking_in_again_changes_nothing_and_neither_does_a_copy_of_the_file(table: Table, name: str) -> None:
    layout = LAYOUTS[name]
    with tempfile.TemporaryDirectory() as folder:
        study = deliver(Path(folder), layout, table)
        text = (study / "study.yaml").read_text()
        path = Path(layout.path)
        (study / path).rename(study / f"{path.stem}_1{path.suffix}")
        (study / "study.yaml").write_text(text.replace(str(path), f"{path.stem}_*{path.suffix}"))
        first = taken_or_refused(study)
        if first is None:
            return
        same(first, taken(study))
        store = Store(study / "store.duckdb")
        for _ in range(2):
            for table_name in OWN_TABLES:
                store.save(table_name, Checked(getattr(first, table_name), first.verdicts))
        pd.testing.assert_frame_equal(store.load("responses"), first.responses)
        (study / f"{path.stem}_2{path.suffix}").write_bytes((study / f"{path.stem}_1{path.suffix}").read_bytes())
        again = taken(study)
    pd.testing.assert_frame_equal(told(first), told(again))
    pd.testing.assert_frame_equal(known(first), known(again))
    assert again.reconciliation.loc[1, "rows_accepted"] == 0


@settings(quiet, max_examples=10 * MORE)
@given(
    table=tables(some_answers, faults=True),
    name=st.sampled_from(["csv", "redcap", "limesurvey", "parquet", "excel"]),
    cuts=st.lists(st.floats(0.1, 0.9), min_size=1, max_size=3),
)
def test_how_a_delivery_is_cut_into_files_changes_nothing(table: Table, name: str, cuts: list[float]) -> None:
    layout = LAYOUTS[name]
    path = Path(layout.path)
    places = sorted({0, len(table.rows), *[int(cut * len(table.rows)) for cut in cuts]})
    parts = [table.rows[first:last] for first, last in pairwise(places)]
    parts = [part for part in parts if any(any(row) for row in part)]
    with tempfile.TemporaryDirectory() as folder:
        study = deliver(Path(folder), layout, table)
        whole = taken_or_refused(study)
        if whole is None:
            return
        (study / path).unlink()
        for number, part in enumerate(parts):
            piece = study / f"{path.stem}_{number}{path.suffix}"
            layout.write(piece, layout.in_own_words(Table(table.header, part)))
        document = yaml.safe_load((study / "study.yaml").read_text())
        document["sources"][0]["path"] = f"{path.stem}_*{path.suffix}"
        (study / "study.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        cut = taken(study)
    pd.testing.assert_frame_equal(told(whole), told(cut))
    pd.testing.assert_frame_equal(known(whole), known(cut))
    counted = ["rows_accepted", "rows_quarantined", "cells_quarantined"]
    assert whole.reconciliation[counted].sum().tolist() == cut.reconciliation[counted].sum().tolist()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "csv"])
@settings(quiet, max_examples=2 * MORE)
@given(data=st.data())
def test_what_is_written_in_a_format_is_read_back_as_the_same_responses(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    is_fhir = isinstance(layout, FhirLayout)
    answers = sound_answers if is_fhir else st.sampled_from(["0", "1", "2", "3", "-9", ""])
    table = data.draw(tables(answers, faults=False))
    with tempfile.TemporaryDirectory() as folder:
        as_csv = taken(deliver(Path(folder), LAYOUTS["csv"], table))
    with tempfile.TemporaryDirectory() as folder:
        intake = taken(deliver(Path(folder), layout, table))
    pd.testing.assert_frame_equal(told(as_csv), told(intake))
    if not is_fhir:
        pd.testing.assert_frame_equal(known(as_csv), known(intake))
    assert len(told(intake)) == len(table.rows) * len(ITEMS)
