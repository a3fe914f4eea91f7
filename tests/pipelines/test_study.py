"""Study definitions: what they may say, and what the other rooms learn from them."""

from pathlib import Path

import pytest

from analysis.design import Arm, Timepoint
from data_contracts import PeerimpactError
from instruments import load_library
from pipelines.declarations import InstrumentColumns, item_columns
from pipelines.folder import open_folder
from pipelines.schemas import main, render_schemas
from pipelines.study import load_study

SINGLE = [
    ("design: randomised", "design: single_group"),
    ("  - {id: usual, label: Usual care, reference: true}\n", ""),
    ("{arm: arm, age: age}", "{age: age}"),
]


def rewrite(folder: Path, *changes: tuple[str, str], name: str = "study.yaml") -> None:
    text = (folder / name).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / name).write_text(text)


def test_the_design_is_in_time_order_and_knows_every_measure(small_study: Path) -> None:
    rewrite(
        small_study,
        (
            "  - {id: baseline, week: 0}\n  - {id: post, week: 8}",
            "  - {id: post, week: 8}\n  - {id: baseline, week: 0, label: Start}",
        ),
    )
    design = open_folder(small_study).design
    assert design.timepoints == (Timepoint("baseline", "Start", 0), Timepoint("post", "post", 8))
    assert design.arms == (Arm("peer", "Peer support"), Arm("usual", "Usual care", True))
    measure = design.measures["gad-7.total"]
    assert (measure.minimum, measure.maximum, measure.higher_is, measure.instrument) == (0, 21, "worse", "gad-7")


def test_a_single_group_has_one_arm_that_every_row_belongs_to(small_study: Path) -> None:
    rewrite(small_study, *SINGLE)
    rewrite(small_study, ("peer - usual", "post - baseline"), name="sap.yaml")
    assert open_folder(small_study).design.reference is None


def test_a_single_group_is_compared_with_its_own_baseline_only(small_study: Path) -> None:
    rewrite(small_study, *SINGLE)
    with pytest.raises(PeerimpactError, match="Write 'post - baseline'"):
        open_folder(small_study)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (", reference: true", "", "A comparison needs two arms or more, one with 'reference: true'"),
        ("week: 8", "week: 0", "Two timepoints stand at the same week"),
        ("id: post,", "id: baseline,", "'baseline' stands more than once"),
        ("range: [18, 99]", "levels: {1: young}", "A number covariate has 'range' and no 'levels'"),
        ("{id: age, kind", "{id: arm, kind", "Rename the covariate"),
        ("2: post}", "2: pots}", "Did you mean 'post'"),
        ("{column: wave, values: {1: baseline, 2: post}}", "{column: wave}", "told in exactly one way"),
        (
            "{column: wave, values: {1: baseline, 2: post}}",
            "{wide: {T1: baseline}}",
            "Write {t} where the timepoint stands",
        ),
        ("format: csv", "format: csv\n    sheet: A", "not an option of format csv"),
        ("format: csv", "format: cvs", "Did you mean 'csv'"),
        ('"gad_{n}"', "gad", "names one column for 7 items"),
        ('"gad_{n}"', "[a, b]", "Found 2 columns; gad-7 has 7 items"),
        ('"gad_{n}"', '"gad_{n}", delivered: {sum: x}', "Allowed: total"),
        ("age: age}", "aeg: age}", "Did you mean 'age'"),
        ("{-9: refused}", "{0: refused}", "'0' is also a possible value of gad-7"),
        ("{-9: refused}", "{99: refused}", "'99' is also a possible value of age"),
        ("range: [18, 99]", "range: [99, 18]", "the lower one first"),
        ("week: 8", "week: 1e999", "Found inf"),
        ("age: age}", "age: age}\n    answered_on: {column: age, format: '%Q'}", "cannot be read with the format"),
        ('"gad_{n}"', "5", "Write a pattern such as"),
        ("missing_codes:", "recruitment: {eligible: 5, invited: 9}\nmissing_codes:", "9 were invited of 5 eligible"),
        (
            "missing_codes:",
            "measures: [{id: gad-7.total, label: A, concept: a, range: [0, 1], higher_is: better}]\nmissing_codes:",
            "is a score of the library",
        ),
        ("study: small", "study: Small Study", "Write a name of lower-case letters"),
    ],
)
def test_a_study_that_contradicts_itself_is_told_so(small_study: Path, before: str, after: str, words: str) -> None:
    rewrite(small_study, (before, after))
    with pytest.raises(PeerimpactError) as caught:
        load_study(small_study, load_library())
    assert words in str(caught.value)
    assert all(problem.line for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("q{n}", ["q1", "q2", "q3"]), ("q{nn}", ["q01", "q02", "q03"]), ("F{A}", ["FA", "FB", "FC"]), ("f{a}_{t}", ["fa_T1", "fb_T1", "fc_T1"]),
     (["x", "y_{t}", "z"], ["x", "y_T1", "z"])],
)  # fmt: skip
def test_item_columns_are_filled_in_from_a_pattern_or_a_list(pattern: str | list[str], expected: list[str]) -> None:
    assert item_columns(InstrumentColumns(items=pattern).items_at(""), 3, "T1") == expected


def test_the_schemas_in_the_documentation_are_those_of_the_models(project: Path, tmp_path: Path) -> None:
    assert main(["--check", str(project / "docs")]) == 0
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == render_schemas()


def test_a_comparison_at_the_baseline_is_told_to_be_one(small_study: Path) -> None:
    rewrite(small_study, ("timepoint: post", "timepoint: baseline"), name="sap.yaml")
    with pytest.raises(PeerimpactError, match=r"'baseline' is the baseline\. Name a later one: post"):
        open_folder(small_study)
