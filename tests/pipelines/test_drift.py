"""Drift: what changes between deliveries is told with the advice, what is declared is not, and nobody is named."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

from data_contracts import DataContractError, PeerimpactError, require, shipped_contract
from pipelines.assets.common import check_and_store
from pipelines.cli import app
from pipelines.deliveries import read_deliveries
from pipelines.drift.columns import find_column_drift
from pipelines.drift.find import require_no_error
from pipelines.drift.findings import Drift, list_occasions
from pipelines.drift.labels import find_label_drift
from pipelines.folder import open_folder
from pipelines.intake import take_in
from pipelines.run import run_study

STUDY = """\
study: small
title: A small study
design: single_group
timepoints:
  - {id: baseline, week: 0}
  - {id: post, week: 8}
arms:
  - {id: peer, label: Peer support}
missing_codes: {-9: refused}
"""
FIRST = """\
sources:
  - path: start.sav
    format: spss
    participant_id: pid
    timepoint: {fixed: baseline}
    instruments:
      gad-7: {items: "gad_{n}"}
"""
SECOND = """\
  - path: later.sav
    format: spss
    participant_id: pid
    timepoint: {fixed: post}
    instruments:
      gad-7: {items: "gad_{n}"}
"""
LATER_IN_REDCAP = """\
  - path: later.csv
    format: redcap
    dictionary: dictionary.csv
    participant_id: record_id
    timepoint: {fixed: post}
    instruments:
      gad-7: {items: "gad{n}"}
"""
PLAN = """\
sap: 1
outcomes:
  - {id: anxiety, measure: gad-7.total, role: primary}
estimands:
  - {id: anxiety_post, outcome: anxiety, contrast: post - baseline, timepoint: post}
"""
ITEMS = [f"gad_{n}" for n in range(1, 8)]
NO, FEW, MORE, ALL = "not at all", "several days", "more than half the days", "nearly every day"
LABELS = {0: NO, 1: FEW, 2: MORE, 3: ALL, -9: "refused"}
TOPICS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]
PEOPLE = 80


@pytest.fixture
def start() -> pd.DataFrame:
    return answers(seed=3)


@pytest.fixture
def later() -> pd.DataFrame:
    return answers(seed=4)


def answers(seed: int) -> pd.DataFrame:
    """Answers of the same people at one timepoint; ids are texts that stand nowhere else."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(PEOPLE, 1))
    given = np.clip(np.round(1.0 + 0.8 * level + rng.normal(0, 0.7, (PEOPLE, 7))), 0, 3).astype(int)
    table = pd.DataFrame(given.astype(str), columns=ITEMS)
    table.insert(0, "pid", [f"Quill{person:03}" for person in range(PEOPLE)])
    return table


def write_sav(
    folder: Path,
    name: str,
    table: pd.DataFrame,
    labels: Mapping[int, str] | None = LABELS,
    topics: list[str] | None = TOPICS,
) -> None:
    items = [column for column in table.columns if column.startswith("gad_")]
    pyreadstat.write_sav(
        table.astype(dict.fromkeys(items, "float64")),
        folder / name,
        variable_value_labels={c: {float(code): text for code, text in labels.items()} for c in items}
        if labels
        else {},
        column_labels={c: f"{n}. About {topics[int(c[4:]) - 1]}" for n, c in enumerate(items, 1)} if topics else {},
    )


def write_redcap(folder: Path, table: pd.DataFrame, choices: str, topics: list[str]) -> None:
    names = {"pid": "record_id"} | {item: item.replace("_", "") for item in ITEMS}
    table.rename(columns=names).to_csv(folder / "later.csv", index=False)
    header = ["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
              "Choices, Calculations, OR Slider Labels"]  # fmt: skip
    fields = [["record_id", "anxiety", "", "text", "Record", ""]]
    fields += [[f"gad{n}", "anxiety", "", "radio", f"About {topic}", choices] for n, topic in enumerate(topics, 1)]
    pd.DataFrame(fields, columns=header).to_csv(folder / "dictionary.csv", index=False)


