"""Where items stand and what their texts mean: crosswalks by timepoint, questions as names, label sets, items not asked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.intake import Intake

from .folders import rewrite, taken

ITEMS = [f"gad_{n}" for n in range(1, 8)]
ENGLISH = ["Not at all", "Several days", "More than half the days", "Nearly every day"]
SPANISH = ["Ningún día", "Varios días", "Más de la mitad de los días", "Casi todos los días"]
LABEL_SETS = """\
label_sets:
  days_en: {Not at all: 0, Several days: 1, More than half the days: 2, Nearly every day: 3}
  days_es: {Ningún día: 0, Varios días: 1, Más de la mitad de los días: 2, Casi todos los días: 3}
sources:
"""


@pytest.fixture
def rename(small_study: Path) -> Callable[..., None]:
    """A function that changes answers.csv of the small study as a table of text."""

    def change(edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        path = small_study / "answers.csv"
        edit(pd.read_csv(path, dtype="str")).to_csv(path, index=False)

    return change


def answers_of(intake: Intake) -> pd.DataFrame:
    """Return what was answered, whatever the columns were called."""
    kept = intake.responses[["participant_id", "timepoint", "instrument", "item", "value", "missing_reason"]]
    return kept.sort_values(["participant_id", "timepoint", "item"]).reset_index(drop=True)


def test_items_that_have_another_name_at_each_timepoint_are_joined_by_a_crosswalk(
    small_study: Path, rename: Callable[..., None]
) -> None:
    before = taken(small_study)

    def two_names(table: pd.DataFrame) -> pd.DataFrame:
        later = {name: f"anx2_{name[-1]}" for name in ITEMS}
        at_post = table["wave"] == "2"
        other = table[ITEMS].where(at_post).rename(columns=later)
        return pd.concat([table.assign(**{name: table[name].where(~at_post) for name in ITEMS}), other], axis=1)

    rename(two_names)
    rewrite(small_study, ('{items: "gad_{n}"}', '{items: {baseline: "gad_{n}", post: "anx2_{n}"}}'))
    after = taken(small_study)
    pd.testing.assert_frame_equal(answers_of(before), answers_of(after))


def test_an_item_that_was_not_asked_has_no_answer_and_is_not_asked_for(
    small_study: Path, rename: Callable[..., None]
) -> None:
    rename(lambda table: table.drop(columns="gad_3"))
    listed = ", ".join("null" if name == "gad_3" else name for name in ITEMS)
    rewrite(small_study, ('items: "gad_{n}"', f"items: [{listed}]"))
    intake = taken(small_study)
    assert set(intake.responses["item"]) == {"1", "2", "4", "5", "6", "7"}
    assert intake.quarantine.empty


def test_a_crosswalk_may_leave_an_instrument_out_of_a_timepoint(small_study: Path) -> None:
    rewrite(small_study, ('items: "gad_{n}"', 'items: {post: "gad_{n}"}'))
    assert set(taken(small_study).responses["timepoint"]) == {"post"}


def test_texts_become_codes_by_label_sets_of_several_languages(small_study: Path, rename: Callable[..., None]) -> None:
    before = taken(small_study)

    def in_words(table: pd.DataFrame) -> pd.DataFrame:
        words = [ENGLISH, [text.upper() + " " for text in SPANISH]]
        spoken = [[words[place % 2][int(code)] for code in table[name]] for place, name in enumerate(ITEMS)]
        return table.assign(**dict(zip(ITEMS, spoken, strict=True)))

    rename(in_words)
    rewrite(small_study, ("sources:\n", LABEL_SETS), ('"gad_{n}"}', '"gad_{n}", labels: [days_en, days_es]}'))
    after = taken(small_study)
    pd.testing.assert_frame_equal(answers_of(before), answers_of(after))
    assert after.quarantine.empty


def test_with_labels_neither_another_text_nor_a_bare_code_is_an_answer(
    small_study: Path, rename: Callable[..., None]
) -> None:
    def in_words(table: pd.DataFrame) -> pd.DataFrame:
        spoken = table.assign(**{name: [ENGLISH[int(code)] for code in table[name]] for name in ITEMS})
        spoken.loc[[0, 1, 2], "gad_1"] = ["Often", "2", "-9"]
        return spoken

    rename(in_words)
    rewrite(small_study, ("sources:\n", LABEL_SETS), ('"gad_{n}"}', '"gad_{n}", labels: days_en}'))
    intake = taken(small_study)
    assert intake.quarantine[["source_row", "column", "rule", "severity"]].to_numpy().tolist() == [
        [2, "gad_1", "readable", "cell"],
        [3, "gad_1", "readable", "cell"],
    ]
    first = intake.responses.set_index(["source_row", "item"])
    assert first.loc[(2, "1"), "missing_reason"] == "quarantined"
    assert first.loc[(2, "1"), "raw"] == ""
    assert first.loc[(4, "1"), "missing_reason"] == "refused"


def test_codes_that_another_system_shifted_are_recoded_by_a_label_set(
    small_study: Path, rename: Callable[..., None]
) -> None:
    before = taken(small_study)
    rename(lambda table: table.assign(**{name: (table[name].astype(int) + 1).astype(str) for name in ITEMS}))
    shifted = "label_sets:\n  from_one: {1: 0, 2: 1, 3: 2, 4: 3}\nsources:\n"
    rewrite(small_study, ("sources:\n", shifted), ('"gad_{n}"}', '"gad_{n}", labels: from_one}'))
    pd.testing.assert_frame_equal(answers_of(before), answers_of(taken(small_study)))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("{Never: 0, Often: 9}", "'Often' stands for 9, which is no answer of gad-7."),
        ("{Never: 0, NEVER: 1}", "'NEVER' stands for two codes"),
    ],
)
def test_a_label_set_that_cannot_be_right_is_refused(small_study: Path, labels: str, told: str) -> None:
    rewrite(
        small_study,
        ("sources:\n", f"label_sets:\n  some: {labels}\nsources:\n"),
        ('"gad_{n}"}', '"gad_{n}", labels: some}'),
    )
    with pytest.raises(PeerimpactError, match=r"label_sets|labels") as refused:
        open_folder(small_study)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ('{begin: "gad_{n}"}', "Found 'begin'"),
        ("{baseline: [gad_1, gad_2]}", "Found 2 columns; gad-7 has 7 items."),
        ("{baseline: gad}", "names one column for 7 items"),
        ("[]", "The item columns are not told."),
    ],
)
def test_a_crosswalk_that_does_not_fit_is_refused_with_its_line(small_study: Path, items: str, told: str) -> None:
    rewrite(small_study, ('items: "gad_{n}"', f"items: {items}"))
    with pytest.raises(PeerimpactError) as refused:
        open_folder(small_study)
    assert told in str(refused.value)
    assert "study.yaml, line 20" in str(refused.value)


def test_a_column_may_be_called_by_the_question_that_the_export_tells(small_study: Path) -> None:
    table = pd.read_csv(small_study / "answers.csv", dtype="str")
    codes = ["Q1", "Q2", "Q3", "Q4", *[f"Q5_{n}" for n in range(1, 8)]]
    questions = ["Your code?", "Which wave?", "Arm", "How old are you?", *[f"Concept {n}" for n in range(1, 8)]]
    imports = [f'{{"ImportId":"QID{n}"}}' for n in range(len(codes))]
    lines = [codes, questions, imports, *table.to_numpy().tolist()]
    pd.DataFrame(lines).to_csv(small_study / "answers.csv", header=False, index=False)
    rewrite(
        small_study,
        ("format: csv", "format: qualtrics\n    keep_unfinished: true"),
        ("participant_id: pid", "participant_id: your  CODE?"),
        ("column: wave", "column: 'Which wave?'"),
        ("{arm: arm, age: age}", "{arm: Q3, age: 'How old are you?'}"),
        ('items: "gad_{n}"', 'items: "Concept {n}"'),
    )
    intake = taken(small_study)
    assert intake.quarantine["rule"].eq("second_header").all()
    assert len(intake.participants) == 60
    assert intake.participants["age"].notna().all()
    np.testing.assert_allclose(
        np.sort(intake.responses["value"]), np.sort(table[ITEMS].astype(float).to_numpy().ravel())
    )


def test_a_column_that_is_called_by_its_code_and_by_its_question_is_refused(small_study: Path) -> None:
    table = pd.read_csv(small_study / "answers.csv", dtype="str")
    questions = [name if name != "age" else "How old?" for name in table.columns]
    imports = [f'{{"ImportId":"QID{n}"}}' for n in range(len(questions))]
    lines = [table.columns.tolist(), questions, imports, *table.to_numpy().tolist()]
    pd.DataFrame(lines).to_csv(small_study / "answers.csv", header=False, index=False)
    rewrite(
        small_study,
        ("format: csv", "format: qualtrics\n    keep_unfinished: true"),
        ("{arm: arm, age: age}", "{arm: arm, age: 'How old?', site: age}"),
    )
    with pytest.raises(PeerimpactError, match="are one column of the file"):
        taken(small_study)
