"""What holds for every study, however it was delivered: nothing is lost, nothing depends on how it was cut or written."""

import dataclasses
import datetime
import math
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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

from .malformed.layouts import (
    DATE_FORMAT,
    HEADER,
    ITEMS,
    LAYOUTS,
    PLAN,
    STUDY,
    FhirLayout,
    Layout,
    Table,
    as_text,
    write_study,
)

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
def ids(draw: st.DrawFn) -> list[str]:
    """Draw different people, of whom at least two are the same but for case or leading zeros."""
    spelled = st.tuples(st.sampled_from(["k", "K", "", "k-", "K-", "Kö "]), st.sampled_from(["", "0", "00"]))
    one = st.builds(lambda start, number: "".join(start) + str(number), spelled, st.integers(1, 9))
    people = draw(st.lists(one, min_size=3, max_size=5, unique=True))
    like = people[0].swapcase() if people[0].upper() != people[0].lower() else f"0{people[0]}"
    return people if like in people else [*people, like]


def days(draw: st.DrawFn, count: int) -> list[datetime.date]:
    """Draw a day for each row, all different, in consecutive months."""
    first = datetime.date(2025, 1, 1) + datetime.timedelta(days=draw(st.integers(0, 364)))
    return [first + datetime.timedelta(days=29 * place + draw(st.integers(0, 27))) for place in range(count)]


