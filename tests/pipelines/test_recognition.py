"""Columns recognised as the items of instruments, on made-up tables."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from instruments import Instrument, load_library
from instruments.wording import Wording
from pipelines.proposing.anchors import compare_anchors
from pipelines.proposing.column_runs import find_runs, join_wide
from pipelines.proposing.recognition import ColumnRecognition, recognise_instruments
from pipelines.sources import RawTable


@pytest.fixture(scope="module")
def library() -> Mapping[str, Instrument]:
    return load_library()


def table(columns: Sequence[str], codes: Sequence[object] = (0, 1, 2, 3), **more: object) -> RawTable:
    rng = np.random.default_rng(5)
    cells = pd.DataFrame(rng.choice(np.array(codes, dtype=object), (60, len(columns))), columns=list(columns))
    return RawTable("made_up.csv", cells.astype("str"), 60, (), **more)  # type: ignore[arg-type]


def ids(found: ColumnRecognition) -> list[str]:
    return [one.instrument for one in found.instruments]


@pytest.mark.parametrize(
    ("pattern", "columns"),
    [
        ("phq_{n}", [f"phq_{n}" for n in range(1, 10)]),
        ("PHQ9_{nn}", [f"PHQ9_{n:02}" for n in range(1, 10)]),
        ("phq9{a}", [f"phq9{letter}" for letter in "abcdefghi"]),
        ("G1[PHQ0{nn}]", [f"G1[PHQ{n:03}]" for n in range(1, 10)]),
    ],
)
def test_a_run_of_columns_with_its_name_is_the_instrument(
    pattern: str, columns: list[str], library: Mapping[str, Instrument]
) -> None:
    (one,) = recognise_instruments(table(["pid", *columns]), library).instruments
    assert (one.instrument, one.pattern, one.columns) == ("phq-9", pattern, tuple(columns))
    assert one.anchors.verdict == "equal"


def test_one_pattern_at_two_waves_of_a_wide_file_is_joined() -> None:
    first, second = (tuple(f"phq_{t}_{n}" for n in (1, 2)) for t in ("pre", "post"))
    joined = join_wide({"phq_pre_{n}": first, "phq_post_{n}": second})
    assert joined is not None
    assert (joined.pattern, dict(joined.columns)) == ("phq_{t}_{n}", {"pre": first, "post": second})
    crosswalk = join_wide({"SCS_{n}": first, "SCS2_{n}": second})
    assert crosswalk is not None
    assert (crosswalk.pattern, list(crosswalk.columns)) == ("SCS{t}_{n}", ["", "2"])


def test_a_run_that_starts_later_is_a_list() -> None:
    (run,) = find_runs(["Q5", "Q6", "Q7"])
    assert (run.pattern, run.columns) == ("", ("Q5", "Q6", "Q7"))


def test_codes_that_are_one_too_high_are_said_to_be_shifted(library: Mapping[str, Instrument]) -> None:
    columns = [f"phq_{n}" for n in range(1, 10)]
    found = compare_anchors(table(columns, (1, 2, 3, 4)), columns, library["phq-9"])
    assert (found.verdict, dict(found.recode)) == ("shifted", {"1": 0, "2": 1, "3": 2, "4": 3})


def test_labels_at_other_codes_are_said_to_be_reversed(library: Mapping[str, Instrument]) -> None:
    columns = [f"phq_{n}" for n in range(1, 10)]
    labels = ["Nearly every day", "More than half the days", "Several days", "Not at all"]
    told = {column: {str(code): label for code, label in enumerate(labels)} for column in columns}
    found = compare_anchors(table(columns, answers=told), columns, library["phq-9"])
    assert (found.verdict, dict(found.recode)) == ("reversed", {"0": 3, "1": 2, "2": 1, "3": 0})


def test_part_of_the_codes_and_missing_codes_are_told_apart(library: Mapping[str, Instrument]) -> None:
    columns = [f"phq_{n}" for n in range(1, 10)]
    found = compare_anchors(table(columns, (0, 1, -9, 99)), columns, library["phq-9"])
    assert (found.verdict, found.missing) == ("part_of", ("-9", "99"))
    assert compare_anchors(table(columns, (0, 1, 2, 3, 4, 5)), columns, library["phq-9"]).verdict == "other"


def test_answers_in_the_words_of_the_definition_get_its_codes(library: Mapping[str, Instrument]) -> None:
    columns = [f"phq_{n}" for n in range(1, 10)]
    found = compare_anchors(table(columns, ("Not at all", "Several days")), columns, library["phq-9"])
    assert (found.verdict, dict(found.recode)) in [
        ("worded", {"Not at all": 0, "Several days": 1}),
        ("worded", {"Several days": 1, "Not at all": 0}),
    ]
    other = compare_anchors(table(columns, ("nunca", "siempre")), columns, library["phq-9"])
    assert (other.verdict, set(other.recode), set(other.recode.values())) == ("texts", {"nunca", "siempre"}, {None})


def test_words_that_only_one_person_wrote_are_not_told(library: Mapping[str, Instrument]) -> None:
    columns = [f"phq_{n}" for n in range(1, 10)]
    odd = table(columns, ("nunca", "siempre"))
    odd.cells.iloc[0, 0] = "as my neighbour Ada says"
    found = compare_anchors(odd, columns, library["phq-9"])
    assert "Ada" not in found.words + "".join(found.recode)


def test_without_a_name_only_the_one_instrument_with_these_codes_is_proposed(
    library: Mapping[str, Instrument],
) -> None:
    letters = [f"F1{chr(65 + place)}" for place in range(20)]
    (one,) = recognise_instruments(table([*letters, "CES_D"]), library).instruments
    assert (one.instrument, one.pattern, dict(one.delivered)) == ("ces-d", "F1{A}", {"total": "CES_D"})
    assert not one.is_named
    eight = recognise_instruments(table([f"Q{n}" for n in range(1, 9)], (1, 2, 3, 4, 5)), library)
    assert ids(eight) == []
    assert len(eight.unplaced[0].nearest) > 1


def test_an_instrument_with_missing_columns_is_not_proposed_but_told_as_nearest(
    library: Mapping[str, Instrument],
) -> None:
    found = recognise_instruments(table([f"gad7_{n}" for n in (1, 2, 3, 4, 5)]), library)
    assert ids(found) == []
    assert found.unplaced[0].nearest == ("gad-7",)


def test_questions_of_a_wording_overlay_decide(library: Mapping[str, Instrument]) -> None:
    words = {str(n): f"Invented question number {n}?" for n in range(1, 8)}
    wording = Wording(instrument="gad-7", language="en", holder="nobody", items=words)
    columns = [f"x{letter}y" for letter in "qwertyu"]
    asked = {column: f"Please say - {text.upper()}" for column, text in zip(columns, words.values(), strict=True)}
    (one,) = recognise_instruments(table(columns, questions=asked), library, [wording]).instruments
    assert (one.instrument, one.columns) == ("gad-7", tuple(columns))


def test_codes_of_a_variant_are_recognised_as_the_variant(library: Mapping[str, Instrument]) -> None:
    (one,) = recognise_instruments(table([f"ces_d_{n}" for n in range(1, 21)], (1, 2, 3, 4)), library).instruments
    assert (one.instrument, one.variants) == ("ces-d", ("one-to-four",))


def test_two_thousand_columns_take_seconds(library: Mapping[str, Instrument]) -> None:
    many = table([f"v{block}_{n}" for block in range(40) for n in range(50)])
    start = time.perf_counter()
    recognise_instruments(many, library)
    assert time.perf_counter() - start < 10