def declare(folder: Path, *sources: str, labels: str = "") -> Path:
    (folder / "study.yaml").write_text(STUDY + labels + "".join(sources))
    (folder / "sap.yaml").write_text(PLAN)
    return folder


def drift_of(folder: Path) -> pd.DataFrame:
    """Return the findings of a whole intake."""
    opened = open_folder(folder)
    return take_in(opened.study.value, opened.data_root, opened.library, bytes(range(32))).drift


def told_by_files(folder: Path) -> list[Drift]:
    """Return the findings that the files alone tell, without their answers."""
    opened = open_folder(folder)
    study = opened.study.value
    files = read_deliveries(study, opened.data_root, opened.library)
    occasions = list_occasions(study, files, opened.library)
    return [
        *find_label_drift(study, opened.library, occasions),
        *find_column_drift(study, files, opened.library, occasions, frozenset()),
    ]


def grave(drift: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Return severity, kind, source and timepoint of the errors and warnings."""
    lines = drift[drift["severity"] != "info"]
    return list(lines[["severity", "kind", "source", "timepoint"]].itertuples(index=False, name=None))


def test_deliveries_that_are_alike_have_nothing_to_tell(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_sav(tmp_path, "later.sav", later)
    assert drift_of(declare(tmp_path, FIRST, SECOND)).empty


def test_the_synthetic_example_has_no_drift(project: Path) -> None:
    assert grave(drift_of(project / "examples" / "harbour")) == []


@pytest.mark.real_data
def test_the_help_trial_has_no_drift(project: Path, shared: Path) -> None:
    opened = open_folder(project / "tests" / "real_data" / "help", data_root=shared / "data" / "help_trial")
    drift = take_in(opened.study.value, opened.data_root, opened.library, bytes(range(32))).drift
    assert grave(drift) == []
    assert drift["kind"].tolist() == ["column_unmapped"]


@pytest.mark.parametrize(
    ("labels", "severity", "found"),
    [
        ({1: NO, 2: FEW, 3: MORE, 4: ALL}, "error", "1, 2, 3, 4"),
        ({1: "nie", 2: "mal", 3: "oft", 4: "immer"}, "error", "1, 2, 3, 4"),
        ({0: ALL, 1: MORE, 2: FEW, 3: NO}, "error", "0, 1, 2, 3"),
        ({0: NO, 1: FEW, 2: MORE}, "warning", "0, 1, 2"),
        ({0: NO, 1: FEW, 2: MORE, 3: ALL, 4: "always"}, "warning", "0, 1, 2, 3, 4"),
        ({0: NO, 3: ALL}, None, ""),
        (LABELS | {99: "does not know"}, None, ""),
    ],
)
def test_codes_that_a_file_declares_are_held_against_the_instrument(
    tmp_path: Path, start: pd.DataFrame, labels: dict[int, str], severity: str | None, found: str
) -> None:
    write_sav(tmp_path, "start.sav", start, labels)
    lines = told_by_files(declare(tmp_path, FIRST))
    assert [(line.severity, line.kind, line.found, line.expected) for line in lines] == (
        [(severity, "codes_differ", found, "0, 1, 2, 3")] if severity else []
    )


def test_codes_that_study_yaml_translates_are_no_finding(tmp_path: Path, start: pd.DataFrame) -> None:
    shifted = start.assign(**{item: start[item].astype(int) + 1 for item in ITEMS})
    write_sav(tmp_path, "start.sav", shifted, {1: NO, 2: FEW, 3: MORE, 4: ALL})
    (line,) = told_by_files(declare(tmp_path, FIRST))
    label_set = 'label_sets: {gad-7_codes: {"1": 0, "2": 1, "3": 2, "4": 3}}'
    assert label_set in line.how_to_fix
    declared = FIRST.replace('"gad_{n}"}', '"gad_{n}", labels: gad-7_codes}')
    assert drift_of(declare(tmp_path, declared, labels=label_set + "\n")).empty
    wrong = 'label_sets: {gad-7_codes: {"1": 3, "2": 2, "3": 1, "4": 0}}\n'
    (line,) = told_by_files(declare(tmp_path, declared, labels=wrong))
    assert (line.severity, line.kind) == ("error", "codes_differ")


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({0: "nie", 1: "mal", 2: "oft", 3: "immer"}, None),
        ({0: "immer", 1: "oft", 2: "mal", 3: "nie"}, "error"),
        ({0: "nie", 1: "mal", 2: "oft", 3: "fast immer"}, "warning"),
        ({0: "nunca", 1: "a veces", 2: "a menudo", 3: "siempre"}, "info"),
        ({0: "NIE", 1: "mal ", 2: "oft", 3: "Immer"}, None),
    ],
)
def test_labels_are_compared_between_files_in_any_language(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame, labels: dict[int, str], severity: str | None
) -> None:
    write_sav(tmp_path, "start.sav", start, {0: "nie", 1: "mal", 2: "oft", 3: "immer"})
    write_sav(tmp_path, "later.sav", later, labels)
    lines = told_by_files(declare(tmp_path, FIRST, SECOND))
    assert [(line.severity, line.kind, line.source) for line in lines] == (
        [(severity, "labels_changed", "later.sav")] if severity else []
    )


@pytest.mark.parametrize(
    ("topics", "severity", "name"),
    [
        ([*TOPICS[1:], "theta"], "error", "gad-7 1, 2, 3, 4, 5, 6"),
        (["beta", "alpha", *TOPICS[2:]], "error", "gad-7 1, 2"),
        ([*TOPICS[:6], "something else"], "warning", "gad-7 7"),
        ([f"{topic} then" for topic in TOPICS], "info", "gad-7 1, 2, 3, 4, 5, 6, 7"),
        ([f" {topic.upper()} 12" for topic in TOPICS], None, ""),
    ],
)
def test_questions_are_compared_item_by_item_over_two_systems(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame, topics: list[str], severity: str | None, name: str
) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_redcap(tmp_path, later, f"0, {NO} | 1, {FEW} | 2, {MORE} | 3, {ALL}", topics)
    lines = told_by_files(declare(tmp_path, FIRST, LATER_IN_REDCAP))
    assert [(line.severity, line.kind, line.source, line.name) for line in lines] == (
        [(severity, "question_changed", "later.csv", name)] if severity else []
    )


def test_choices_that_another_system_codes_in_reverse_stop_the_run_and_are_listed_by_check(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_redcap(tmp_path, later, f"0, {ALL} | 1, {MORE} | 2, {FEW} | 3, {NO}", TOPICS)
    declare(tmp_path, FIRST, LATER_IN_REDCAP)
    checked = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert checked.exit_code == 2
    assert "error: later.csv, gad1, gad2, gad3 ... gad7 (7)" in checked.output
    assert f"{PEOPLE} participants: baseline + post" in checked.output
    told = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "--json"]).output)
    assert [one["kind"] for one in told["drift"]] == ["codes_differ"]
    assert told["linkage"][0] == {"source": "", "timepoints": "baseline + post", "participants": PEOPLE}
    with pytest.raises(PeerimpactError, match=r"later\.csv, gad1.*not those of the instrument") as caught:
        run_study(open_folder(tmp_path))
    assert not (tmp_path / "output" / "store.duckdb").exists()
    assert not (tmp_path / "output" / "report.html").exists()
    assert "Quill" not in checked.output + str(caught.value) + json.dumps(told)


def test_columns_of_another_wave_are_proposed_as_a_crosswalk(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    both = pd.concat([
        start.assign(wave="1"),
        later.rename(columns={item: item.replace("_", "2_") for item in ITEMS}).assign(wave="2"),
    ]).fillna("")  # fmt: skip
    both.to_csv(tmp_path / "both.csv", index=False)
    source = FIRST.replace("start.sav", "both.csv").replace("spss", "csv")
    source = source.replace("{fixed: baseline}", "{column: wave, values: {1: baseline, 2: post}}")
    drift = drift_of(declare(tmp_path, source))
    assert grave(drift) == [
        ("warning", "item_not_asked", "both.csv", "post"),
        ("warning", "column_unmapped", "both.csv", "post"),
    ]
    line = 'gad-7: {items: {baseline: "gad_{n}", post: "gad2_{n}"}}'
    assert drift["how_to_fix"].iloc[1].endswith(line)
    assert drift_of(declare(tmp_path, source.replace('gad-7: {items: "gad_{n}"}', line))).empty
    only_baseline = source.replace('gad-7: {items: "gad_{n}"}', 'gad-7: {items: {baseline: "gad_{n}"}}')
    declared = told_by_files(declare(tmp_path, only_baseline))
    assert [(one.severity, one.kind, one.timepoint) for one in declared] == [
        ("warning", "column_unmapped", "post"),
        ("info", "item_not_asked", "post"),
    ]


def test_new_and_gone_columns_are_told_by_name_only_where_it_is_a_name(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    start.assign(browser="x", extra="y").to_csv(tmp_path / "part_1.csv", index=False)
    later.assign(browser="x", gad_8="1", note="y", **{"ann@example.org": "1", "447700900": "1"}).to_csv(
        tmp_path / "part_2.csv", index=False
    )
    source = FIRST.replace("start.sav", "part_*.csv").replace("spss", "csv")
    lines = told_by_files(declare(tmp_path, source))
    of = {(line.kind, line.severity): line for line in lines if line.source == "part_2.csv"}
    assert of["column_new", "warning"].column == "gad_8, note"
    assert of["column_new", "warning"].told.startswith("4 columns are")
    assert of["column_gone", "info"].column == "extra"
    nearest = [line for line in lines if line.kind == "column_unmapped" and line.column == "gad_8"]
    assert [line.expected[:4] for line in nearest] == ["gad_"]
    assert not any("ann@" in str(line) or "447700900" in str(line) for line in lines)


def test_a_question_that_nobody_answers_at_one_timepoint_is_told_unless_it_is_declared(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_sav(tmp_path, "later.sav", later.assign(gad_3=np.nan))
    drift = drift_of(declare(tmp_path, FIRST, SECOND))
    assert grave(drift) == [("warning", "item_not_asked", "later.sav", "post")]
    assert drift.loc[0, ["column", "name"]].tolist() == ["gad_3", "gad-7 3"]
    columns = ", ".join("null" if item == "gad_3" else item for item in ITEMS)
    declared = drift_of(declare(tmp_path, FIRST, SECOND.replace('"gad_{n}"', f"[{columns}]")))
    assert declared[["severity", "kind", "column", "name"]].to_numpy().tolist() == [
        ["info", "column_unmapped", "gad_3", ""],
        ["info", "item_not_asked", "", "gad-7 3"],
    ]


def test_a_timepoint_that_nobody_has_come_to_yet_is_no_dropped_question(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    after = later[ITEMS].add_suffix("_T2")
    wide = start.rename(columns={item: f"{item}_T1" for item in ITEMS})
    source = FIRST.replace("start.sav", "wide.csv").replace("spss", "csv").replace("gad_{n}", "gad_{n}_{t}")
    declare(tmp_path, source.replace("{fixed: baseline}", "{wide: {T1: baseline, T2: post}}"))
    for answered, severity in (
        (after.assign(gad_1_T2=""), "warning"),
        (after.assign(**dict.fromkeys(after, "")), "info"),
    ):
        wide.join(answered).to_csv(tmp_path / "wide.csv", index=False)
        drift = drift_of(tmp_path)
        assert drift[["severity", "kind", "timepoint"]].to_numpy().tolist() == [[severity, "item_not_asked", "post"]]


def test_verdicts_of_drift_are_shown_as_a_check(tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_sav(tmp_path, "later.sav", later.assign(gad_3=np.nan))
    drift = drift_of(declare(tmp_path, FIRST, SECOND))
    shown, clean = (check_and_store(shipped_contract("drift"), table, {}).check_results for table in (drift, drift[:0]))
    assert [(one.passed, one.severity.name) for one in shown] == [(False, "WARN")]
    assert "nothing_to_look_at (warning)" in shown[0].description
    assert [one.passed for one in clean] == [True]


def test_shifted_codes_are_told_from_the_answers_alone(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    write_sav(tmp_path, "start.sav", start, None)
    write_sav(tmp_path, "later.sav", later.assign(**{c: later[c].astype(int) + 1 for c in ITEMS}), None)
    drift = drift_of(declare(tmp_path, FIRST, SECOND))
    assert grave(drift) == [("error", "range_changed", "later.sav", "post")]
    assert drift.loc[0, ["found", "expected"]].tolist() == ["1 to 4", "0 to 3"]
    with pytest.raises(PeerimpactError, match="shifted by"):
        require_no_error(drift)
    with pytest.raises(DataContractError, match="no_grave_drift"):
        require(drift, shipped_contract("drift"))
    hidden = {c: later[c].astype(int).add(1).clip(upper=3) for c in ITEMS}
    write_sav(tmp_path, "later.sav", later.assign(**hidden), None)
    assert grave(drift_of(tmp_path)) == [("warning", "range_changed", "later.sav", "post")]


def draw(seed: int, people: int, mean: float, lowest: int = 1) -> pd.DataFrame:
    """Answers in four steps from `lowest` on, each drawn by itself; `mean` is that of 0 to 3."""
    given = np.random.default_rng(seed).binomial(3, mean / 3, (people, 7)) + lowest
    table = pd.DataFrame(given.astype(str), columns=ITEMS)
    return table.assign(pid=[f"Quill{seed}x{person}" for person in range(people)])


def declare_csv(folder: Path, **tables: pd.DataFrame) -> Path:
    """Write tables, and declare `start` and the pattern `later*`, as far as there are any."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    sources = [text.replace("spss", "csv") for text in (FIRST.replace(".sav", ".csv"), SECOND.replace(".sav", "*.csv"))]
    if "start" not in tables:
        sources[0] = "sources:\n"
    return declare(folder, *sources[: 1 + any(name.startswith("later") for name in tables)])


@pytest.mark.parametrize(("people", "mean"), [(150, 0.75), (150, 0.45), (25, 1.03), (6, 1.5)])
def test_codes_that_are_shifted_in_all_waves_are_an_error(tmp_path: Path, people: int, mean: float) -> None:
    declare_csv(tmp_path, start=draw(1, people, mean), later=draw(2, people, mean))
    drift = drift_of(tmp_path)
    assert grave(drift) == [
        ("error", "range_changed", "start.csv", "baseline"),
        ("error", "range_changed", "later.csv", "post"),
    ]
    assert drift["how_to_fix"].str.contains('{"1": 0, "2": 1, "3": 2, "4": 3}', regex=False).all()
    assert drift["how_to_fix"].str.contains("missing_codes").all()


@pytest.mark.parametrize(("people", "strays"), [(150, 1), (150, 4), (25, 1)])
def test_a_stray_lowest_code_does_not_hide_a_shift(tmp_path: Path, people: int, strays: int) -> None:
    later = draw(2, people, 1.0)
    later.loc[: strays - 1, "gad_1"] = "0"
    drift = drift_of(declare_csv(tmp_path, start=draw(1, people, 1.0, lowest=0), later=later))
    assert grave(drift) == [("error", "range_changed", "later.csv", "post")]


def test_the_files_of_a_pattern_are_looked_at_together(tmp_path: Path) -> None:
    sites = {f"later_{site}": draw(seed, 4, 1.4) for site, seed in (("a", 21), ("b", 22), ("c", 23))}
    assert all(table[ITEMS].size < 30 for table in sites.values())
    drift = drift_of(declare_csv(tmp_path, start=draw(1, 60, 1.0, lowest=0), **sites))
    assert grave(drift) == [("error", "range_changed", "later*.csv", "post")]


def test_files_of_a_pattern_that_are_all_shifted_are_told_once(tmp_path: Path) -> None:
    sites = {f"later_{site}": draw(seed, 20, 0.9) for site, seed in (("a", 21), ("b", 22), ("c", 23))}
    drift = drift_of(declare_csv(tmp_path, start=draw(1, 60, 0.9, lowest=0), **sites))
    assert grave(drift) == [("error", "range_changed", "later*.csv", "post")]


def test_the_one_file_of_a_pattern_that_is_shifted_is_told_alone(tmp_path: Path) -> None:
    sites = {f"later_{n}": draw(20 + n, 20, 1.2, lowest=int(n == 2)) for n in (1, 2, 3)}
    (line,) = grave(drift_of(declare_csv(tmp_path, start=draw(1, 60, 1.2, lowest=0), **sites)))
    assert line == ("error", "range_changed", "later_2.csv", "post")


def test_few_people_who_answer_many_items_show_a_shift(tmp_path: Path) -> None:
    drift = drift_of(declare_csv(tmp_path, start=draw(1, 25, 1.1, lowest=0), later=draw(2, 25, 1.03)))
    assert grave(drift) == [("error", "range_changed", "later.csv", "post")]


@pytest.mark.parametrize("people", [12, 25])
def test_a_shift_without_a_code_beyond_the_end_is_a_warning(tmp_path: Path, people: int) -> None:
    later = draw(2, people, 0.9)
    later[ITEMS] = later[ITEMS].replace("4", "3")
    drift = drift_of(declare_csv(tmp_path, start=draw(1, people, 0.9, lowest=0), later=later))
    assert grave(drift) == [("warning", "range_changed", "later.csv", "post")]


def test_a_lowest_code_that_nobody_has_in_any_wave_is_a_warning(tmp_path: Path) -> None:
    table = draw(1, 40, 0.9)
    table[ITEMS] = table[ITEMS].replace("4", "3")
    assert grave(drift_of(declare_csv(tmp_path, start=table))) == [
        ("warning", "range_changed", "start.csv", "baseline")
    ]


@pytest.mark.parametrize(
    ("slips", "seldom", "severities"), [(0, 0.05, []), (2, 0.05, []), (4, 0.05, []), (0, 0.3, ["warning"])]
)
def test_answers_that_avoid_the_lowest_code_are_no_error(
    tmp_path: Path, slips: int, seldom: float, severities: list[str]
) -> None:
    """Self-efficacy from 1 to 4: hardly anybody says 1, some say 2, and a few typed 5."""
    rng = np.random.default_rng(5)
    items = [f"gse_{n}" for n in range(1, 11)]
    table = pd.DataFrame(rng.choice([2, 3, 4], (PEOPLE, 10), p=[seldom, 0.5, 0.5 - seldom]), columns=items)
    table.iloc[:slips, 0] = 5
    table.assign(pid=[f"Quill{n}" for n in range(PEOPLE)]).to_csv(tmp_path / "start.csv", index=False)
    source = FIRST.replace(".sav", ".csv").replace("spss", "csv")
    declare(tmp_path, source.replace('gad-7: {items: "gad_{n}"}', 'gse-10: {items: "gse_{n}"}'))
    (tmp_path / "sap.yaml").write_text(PLAN.replace("gad-7.total", "gse-10.total"))
    assert [(line[0], line[1]) for line in grave(drift_of(tmp_path))] == [(one, "range_changed") for one in severities]


def test_a_few_typing_errors_are_no_shift(tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame) -> None:
    typed = later.copy()
    typed.loc[:3, "gad_1"] = "4"
    write_sav(tmp_path, "start.sav", start, None)
    write_sav(tmp_path, "later.sav", typed, None)
    assert drift_of(declare(tmp_path, FIRST, SECOND)).empty


def test_an_item_that_runs_against_the_others_at_one_wave_is_told(
    tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame
) -> None:
    write_sav(tmp_path, "start.sav", start)
    write_sav(tmp_path, "later.sav", later.assign(gad_5=3 - later["gad_5"].astype(int)))
    drift = drift_of(declare(tmp_path, FIRST, SECOND))
    assert grave(drift) == [("warning", "item_order", "later.sav", "post")]
    assert drift.loc[0, "name"] == "gad-7 5"


def test_items_that_the_instrument_reverses_are_turned_before_they_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    for name, turned in (("start.csv", (2, 4, 6)), ("later.csv", (4, 6))):
        level = rng.normal(size=(PEOPLE, 1))
        given = np.clip(np.round(3 + level + rng.normal(0, 0.6, (PEOPLE, 6))), 1, 5).astype(int)
        table = pd.DataFrame(given, columns=[f"brs_{n}" for n in range(1, 7)])
        table = table.assign(**{f"brs_{n}": 6 - table[f"brs_{n}"] for n in turned}, pid=answers(seed=1)["pid"])
        table.to_csv(tmp_path / name, index=False)
    sources = [text.replace(".sav", ".csv").replace("spss", "csv") for text in (FIRST, SECOND)]
    declare(tmp_path, *[text.replace('gad-7: {items: "gad_{n}"}', 'brs-6: {items: "brs_{n}"}') for text in sources])
    (tmp_path / "sap.yaml").write_text(PLAN.replace("gad-7.total", "brs-6.total"))
    drift = drift_of(tmp_path)
    assert grave(drift) == [("warning", "item_order", "later.csv", "post")]
    assert drift.loc[0, "name"] == "brs-6 2"


def test_dates_in_another_format_are_told(tmp_path: Path, start: pd.DataFrame, later: pd.DataFrame) -> None:
    start.assign(day="2025-01-31").to_csv(tmp_path / "start.csv", index=False)
    later.assign(day="31/03/2025").to_csv(tmp_path / "later.csv", index=False)
    sources = [text.replace(".sav", ".csv").replace("spss", "csv") for text in (FIRST, SECOND)]
    dated = [text.replace("    instruments:", "    answered_on: day\n    instruments:") for text in sources]
    dated = [text.replace("answered_on: day", "answered_on: {column: day}") for text in dated]
    assert grave(drift_of(declare(tmp_path, *dated))) == [("warning", "date_format", "later.csv", "")]
    dated[1] = dated[1].replace("{column: day}", "{column: day, format: '%d/%m/%Y'}")
    assert drift_of(declare(tmp_path, *dated)).empty


def test_numbers_in_another_unit_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    for name, top in (("start.csv", 101), ("later.csv", 11)):
        table = pd.DataFrame({"pid": [f"Quill{n}" for n in range(PEOPLE)], "taken": rng.integers(0, top, PEOPLE)})
        table.to_csv(tmp_path / name, index=False)
    sources = [text.replace(".sav", ".csv").replace("spss", "csv") for text in (FIRST, SECOND)]
    sources = [text.replace('gad-7: {items: "gad_{n}"}', "adherence-vas: {items: taken}") for text in sources]
    declare(tmp_path, *sources)
    (tmp_path / "sap.yaml").write_text(PLAN.replace("gad-7.total", "adherence-vas.total"))
    assert grave(drift_of(tmp_path)) == [("warning", "range_changed", "later.csv", "post")]


def test_drift_is_the_same_whatever_the_run_and_changes_no_input(tmp_path: Path, start: pd.DataFrame) -> None:
    write_sav(tmp_path, "start.sav", start, {1: NO, 2: FEW, 3: MORE, 4: ALL})
    declare(tmp_path, FIRST)
    first, second = drift_of(tmp_path), drift_of(tmp_path)
    pd.testing.assert_frame_equal(first, second)
    assert first["severity"].tolist() == sorted(first["severity"], key=["error", "warning", "info"].index)
