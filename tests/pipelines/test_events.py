"""Events: lists of what happened give one table, every row is accounted for, nobody is named."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from data_contracts import PeerimpactError
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.intake import Intake, take_in
from pipelines.run import run_study
from pipelines.store import Store

from .folders import KEY, rewrite, taken

KINDS = """\
event_kinds:
  - {id: left, label: Left the programme}
  - {id: hospital, label: Stay in hospital}
"""
LIST = """\
events:
  - path: list.csv
    format: csv
    participant_id: who
    event: {column: what, values: {L: left, H: hospital, "0": null}}
    day: {column: happened, format: "%d/%m/%Y"}
"""
BY_TIMEPOINT = LIST.replace(
    'day: {column: happened, format: "%d/%m/%Y"}', "timepoint: {column: happened, values: {2: post}}"
)
HEADER = ["who", "what", "happened"]
GOOD = [["P00", "L", "15/01/2025"], ["P02", "H", "26/02/2025"], ["P02", "H", "27/02/2025"], ["P04", "H", "01/05/2025"]]
"""Day 14, the planned day of post (56 after baseline), the day after that, and day 120."""
PLACE = ["source_row", "column", "rule", "severity"]
Study = Callable[..., Path]


@pytest.fixture
def study(small_study: Path) -> Study:
    """A function that adds a list of events to the small study, whose people answered on one day at baseline."""

    def add(rows: list[list[str]], declared: str = LIST, header: list[str] | None = None) -> Path:
        answers = pd.read_csv(small_study / "answers.csv", dtype="str")
        answers["answered_on"] = answers["wave"].map({"1": "2025-01-01", "2": ""})
        answers.to_csv(small_study / "answers.csv", index=False)
        asked = "participant_columns: {arm: arm, age: age}"
        rewrite(small_study, (asked, f"{asked}\n    answered_on: {{column: answered_on}}"))
        text = (small_study / "study.yaml").read_text()
        (small_study / "study.yaml").write_text(text + KINDS + declared)
        pd.DataFrame(rows, columns=header or HEADER).to_csv(small_study / "list.csv", index=False)
        return small_study

    return add


def account(intake: Intake, source: str = "list.csv") -> list[int]:
    line = intake.reconciliation.set_index("source").loc[source]
    return line[["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded"]].to_list()


def test_a_list_gives_a_row_for_each_event_with_days_and_the_next_timepoint(study: Study) -> None:
    intake = taken(study(GOOD))
    assert intake.quarantine.empty
    assert account(intake) == [4, 4, 0, 0]
    events = intake.events
    assert events[["event", "timepoint", "days_since_baseline", "source", "source_row"]].to_numpy().tolist() == [
        ["left", "post", 14.0, "list.csv", 2],
        ["hospital", "post", 56.0, "list.csv", 3],
        ["hospital", "", 57.0, "list.csv", 4],
        ["hospital", "", 120.0, "list.csv", 5],
    ]
    assert set(events["participant_id"]) <= set(intake.participants["participant_id"])
    assert events["participant_id"].nunique() == 3


def test_events_up_to_the_day_of_baseline_belong_to_baseline(study: Study) -> None:
    rows = [["P00", "L", "01/01/2025"], ["P02", "H", "20/12/2024"], ["P04", "H", "02/01/2025"]]
    events = taken(study(rows)).events
    assert events["timepoint"].to_list() == ["baseline", "baseline", "post"]
    assert events["days_since_baseline"].to_list() == [0.0, -12.0, 1.0]


def test_where_somebody_answered_on_another_day_than_planned_their_own_day_counts(study: Study) -> None:
    folder = study(GOOD)
    answers = pd.read_csv(folder / "answers.csv", dtype="str", keep_default_na=False)
    answers.loc[(answers["pid"] == "P02") & (answers["wave"] == "2"), "answered_on"] = "2025-02-27"
    answers.to_csv(folder / "answers.csv", index=False)
    assert taken(folder).events["timepoint"].to_list() == ["post", "post", "post", ""]


def test_an_event_may_be_told_by_the_timepoint_at_which_it_was_known(study: Study) -> None:
    intake = taken(study([["P00", "L", "2"], ["P02", "H", "2"]], BY_TIMEPOINT))
    assert intake.quarantine.empty
    assert intake.events["timepoint"].to_list() == ["post", "post"]
    assert intake.events["days_since_baseline"].isna().all()


def test_a_list_of_everybody_has_a_day_only_for_those_to_whom_it_happened(study: Study) -> None:
    rows = [[f"P{number:02}", "15/01/2025" if number < 3 else ""] for number in range(20)]
    declared = LIST.replace('{column: what, values: {L: left, H: hospital, "0": null}}', "{fixed: left}")
    folder = study(rows, declared + declared.replace("events:\n", "").replace("left", "hospital"), ["who", "happened"])
    intake = taken(folder)
    assert account(intake) == account(intake, "list.csv (events)") == [20, 20, 0, 0]
    assert intake.events["event"].value_counts().to_dict() == {"left": 3, "hospital": 3}


def test_a_code_that_stands_for_nothing_is_accepted_and_gives_no_event(study: Study) -> None:
    intake = taken(study([*GOOD, ["P06", "0", ""], ["P99", "0", "whenever"]]))
    assert account(intake) == [6, 6, 0, 0]
    assert len(intake.events) == 4


def test_every_way_to_break_a_row_sets_it_aside_with_row_column_and_rule(study: Study) -> None:
    broken = [
        ["P99", "L", "15/01/2025"],
        ["", "L", "15/01/2025"],
        ["P06", "X", "15/01/2025"],
        ["P06", "", "15/01/2025"],
        ["P06", "L", "31/02/2025"],
        ["P06", "L", "after Easter"],
        ["P06", "L", ""],
        ["P06", "L", "15/01/1925"],
        ["P06", "L", "15/01/2052"],
        ["P06", "L", "-9"],
    ]
    intake = taken(study([*broken, *GOOD]))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [
        [2, "who", "known_participant", "row"],
        [3, "who", "not_missing", "row"],
        [4, "what", "known_event", "row"],
        [5, "what", "not_missing", "row"],
        [6, "happened", "readable", "row"],
        [7, "happened", "readable", "row"],
        [8, "happened", "not_missing", "row"],
        [9, "happened", "possible_day", "row"],
        [10, "happened", "possible_day", "row"],
        [11, "happened", "not_missing", "row"],
    ]
    assert account(intake) == [14, 4, 10, 0]
    assert len(intake.events) == 4
    reasons = intake.quarantine.set_index("source_row")
    assert "Allowed: L, H, 0." in reasons.loc[4, "reason"]
    assert "Allowed: -366 to 787." in reasons.loc[9, "reason"]
    assert reasons["how_to_fix"].str.len().gt(10).all()


def test_an_unknown_timepoint_sets_the_row_aside(study: Study) -> None:
    intake = taken(study([["P00", "L", "2"], ["P02", "H", "7"]], BY_TIMEPOINT))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [[3, "happened", "known_timepoint", "row"]]
    assert account(intake) == [2, 1, 1, 0]


def test_a_day_that_counts_from_nothing_is_set_aside(study: Study) -> None:
    folder = study(GOOD)
    answers = pd.read_csv(folder / "answers.csv", dtype="str", keep_default_na=False)
    answers.loc[answers["pid"] == "P04", "answered_on"] = ""
    answers.to_csv(folder / "answers.csv", index=False)
    intake = taken(folder)
    assert intake.quarantine[PLACE].to_numpy().tolist() == [[5, "happened", "baseline_day_told", "row"]]
    assert account(intake) == [4, 3, 1, 0]


def test_rows_and_files_that_repeat_are_excluded_and_two_stays_in_hospital_are_two(study: Study) -> None:
    folder = study([*GOOD, GOOD[1]])
    intake = taken(folder)
    assert intake.quarantine[PLACE].to_numpy().tolist() == [[6, "", "identical_duplicate", "excluded"]]
    assert account(intake) == [5, 4, 0, 1]
    assert (intake.events["event"] == "hospital").sum() == 3
    (folder / "list_2.csv").write_bytes((folder / "list.csv").read_bytes())
    rewrite(folder, ("path: list.csv", 'path: "list*.csv"'))
    again = taken(folder)
    assert account(again, "list_2.csv") == [5, 0, 0, 5]
    pd.testing.assert_frame_equal(again.events, intake.events)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_list_holds_every_row_is_accounted_for(study: Study, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = ["", "P00", "P02", "P99", "L", "H", "0", "15/01/2025", "1/1/25", "-9", "#N/A", "somebody", "2025-01-31"]
    intake = taken(study([[str(text) for text in rng.choice(texts, 3)] for _ in range(60)]))
    read, accepted, quarantined, excluded = account(intake)
    assert read == 60 == accepted + quarantined + excluded
    assert len(intake.events) <= accepted
    assert not intake.events.duplicated(["source", "source_row"]).any()


def test_a_file_with_answers_may_tell_of_events_too(study: Study) -> None:
    folder = study(GOOD)
    answers = pd.read_csv(folder / "answers.csv", dtype="str", keep_default_na=False)
    answers.assign(hospital=np.where(answers["pid"].eq("P10") & answers["wave"].eq("2"), "1", "0")).to_csv(
        folder / "answers.csv", index=False
    )
    own = "  - {path: answers.csv, format: csv, participant_id: pid, event: {column: hospital, values: {1: hospital, 0: null}}, timepoint: {column: wave, values: {1: baseline, 2: post}}}\n"
    (folder / "study.yaml").write_text((folder / "study.yaml").read_text() + own)
    intake = taken(folder)
    assert account(intake, "answers.csv (events)") == [120, 120, 0, 0]
    told = intake.events[intake.events["source"] == "answers.csv (events)"]
    assert told[["event", "timepoint"]].to_numpy().tolist() == [["hospital", "post"]]


def test_a_correction_mends_a_row_of_a_list(study: Study) -> None:
    folder = study([*GOOD, ["P06", "L", "15/01/1925"]])
    line = "ann,2026-01-05,list.csv,6,happened,15/01/1925,15/01/2025,the letter says 2025\n"
    (folder / "corrections.csv").write_text(f"who,when,source,row,column,old,new,why\n{line}")
    opened = open_folder(folder)
    intake = take_in(opened.study.value, opened.data_root, opened.library, KEY, opened.corrections)
    assert (account(intake), intake.unused_corrections) == ([5, 5, 0, 0], ())


@pytest.mark.parametrize("text", ["who,what,happened\n", "who,what,happened", "who,what,happened\n,,\n"])
def test_a_list_without_an_event_is_a_delivery_nothing_happened(study: Study, text: str) -> None:
    folder = study(GOOD)
    (folder / "list.csv").write_text(text)
    intake = taken(folder)
    assert intake.events.empty
    rows = intake.reconciliation.set_index("source").loc["list.csv"]
    assert (rows["rows_read"], rows["rows_accepted"]) == (text.count(",,"), 0)
    assert rows["rows_read"] == rows["rows_excluded"]


def test_a_study_without_events_has_an_empty_table(small_study: Path) -> None:
    intake = taken(small_study)
    assert intake.events.empty
    assert list(intake.reconciliation["source"]) == ["answers.csv"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("L: left", "L: gone", "'gone', which is not declared"),
        ("H: hospital", "H: left", "No source of 'events' tells of 'hospital'"),
        ("{id: hospital,", "{id: left,", "'left' stands more than once"),
        ('day: {column: happened, format: "%d/%m/%Y"}', "", "When it happened is told in exactly one way"),
        ("event: {column: what", "event: {fixed: left, column: what", "The event is told in exactly one way"),
        ("participant_id: who", "participant_id: {anonymous: true}", "Events are those of participants"),
        ("    answered_on: {column: answered_on}\n", "", "no source tells when these were given"),
        ("{-9: refused}", "{-9: refused, L: lost}", "'L' is also a code of an event"),
        (
            'day: {column: happened, format: "%d/%m/%Y"}',
            "timepoint: {column: happened, values: {2: later}}",
            "'later', which is not declared",
        ),
        ("column: what", "column: which", "which"),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_in_words(study: Study, before: str, after: str, words: str) -> None:
    folder = study(GOOD)
    rewrite(folder, (before, after))
    with pytest.raises(PeerimpactError, match=words):
        taken(folder)


def test_a_plan_can_name_only_events_and_items_that_the_study_has(study: Study) -> None:
    folder = study(GOOD)
    plan = (folder / "sap.yaml").read_text()
    for added, words in (
        ("harms: [{id: stay, event: hospitals}]", "Did you mean 'hospital'"),
        ("intercurrent_events: [{event: leave}]", "'leave', which is not declared"),
        ("harms: [{id: fear, instrument: gad-8, item: 1, at_least: 1}]", "Did you mean 'gad-7'"),
        ("harms: [{id: fear, instrument: gad-7, item: 8, at_least: 1}]", "'8', which is not declared"),
        ("harms: [{id: fear, instrument: gad-7, item: 1, at_least: 4}]", "lie between 0 and 3"),
    ):
        (folder / "sap.yaml").write_text(f"{plan}{added}\n")
        with pytest.raises(PeerimpactError, match=words):
            open_folder(folder)
    (folder / "sap.yaml").write_text(f"{plan}harms: [{{id: stay, event: hospital}}]\n")
    assert open_folder(folder).plan.value.harms[0].event == "hospital"


CANARIES = {
    "a name as the id": "Octavian Brackwaite",
    "an id that is somebody's": "P02",
    "a day": "27/02/2025",
    "a day as the store would have it": "2025-02-27",
    "free text for a day": "when Hildegund fell",
    "free text for an event": "overdose at Ferdinanda's",
    "free text in another column": "Dr Zoltanka rang",
}


def test_nothing_personal_of_a_list_leaves_it(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    day, name, when, what, note = (CANARIES[key] for key in ("a day", "a name as the id", "free text for a day",
                                                             "free text for an event", "free text in another column"))  # fmt: skip
    rows = [["P02", "H", day, note], [name, "L", day, note], ["P04", what, day, note], ["P06", "L", when, note]]
    rows += [[f"P{number:02}", "L", "20/01/2025", note] for number in range(20, 50)]
    folder = study(rows, header=[*HEADER, "note"])
    told = [CliRunner().invoke(app, ["check", str(folder), *more]).output for more in ([], ["--json"])]
    run_study(open_folder(folder))
    files = {str(path): path.read_bytes() for path in (folder / "output").iterdir() if path.is_file()}
    assert any(path.endswith("store.duckdb") for path in files)
    store = Store(open_folder(folder).store)
    tables = [store.load(table).to_csv() for table in ("events", "quarantine", "reconciliation", "linking", "drift")]
    assert [store.load("events").shape[0], store.load("quarantine").shape[0]] == [31, 3]
    for what_is_hidden, canary in CANARIES.items():
        digest = hashlib.sha256(canary.encode()).hexdigest()[:12]
        for text in [*told, *tables, caplog.text]:
            assert canary not in text, what_is_hidden
            assert digest not in text, what_is_hidden
        for path, content in files.items():
            assert canary.encode() not in content or canary == "P02", (what_is_hidden, path)