@st.composite
def tables(draw: st.DrawFn, answers: st.SearchStrategy[str], *, faults: bool, spaces: bool = True) -> Table:
    """Draw people, the timepoints at which they answered, and their answers; with faults also rows that must not be."""
    around = st.sampled_from(["{}", " {} ", "{} "] if spaces else ["{}"])
    visits = [
        (place, person, wave)
        for place, person in enumerate(draw(ids()))
        for wave in draw(st.sampled_from([["1", "2"], ["1", "2"], ["1"], ["2"]]))
    ]
    rows = [
        [
            draw(around).format(person),
            wave,
            ("peer", "usual")[place % 2],
            str(20 + 7 * place),
            day.strftime(DATE_FORMAT),
            "",
            *draw(st.tuples(*[answers] * 7)),
        ]
        for (place, person, wave), day in zip(visits, days(draw, len(visits)), strict=True)
    ]
    for fault in (
        draw(st.lists(st.sampled_from(["again", "blank", "other", "nobody", "arm", "wave", "day"]), max_size=4))
        if faults
        else []
    ):
        row = list(rows[draw(st.integers(0, len(rows) - 1))])
        change = {"nobody": (0, ""), "arm": (2, "third"), "wave": (1, "7"), "other": (6, "3"), "day": (4, "soon")}
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
        document = yaml.safe_load((study / "study.yaml").read_text())
        timepoints = {"1": "baseline", "2": "post"}
        document["sources"][0]["timepoint"]["values"] = {iso(row[4]): timepoints[row[1]] for row in table.rows}
        document["sources"][0]["answered_on"] = {"column": "answered_on"}
        (study / "study.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return study


def iso(day: str) -> str:
    return datetime.datetime.strptime(day, DATE_FORMAT).date().isoformat()  # noqa: DTZ007 - a day has none


def taken(study: Path) -> Intake:
    opened = open_folder(study)
    return take_in(opened.study.value, opened.data_root, opened.library, KEY, opened.corrections)


def taken_or_refused(study: Path) -> Intake | None:
    """Return what was taken in, or None where nothing is left of the study, which must be said so."""
    try:
        return taken(study)
    except PeerimpactError as error:
        refused = {problem.code for problem in error.problems}
    assert refused <= MAY_REFUSE
    return None


def told(intake: Intake) -> pd.DataFrame:
    """Return what was answered, when and in which words, without where it stood."""
    kept = intake.responses.drop(columns=["source", "source_row"])
    return kept.sort_values(["participant_id", "timepoint", "instrument", "item"]).reset_index(drop=True)


def known(intake: Intake) -> pd.DataFrame:
    return intake.participants.sort_values("participant_id").reset_index(drop=True)


def linked(intake: Intake) -> pd.DataFrame:
    """Return who is linked over all files; the counts by file are of another cut."""
    return intake.linkage[intake.linkage["source"] == ""].reset_index(drop=True)


def drifted(intake: Intake) -> list[tuple[str, ...]]:
    """Return what is told of drift, without where; what files say of their own columns and days is of another cut."""
    kept = intake.drift[~intake.drift["kind"].isin(["date_format"])]
    return sorted(set(kept[["severity", "kind", "timepoint", "column", "name"]].itertuples(index=False, name=None)))


def same(first: Intake, second: Intake) -> None:
    for name in [one.name for one in dataclasses.fields(Intake)]:
        ours, theirs = getattr(first, name), getattr(second, name)
        if isinstance(ours, pd.DataFrame):
            pd.testing.assert_frame_equal(ours, theirs)
        else:
            assert ours == theirs


def text_layouts() -> Iterable[str]:
    return [name for name, layout in LAYOUTS.items() if not isinstance(layout, FhirLayout)]


@settings(quiet, max_examples=20 * MORE)
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
    accepted = intake.responses[["source_row", "participant_id"]].drop_duplicates()
    spelled = [table.rows[row - layout.first_row][0].strip() for row in accepted["source_row"]]
    assert len(set(spelled)) == accepted["participant_id"].nunique() == len(intake.participants)
    assert len(set(zip(spelled, accepted["participant_id"], strict=True))) == len(set(spelled))


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
    pd.testing.assert_frame_equal(linked(first), linked(again))
    assert drifted(first) == drifted(again)
    pd.testing.assert_frame_equal(first.flags, again.flags)
    assert again.reconciliation.loc[1, "rows_accepted"] == 0


@settings(quiet, max_examples=8 * MORE)
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
    pd.testing.assert_frame_equal(linked(whole), linked(cut))
    assert drifted(whole) == drifted(cut)
    assert whole.flags["flag"].tolist() == cut.flags["flag"].tolist()
    counted = ["rows_accepted", "rows_quarantined", "cells_quarantined"]
    assert whole.reconciliation[counted].sum().tolist() == cut.reconciliation[counted].sum().tolist()


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "csv"])
@settings(quiet, max_examples=2 * MORE)
@given(data=st.data())
def test_what_is_written_in_a_format_is_read_back_as_the_same_responses(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    is_fhir = isinstance(layout, FhirLayout)
    answers = sound_answers if is_fhir else st.sampled_from(["0", "1", "2", "3", "-9", ""])
    table = data.draw(tables(answers, faults=False, spaces=not is_fhir))
    if is_fhir:  # an id of FHIR has letters, digits, - and . only
        table.rows = [[re.sub("[^A-Za-z0-9.-]", "-", row[0]), *row[1:]] for row in table.rows]
    with tempfile.TemporaryDirectory() as folder:
        as_csv = taken(deliver(Path(folder), LAYOUTS["csv"], table))
    with tempfile.TemporaryDirectory() as folder:
        intake = taken(deliver(Path(folder), layout, table))
    pd.testing.assert_frame_equal(told(as_csv), told(intake))
    if not is_fhir:
        pd.testing.assert_frame_equal(known(as_csv), known(intake))
    pd.testing.assert_frame_equal(linked(as_csv), linked(intake))
    assert len(told(intake)) == len(table.rows) * len(ITEMS)
    assert intake.responses["participant_id"].nunique() == len({row[0].strip() for row in table.rows})
    assert intake.responses["days_since_baseline"].notna().any()


LABELS = {"nie": 0, "selten – früh": 1, "öfter": 2, "täglich": 3}
OTHER_LABELS = {"never": 0, "rarely": 1, "often": 2, "daily": 3}
STEMS = {"gad-7": ("gad", 7), "phq-9": ("phq", 9)}
WAVES = {"baseline": "t1", "post": "t2"}
WRONG = "77"
"""Stands where corrections.csv puts something else; no item has it."""


@dataclass
class Truth:
    """A study as it is delivered, and what must come of it, worked out without the project."""

    document: dict[str, object]
    encoding: str
    files: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    corrections: list[list[str]] = field(default_factory=list)
    people: dict[tuple[str, int, str], tuple[object, ...]] = field(default_factory=dict)
    """File, row and timepoint -> who, arm, group and day."""
    answers: dict[tuple[str, int, str, str, str], str] = field(default_factory=dict)
    """File, row, timepoint, instrument and item -> the answer's code."""
    too_fast: set[tuple[object, str]] = field(default_factory=set)
    attended: dict[tuple[object, str], tuple[str, datetime.date]] = field(default_factory=dict)
    listed: set[tuple[str, int, str]] = field(default_factory=set)

    def write(self, folder: Path) -> Path:
        """Write the folder of the study."""
        (folder / "study.yaml").write_text(yaml.safe_dump(self.document, sort_keys=False))
        (folder / "sap.yaml").write_text(yaml.safe_dump(PLAN, sort_keys=False))
        for name, rows in self.files.items():
            header = list(dict.fromkeys(column for row in rows for column in row))
            lines = [header, *([row.get(column, "") for column in header] for row in rows)]
            (folder / name).write_bytes(as_text(lines, delimiter=";", quote_all=True).encode(self.encoding))
        if self.corrections:
            head = ["who", "when", "source", "row", "column", "old", "new", "why"]
            (folder / "corrections.csv").write_text(as_text([head, *self.corrections]))
        return folder


@dataclass(frozen=True)
class Shape:
    """How a generated study is declared."""

    timepoint: str
    who: str
    instruments: list[str]
    labels: list[dict[str, int]]
    crosswalk: bool
    groups: bool
    timed: bool
    dated: str

    def pattern(self, instrument: str, timepoint: str) -> str:
        """Return the pattern of the columns at a timepoint."""
        return self.at(f"{STEMS[instrument][0]}{'x' * (self.crosswalk and timepoint == 'post')}_{{n}}", timepoint)

    def at(self, column: str, timepoint: str) -> str:
        """Return a column of a timepoint."""
        return f"{column}_{WAVES[timepoint]}" if self.timepoint == "wide" else column

    def declare(self, path: str, timepoints: list[str], encoding: str) -> dict[str, object]:
        """Return a source as study.yaml has it."""
        everywhere = "{t}" if self.timepoint == "wide" else None
        items = {
            name: {one: self.pattern(name, one).replace(f"_{WAVES[one]}", "_{t}" if everywhere else f"_{WAVES[one]}")
                   for one in timepoints}
            for name in self.instruments
        }  # fmt: skip
        ways = {
            "column": {"column": "wave", "values": {"1": "baseline", "2": "post"}},
            "fixed": {"fixed": timepoints[0]},
            "wide": {"wide": {code: one for one, code in WAVES.items()}},
        }
        people = {"id": "pid", "code": {"code_from": ["born", "street"]}, "anonymous": {"anonymous": True}}
        suffix = "_{t}" if everywhere else ""
        return {
            "path": path, "format": "csv", "delimiter": ";",
            **({"encoding": encoding} if encoding == "cp1252" else {}),
            "participant_id": people[self.who],
            "timepoint": ways[self.timepoint],
            "answered_on": {"column": f"day{suffix}", "format": self.dated},
            "participant_columns": {"arm": {"column": "arm", "values": {"P": "peer", "U": "usual"}}, "age": "age"}
            | ({"group": "room"} if self.groups else {}),
            "instruments": {
                name: {"items": told if self.crosswalk else told[timepoints[0]]}
                | ({"labels": ["own", "other"][: len(self.labels)]} if self.labels else {})
                for name, told in items.items()
            },
            **({"quality": {"duration": {"column": f"took{suffix}", "at_least": 60}}} if self.timed else {}),
        }  # fmt: skip


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    return Shape(
        draw(st.sampled_from(["column", "fixed", "wide"])),
        draw(st.sampled_from(["id", "id", "code", "anonymous"])),
        draw(st.sampled_from([["gad-7"], ["gad-7", "phq-9"]])),
        draw(st.sampled_from([[], [LABELS], [LABELS, OTHER_LABELS]])),
        *draw(st.tuples(st.booleans(), st.booleans(), st.booleans())),
        draw(st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%m-%d-%y", "%d.%m.%Y %H:%M"])),
    )


@st.composite
def studies(draw: st.DrawFn) -> Truth:
    """Draw a declaration, the people and their answers, and lay them out as declared."""
    shape = draw(shapes())
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    names = [f"wave_{code}.csv" for code in WAVES.values()] if shape.timepoint == "fixed" else ["answers.csv"] * 2
    waves = [[one] for one in WAVES] if shape.timepoint == "fixed" else [[*WAVES]]
    document: dict[str, object] = STUDY | {
        "design": "repeated_cross_section" if shape.who == "anonymous" else "randomised",
        "label_sets": {"own": LABELS, "other": OTHER_LABELS},
        "sources": [
            shape.declare(name, told, encoding) for name, told in zip(dict.fromkeys(names), waves, strict=True)
        ],
    }
    truth = Truth(document, encoding)
    for place, person in enumerate(draw(ids())):
        both = st.sampled_from([[*WAVES], [*WAVES], ["baseline"], ["post"]])
        visits = [*WAVES] if shape.timepoint == "wide" or place == 0 else draw(both)
        row: dict[str, str] = {}
        for timepoint, day in zip(visits, days(draw, len(visits)), strict=True):
            if not row or shape.timepoint != "wide":
                row = draw(about(shape, place, person))
                truth.files.setdefault(names[[*WAVES].index(timepoint)], []).append(row)
            _visit(draw, shape, truth, names[[*WAVES].index(timepoint)], row, (place, person, timepoint, day))
    _break(draw, shape, truth)
    if shape.who == "id" and draw(st.booleans()):
        _log(draw, truth)
    return truth


@st.composite
def about(draw: st.DrawFn, shape: Shape, place: int, person: str) -> dict[str, str]:
    """Draw what a row tells of its person, in a spelling of its own where the spelling does not count."""
    around = draw(st.sampled_from(["{}", " {} ", "{} "]))
    street = draw(st.sampled_from(["Weg {}", "weg  {}", " WEG {}"])).format(place)
    who = {"id": {"pid": around.format(person)}, "code": {"born": f"m{place % 2}", "street": street}, "anonymous": {}}
    room = {"room": around.format(f"{'AB'[place // 2 % 2]}")} if shape.groups else {}
    return who[shape.who] | {"arm": "PU"[place % 2], "age": str(20 + 7 * place)} | room


def _visit(
    draw: st.DrawFn, shape: Shape, truth: Truth, name: str, row: dict[str, str],
    visit: tuple[int, str, str, datetime.date],
) -> None:  # fmt: skip
    """Write the answers of one person at one timepoint into a row, and what must come of them into the truth."""
    place, person, timepoint, day = visit
    number = len(truth.files[name]) + 1
    if shape.timepoint == "column":
        row["wave"] = {"baseline": "1", "post": "2"}[timepoint]
    is_told = draw(st.sampled_from([True, True, True, False]))
    row[shape.at("day", timepoint)] = day.strftime(shape.dated) if is_told else ""
    who = {"id": person.strip(), "code": place, "anonymous": (name, number)}[shape.who]
    group = "AB"[place // 2 % 2] if shape.groups else ""
    arm = ("peer", "usual")[place % 2]
    truth.people[name, number, timepoint] = (who, arm, group, day if is_told else None)
    spoke = False
    for instrument in shape.instruments:
        codes = draw(st.lists(st.sampled_from(["0", "1", "2", "3", "3", "-9", "", "8"]), min_size=STEMS[instrument][1],
                              max_size=STEMS[instrument][1]))  # fmt: skip
        for item, code in enumerate(codes, 1):
            column = shape.pattern(instrument, timepoint).replace("{n}", str(item))
            row[column] = _spell(code, draw(st.sampled_from(shape.labels or [{}])))
            truth.answers[name, number, timepoint, instrument, str(item)] = code
            truth.listed |= {(name, number, column)} if code == "8" else set()
            spoke |= code != ""
    if shape.timed:
        took = draw(st.sampled_from(["", "30", "59.5", "60", "400"]))
        row[shape.at("took", timepoint)] = took
        truth.too_fast |= {(who, timepoint)} if took in ("30", "59.5") and spoke else set()


def _spell(code: str, labels: Mapping[str, int]) -> str:
    """Return a code as a file has it: as it is, or as its label in capitals, which do not count."""
    return {str(told): text.upper() for text, told in labels.items()}.get(code, code)


def _break(draw: st.DrawFn, shape: Shape, truth: Truth) -> None:
    """Write a wrong answer that is corrected, a row that repeats another and one about nobody, or none of them."""
    name = next(iter(truth.files))
    if shape.who == "id" and draw(st.booleans()):
        last = [*truth.files][-1]
        truth.files[last] += [truth.files[last][-1], truth.files[last][-1] | {"pid": " "}]
        end = len(truth.files[last])
        truth.listed |= {(last, end, ""), (last, end + 1, "pid")}
    if draw(st.booleans()):
        column = shape.pattern("gad-7", "baseline").replace("{n}", "1")
        right = truth.files[name][0][column]
        truth.files[name][0] = truth.files[name][0] | {column: WRONG}
        truth.corrections.append(["ann", "2026-01-05", name, "2", column, WRONG, right, "misread"])


def _log(draw: st.DrawFn, truth: Truth) -> None:
    """Write an attendance log of two sessions, with a row about somebody who is not in the study."""
    truth.document["sessions"] = [{
        "path": "log.csv", "format": "csv", "delimiter": ";", "participant_id": "pid", "session": "week",
        "held_on": {"column": "held"}, "attended": {"column": "came", "values": {"1": "attended", "0": "absent"}},
        "encoding": truth.encoding,
    }]  # fmt: skip
    rows = []
    for who in dict.fromkeys(who for who, *_ in truth.people.values()):
        for week in ("1", "2"):
            came, day = draw(st.sampled_from("01")), datetime.date(2025, 4, 20) + datetime.timedelta(7 * int(week))
            rows.append({"pid": f" {who}", "week": week, "held": day.isoformat(), "came": came})
            truth.attended[who, week] = (("absent", "attended")[int(came)], day)
    truth.files["log.csv"] = [*rows, rows[0] | {"pid": "nobody"}]
    truth.listed.add(("log.csv", len(rows) + 2, "pid"))


def since(day: datetime.date | None, baseline: datetime.date | None) -> float | None:
    return float((day - baseline).days) if day and baseline else None


def plain(value: float) -> float | None:
    return None if math.isnan(value) else value


@settings(quiet, max_examples=30 * MORE)
@given(truth=studies())
def test_what_was_generated_is_what_arrives_or_is_listed_however_it_was_declared(truth: Truth) -> None:
    with tempfile.TemporaryDirectory() as folder:
        intake = taken(truth.write(Path(folder)))
    baselines = {who: day for (_, _, timepoint), (who, _, _, day) in truth.people.items() if timepoint == "baseline"}
    reasons = {"": "blank", "-9": "refused", "8": "quarantined"}
    expected = {}
    for (name, row, timepoint, instrument, item), code in truth.answers.items():
        who, *_, day = truth.people[name, row, timepoint]
        value = None if code in reasons else float(code)
        told_when = since(day, baselines.get(who))
        expected[name, row, timepoint, instrument, item] = (value, reasons.get(code, ""), told_when)
    place = ["source", "source_row", "timepoint", "instrument", "item"]
    arrived = {
        tuple(line[name] for name in place): (
            plain(line["value"]), line["missing_reason"], plain(line["days_since_baseline"])
        )
        for line in intake.responses.to_dict("records")
    }  # fmt: skip
    assert arrived == expected
    assert len(intake.responses) == len(expected)
    names = {
        (truth.people[line["source"], line["source_row"], line["timepoint"]][0], line["participant_id"])
        for line in intake.responses.to_dict("records")
    }
    called = dict(names)
    assert len(names) == len(called) == len(set(called.values())) == len(intake.participants)
    arms = {called[who]: arm for who, arm, *_ in truth.people.values()}
    assert dict(zip(intake.participants["participant_id"], intake.participants["arm"], strict=True)) == arms
    rooms = {called[who]: room for who, _, room, _ in truth.people.values()}
    paired = {(rooms[line["participant_id"]], line["group"]) for line in intake.participants.to_dict("records")}
    assert len(paired) == len({room for room, _ in paired}) == len({group for _, group in paired})
    flags = {(line["participant_id"], line["timepoint"]) for line in intake.flags.to_dict("records")}
    assert flags == {(called[who], timepoint) for who, timepoint in truth.too_fast}
    sessions = {
        (line["participant_id"], line["session"]): (line["attended"], plain(line["days_since_baseline"]))
        for line in intake.sessions.to_dict("records")
    }
    assert sessions == {
        (called[who], week): (came, since(day, baselines.get(who)))
        for (who, week), (came, day) in truth.attended.items()
    }
    listed = set(intake.quarantine[["source", "source_row", "column"]].itertuples(index=False, name=None))
    assert listed == truth.listed
    assert intake.unused_corrections == ()
    assert dict(zip(intake.reconciliation["source"], intake.reconciliation["rows_read"], strict=True)) == {
        name: len(rows) for name, rows in truth.files.items()
    }
