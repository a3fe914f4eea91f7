"""Malformed inputs, one by one: the verdict names file, row and column, nothing else is lost, and no value is told."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from data_contracts.errors import PeerimpactError
from pipelines.checking import check_study
from pipelines.folder import open_folder
from pipelines.intake import Intake
from pipelines.sources.formats import OPTIONS

from .malformed import any_format, fhir_files, text_files, typed_files, workbooks
from .malformed.cases import Case
from .malformed.layouts import CANARY, ITEMS, LAYOUTS, sound_table, write_study

CASES = [case for each in (any_format, text_files, workbooks, typed_files, fhir_files) for case in each.list_cases()]
LEAST_CASES, LEAST_OF_A_FORMAT = 150, 12
BOOKS = ("excel", "kobo", "google_forms", "microsoft_forms")
TEXTS = ("csv", "qualtrics", "redcap", "kobo", "limesurvey", "google_forms", "microsoft_forms")
LIMITS = {
    "oversize": tuple(OPTIONS),
    "truncated": tuple(OPTIONS),
    "encoding": tuple(OPTIONS),
    "decimal comma": tuple(OPTIONS),
    "serial date": tuple(OPTIONS),
    "day and month": tuple(OPTIONS),
    "ragged": (*TEXTS, "excel", "fhir"),
    "nul": (*TEXTS, "excel", "parquet", "fhir"),
    "zip bomb": BOOKS,
    "entities": (*BOOKS, "fhir"),
    "silent": tuple(OPTIONS),
}
"""Kind of case -> the formats that can be broken so. Columns of SPSS, Stata and Parquet cannot be ragged, and a NUL is
the end of a text of SPSS and Stata.
"""
Take = Callable[[str], Intake]


def take_in(folder: Path) -> Intake:
    return check_study(open_folder(folder)).intake


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Take:
    """The intake of the sound study in a layout, taken in once."""

    @cache
    def take(layout: str) -> Intake:
        return take_in(write_study(tmp_path_factory.mktemp("sound") / "small", LAYOUTS[layout]))

    return take


def answers(intake: Intake) -> dict[tuple[str, ...], float]:
    told = intake.responses[intake.responses["value"].notna()]
    keys = told[["participant_id", "timepoint", "instrument", "item"]].itertuples(index=False, name=None)
    return dict(zip(keys, told["value"], strict=True))


def about(intake: Intake) -> set[tuple[str, str, object]]:
    """What is known of each participant."""
    people = intake.participants.melt("participant_id", ["arm", "age"])
    return set(people[people["value"].notna()].itertuples(index=False, name=None))


def lines(quarantine: pd.DataFrame) -> Counter[tuple[object, ...]]:
    return Counter(
        quarantine[["source", "source_row", "column", "rule", "severity"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_malformed_input_gets_its_verdict_and_nothing_else_is_lost(tmp_path: Path, sound: Take, case: Case) -> None:
    layout = LAYOUTS[case.layout]
    folder = write_study(tmp_path / "small", layout)
    case.damage(folder, layout)
    if case.refused:
        with pytest.raises(PeerimpactError) as error:
            take_in(folder)
        found = Counter((one.code, one.file, one.line, one.key) for one in error.value.problems)
        assert found == Counter((one.code, one.file or layout.source, one.line, one.column) for one in case.refused)
        assert all(one.how_to_fix for one in error.value.problems)
        assert CANARY not in str(error.value)
        return
    intake, whole = take_in(folder), sound(case.layout)
    expected = Counter((one.source or layout.source, one.row, one.column, one.rule, one.severity) for one in case.told)
    assert lines(intake.quarantine) == lines(whole.quarantine) + expected
    assert CANARY not in intake.quarantine.to_csv() + intake.reconciliation.to_csv()
    assert intake.quarantine["how_to_fix"].ne("").all()
    before, after = answers(whole), answers(intake)
    assert after.items() <= before.items()
    assert len(before) - len(after) == case.lost
    assert about(intake) <= about(whole)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_sound_study_is_taken_in_whole(sound: Take, name: str) -> None:
    intake = sound(name)
    assert len(answers(intake)) == len(ITEMS) * len(sound_table().rows)
    assert (intake.reconciliation["rows_quarantined"] == 0).all()
    assert len(intake.participants) == 6
    assert intake.participants["age"].notna().all()


def test_ids_that_other_programs_take_for_nothing_or_for_a_number_are_participants(tmp_path: Path) -> None:
    ids = dict(zip(range(1, 7), ("NA", "null", "None", "007", "7", "1e3"), strict=True))
    for name in any_format.IN_FULL:
        layout = LAYOUTS[name]
        folder = write_study(tmp_path / name, layout)
        table = sound_table()
        for record in range(len(table.rows)):
            table.put(record, "pid", ids[record // 2 + 1])
        layout.save(folder, table)
        intake = take_in(folder)
        assert len(answers(intake)) == len(ITEMS) * len(table.rows), name
        assert len(intake.participants) == len(ids), name
        assert intake.like_ids["differ_in"].tolist() == ["leading zeros"], name


def test_there_are_enough_cases_of_every_format_and_of_every_limit() -> None:
    assert len(CASES) >= LEAST_CASES
    assert len({case.name for case in CASES}) == len(CASES)
    formats = Counter(case.format for case in CASES)
    assert set(formats) == set(OPTIONS)
    assert min(formats.values()) >= LEAST_OF_A_FORMAT, formats
    for kind, can_be in LIMITS.items():
        assert set(can_be) == {case.format for case in CASES if case.kind == kind}, kind


def test_every_case_has_one_verdict_and_every_sound_row_a_value_that_none_may_tell() -> None:
    assert not [case.name for case in CASES if case.refused and (case.told or case.lost)]
    assert all(row[0].startswith(CANARY) and CANARY in row[5] for row in sound_table().rows)
