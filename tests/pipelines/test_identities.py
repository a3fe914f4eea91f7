"""Who is linked over timepoints, and whom a person may want to link: proposals only, and never an id."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_contracts import require, shipped_contract
from pipelines.corrections import load_corrections
from pipelines.declarations import Export
from pipelines.deliveries import ExportFile
from pipelines.errors import PipelineError
from pipelines.folder import open_folder
from pipelines.identities import MOST_ALIKE, count_linked, find_like_ids, tell_linking
from pipelines.intake import take_in
from pipelines.sources import RawTable

PARTS = ["initial", "month", "street"]
ROWS = ["source", "source_row", "timepoint"]


def export(name: str, ids: Sequence[str] | pd.DataFrame) -> ExportFile:
    """A file of ids in one column, or of self-generated codes in several."""
    cells = ids if isinstance(ids, pd.DataFrame) else pd.DataFrame({"pid": list(ids)})
    told = {"code_from": list(cells.columns)} if len(cells.columns) > 1 else "pid"
    declared = Export.model_validate({"path": name, "format": "csv", "participant_id": told})
    cells = cells.astype("str").set_axis(pd.RangeIndex(2, len(cells) + 2, name="source_row"))
    return ExportFile(declared, RawTable(name, cells, len(cells), ()), name)


def codes(*lines: str) -> pd.DataFrame:
    return pd.DataFrame([line.split() for line in lines], columns=PARTS)


def rows_of(*files: tuple[ExportFile, str]) -> pd.DataFrame:
    lines = [(file.table.source, row, timepoint) for file, timepoint in files for row in file.table.cells.index]
    return pd.DataFrame(lines, columns=ROWS)


def test_codes_that_differ_in_one_part_are_proposed_with_the_line_to_fill_in(tmp_path: Path) -> None:
    first = export("first.csv", codes("A 05 elm", "B 11 oak", "C 02 ash"))
    later = export("later.csv", codes("A 5 elm", "B 12 oak", "D 03 fir"))
    found = find_like_ids([first, later], rows_of((first, "baseline"), (later, "post")))
    assert found[["source_row", "like_source_row", "differ_in"]].to_numpy().tolist() == [
        [2, 2, "leading zeros"],
        [3, 3, "part 2 of the code"],
    ]
    assert found["correction"].tolist() == [",,later.csv,2,month,,,same person", ",,later.csv,3,month,,,same person"]
    log = tmp_path / "corrections.csv"
    log.write_text("who,when,source,row,column,old,new,why\n" + found["correction"].iloc[1] + "\n")
    with pytest.raises(PipelineError, match="does not tell who, when"):
        load_corrections(tmp_path)
    log.write_text(log.read_text().replace(",,later.csv,3,month,,,", "ann,2026-01-05,later.csv,3,month,12,11,"))
    assert [(one.row, one.old, one.new) for one in load_corrections(tmp_path)] == [(3, "12", "11")]


def test_codes_of_one_timepoint_and_codes_of_two_parts_are_never_near(tmp_path: Path) -> None:
    first, later = export("first.csv", codes("A 05 elm", "A 07 elm")), export("later.csv", codes("B 05 elm"))
    at_once = find_like_ids([first, later], rows_of((first, "post"), (later, "post")))
    assert at_once.empty
    two = [export(name, pd.DataFrame([line], columns=PARTS[:2]))
           for name, line in (("a.csv", ["A", "05"]), ("b.csv", ["A", "06"]))]  # fmt: skip
    assert find_like_ids(two, rows_of((two[0], "baseline"), (two[1], "post"))).empty


def test_a_code_with_many_near_matches_tells_people_too_little_apart_to_propose_any() -> None:
    first = export("first.csv", codes("A 05 elm"))
    few = export("few.csv", codes(*[f"A {month:02} elm" for month in (6, 7, 8)]))
    many = export("many.csv", codes(*[f"A {month:02} elm" for month in (6, 7, 8, 9)]))
    assert len(find_like_ids([first, few], rows_of((first, "baseline"), (few, "post")))) == 3
    assert find_like_ids([first, many], rows_of((first, "baseline"), (many, "post"))).empty


def test_parts_of_a_code_do_not_run_into_each_other() -> None:
    first, later = export("first.csv", codes("AB 1 23")), export("later.csv", codes("A B1 23", "AB 12 3"))
    assert find_like_ids([first, later], rows_of((first, "baseline"), (later, "post"))).empty


def test_the_pairs_are_those_that_comparing_everybody_with_everybody_finds() -> None:
    rng = np.random.default_rng(5)
    shapes = ["{n}", "{n:03}", "p{n}", "P-{n}", "ML{n}"]
    drawn = [[shapes[rng.integers(5)].format(n=rng.integers(1, 40)) for _ in range(60)] for _ in range(3)]
    files = [export(f"file_{place}.csv", ids) for place, ids in enumerate(drawn)]
    found = find_like_ids(files)

    def bare(text: str) -> str:
        return "".join(c for c in text if c.isalnum()).lower()

    def zeros(text: str) -> str:
        letters = "".join(c for c in bare(text) if c.isalpha())
        return letters + str(int("".join(c for c in text if c.isdigit())))

    def slightest(one: str, other: str) -> str:
        together = any(one in ids and other in ids for ids in drawn)
        if bare(one) == bare(other):
            return "case and punctuation"
        if zeros(one) == zeros(other):
            return "leading zeros"
        numbers = [int("".join(c for c in text if c.isdigit())) for text in (one, other)]
        return "letters around the number" if numbers[0] == numbers[1] and not together else ""

    ids = list(dict.fromkeys(one for each in drawn for one in each))
    expected = sorted(
        slightest(one, other) for place, one in enumerate(ids) for other in ids[place + 1 :] if slightest(one, other)
    )
    assert len(expected) > 20
    assert sorted(found["differ_in"]) == expected


def test_of_many_ids_that_are_alike_the_first_are_compared() -> None:
    spelled = [f"a{'-' * n}1" for n in range(MOST_ALIKE + 15)]
    assert len(find_like_ids([export("one.csv", spelled)])) == MOST_ALIKE * (MOST_ALIKE - 1) // 2


def test_nobody_is_alike_where_nobody_has_an_id() -> None:
    assert find_like_ids([]).empty
    assert find_like_ids([export("one.csv", ["", " "])]).empty


def test_participants_are_counted_by_the_timepoints_at_which_they_answered() -> None:
    rows = pd.DataFrame(
        [
            ("p1", "a.csv", "baseline", True),
            ("p1", "b.csv", "post", True),
            ("p2", "a.csv", "baseline", True),
            ("p2", "b.csv", "post", False),
            ("p3", "b.csv", "post", True),
            ("p4", "a.csv", "baseline", False),
        ],
        columns=["participant_id", "source", "timepoint", "answers_anything"],
    )
    counted = count_linked(rows, ["baseline", "post"])
    assert counted.to_numpy().tolist() == [
        ["", "baseline + post", 1],
        ["", "baseline", 1],
        ["", "post", 1],
        ["", "no answers", 1],
        ["a.csv", "baseline", 2],
        ["a.csv", "no answers", 1],
        ["b.csv", "post", 2],
        ["b.csv", "no answers", 1],
    ]


def test_the_linking_report_obeys_its_contract_and_names_nobody(small_study: Path) -> None:
    rows = pd.read_csv(small_study / "answers.csv", dtype="str")
    rows.loc[1, "pid"] = "p-00"
    rows.to_csv(small_study / "answers.csv", index=False)
    opened = open_folder(small_study)
    intake = take_in(opened.study.value, opened.data_root, opened.library, bytes(range(32)))
    linking = intake.linking
    require(linking, shipped_contract("linking"))
    told = linking[linking["source"] == ""].set_index("timepoints")["participants"].to_dict()
    assert told == {"baseline + post": 59, "baseline": 1, "post": 1}
    (proposal,) = linking[linking["kind"] == "proposal"].to_dict("records")
    assert (proposal["source_row"], proposal["like_source_row"]) == (2, 3)
    assert (
        not linking.astype("str").apply(lambda column: column.str.contains(r"P00|p-00|p_[0-9a-f]{24}")).any(axis=None)
    )
    assert tell_linking(intake.linkage, intake.like_ids.head(0))["kind"].eq("linked").all()
