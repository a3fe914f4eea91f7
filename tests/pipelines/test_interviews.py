"""Interviews: tables of coders give judgements and quotations, every row is accounted for, nobody is named."""

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
from pipelines.intake import Intake
from pipelines.interviews.quotations import looks_personal
from pipelines.run import run_study
from pipelines.store import Store

from .folders import rewrite, taken

DECLARED = """\
themes:
  - {id: belonging, label: Belonging, definition: People say that they are among their own.}
  - {id: practical, label: Practical help, definition: People say what they learned to do.}
interviews:
  - path: codings.csv
    format: csv
    participant_id: who
    excerpt: excerpt
    coder: coder
    theme: {column: theme, values: {B: belonging, P: practical}}
    quotation: quote
    consented: {column: may_quote, values: {y: yes, n: no}}
"""
HEADER = ["who", "excerpt", "coder", "theme", "quote", "may_quote"]
GOOD = [
    ["P00", "1", "Ann", "B", "I was not alone any more.", "y"],
    ["P00", "1", "Bea", "B", "", ""],
    ["P00", "2", "Ann", "", "", ""],
    ["P00", "2", "Bea", "P", "", ""],
    ["P02", "1", "Ann", "P", "They showed me how to ask.", "y"],
]
PLACE = ["source_row", "column", "rule", "severity"]
Study = Callable[..., Path]


@pytest.fixture
def study(small_study: Path) -> Study:
    """A function that adds a table of codings to the small study."""

    def add(rows: list[list[str]], declared: str = DECLARED, header: list[str] | None = None) -> Path:
        (small_study / "study.yaml").write_text((small_study / "study.yaml").read_text() + declared)
        pd.DataFrame(rows, columns=header or HEADER).to_csv(small_study / "codings.csv", index=False)
        return small_study

    return add


def account(intake: Intake, source: str = "codings.csv") -> list[int]:
    line = intake.reconciliation.set_index("source").loc[source]
    return line[["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded"]].to_list()


def test_a_table_gives_a_row_for_each_judgement_and_the_consented_quotations(study: Study) -> None:
    intake = taken(study(GOOD))
    assert intake.quarantine.empty
    assert account(intake) == [5, 5, 0, 0]
    codings = intake.codings
    assert list(codings) == ["participant_id", "excerpt", "coder", "theme", "source", "source_row"]
    assert codings["theme"].to_list() == ["belonging", "belonging", "", "practical", "practical"]
    assert set(codings["participant_id"]) <= set(intake.participants["participant_id"])
    assert codings["excerpt"].str.fullmatch("x_[0-9a-f]{24}").all()
    assert codings["excerpt"].nunique() == 3, "excerpt 1 of another person is another excerpt"
    assert set(codings["coder"]) == {1, 2}
    assert codings["coder"].iloc[0] == codings["coder"].iloc[2] == codings["coder"].iloc[4]
    assert intake.quotations.to_numpy().tolist() == [
        ["belonging", "I was not alone any more.", "codings.csv", 2],
        ["practical", "They showed me how to ask.", "codings.csv", 6],
    ]


def test_names_of_coders_count_without_case_and_spaces_and_their_numbers_follow_no_alphabet(study: Study) -> None:
    names = ["Ann", "ann ", "Bea", "Cleo", "Dora", "Eve", "Fay"]
    rows = [["P00", str(number), name, "B", "", ""] for number, name in enumerate(names)]
    coders = taken(study(rows)).codings["coder"].to_list()
    assert coders[0] == coders[1]
    assert sorted(set(coders)) == [1, 2, 3, 4, 5, 6]
    assert coders[1:] != sorted(coders[1:])


def test_every_way_to_break_a_row_sets_it_aside_with_row_column_and_rule(study: Study) -> None:
    broken = [
        ["P99", "1", "Ann", "B", "Words of nobody.", "y"],
        ["", "1", "Ann", "B", "", ""],
        ["P04", "", "Ann", "B", "", ""],
        ["P04", "1", "", "B", "", ""],
        ["P04", "1", "Ann", "X", "Words without a theme.", "y"],
        ["P04", "1", "Ann", "-9", "", ""],
        ["P04", "1", "Ann", "B", "", ""],
        ["P04", "1", "Ann", "B", "", ""],
        ["P04", "1", "Ann", "B", "Another quotation.", "y"],
    ]
    intake = taken(study([*broken, *GOOD]))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [
        [2, "who", "known_participant", "row"],
        [3, "who", "not_missing", "row"],
        [4, "excerpt", "not_missing", "row"],
        [5, "coder", "not_missing", "row"],
        [6, "theme", "known_theme", "row"],
        [9, "", "identical_duplicate", "excluded"],
        [10, "", "duplicate_judgement", "row"],
    ]
    assert account(intake) == [14, 7, 6, 1]
    assert len(intake.codings) == 7
    assert len(intake.quotations) == 2
    reasons = intake.quarantine.set_index("source_row")
    assert "Allowed: B, P." in reasons.loc[6, "reason"]
    assert reasons["how_to_fix"].str.len().gt(10).all()


WITHHELD = [
    ("A secret of Hildegund.", "n", "no_consent"),
    ("A secret of Zoltanka.", "", "no_consent"),
    ("A secret of Ferdinand.", "perhaps", "known_consent"),
    ("Write to me: tom@example.org", "y", "looks_personal"),
    ("tom (at) example (dot) org", "y", "looks_personal"),
    ("Call 0151 / 234-567", "y", "looks_personal"),
    ("It is all on example.org", "y", "looks_personal"),
    ("See https://here", "y", "looks_personal"),
    ("Number 12345678 they called me.", "y", "looks_personal"),
    ("Ask P00 about it.", "y", "names_a_participant"),
    ("word " * 201, "y", "quotation_too_long"),
]


def withheld_rows() -> list[list[str]]:
    return [["P06", str(place), "Ann", "B", quote, told] for place, (quote, told, _) in enumerate(WITHHELD)]


def test_a_quotation_that_may_not_be_kept_leaves_its_judgement(study: Study) -> None:
    intake = taken(study([*GOOD, *withheld_rows()]))
    assert intake.quarantine[PLACE].to_numpy().tolist() == [
        [7 + place, "quote", rule, "cell"] for place, (_, _, rule) in enumerate(WITHHELD)
    ]
    assert account(intake) == [16, 16, 0, 0]
    assert (len(intake.codings), len(intake.quotations)) == (16, 2)
    for quote, _, _ in WITHHELD:
        assert quote.strip() not in intake.quotations.to_csv() + intake.quarantine.to_csv()


@pytest.mark.parametrize(
    "text",
    [
        "I was at home. We talked.",
        "In 2025 I came 12 times, at 7.30 p.m.",
        "It took 5, 6, perhaps 7 weeks.",
        "e.g. tea",
    ],
)
def test_an_ordinary_sentence_does_not_look_personal(text: str) -> None:
    assert not looks_personal(text)


def test_a_long_number_does_not_hide_behind_letters_that_nobody_sees() -> None:
    assert looks_personal("12\u200b34\u200b56")
    assert looks_personal("tom\uff20example")


def test_a_no_holds_for_the_whole_excerpt_and_wherever_the_words_stand(study: Study) -> None:
    rows = [
        ["P00", "1", "Ann", "B", "I was not alone.", "y"],
        ["P00", "1", "Bea", "B", "", "n"],
        ["P02", "1", "Ann", "B", "We laughed a lot.", "y"],
        ["P99", "7", "Ann", "B", "we  laughed a LOT.", "n"],
        ["P04", "1", "Ann", "B", "Tea helped.", "y"],
    ]
    intake = taken(study(rows))
    assert intake.quotations["text"].to_list() == ["Tea helped."]
    assert (intake.quarantine["rule"] == "no_consent").sum() == 2


def test_a_quotation_without_a_theme_is_set_aside_and_one_told_twice_is_kept_once(study: Study) -> None:
    rows = [
        ["P00", "1", "Ann", "B", "Among friends.", "y"],
        ["P00", "1", "Bea", "B", "Among  friends.", "y"],
        ["P00", "2", "Bea", "", "Nothing said.", "y"],
    ]
    intake = taken(study(rows))
    assert intake.quotations["text"].to_list() == ["Among friends."]
    assert intake.quarantine[PLACE].to_numpy().tolist() == [[4, "quote", "quotation_without_theme", "cell"]]


def test_quotations_of_other_people_come_before_a_second_one_of_the_same(study: Study) -> None:
    rows = [[who, str(number), "Ann", "B", f"Words {number}.", "y"] for number, who in enumerate(["P00", "P00", "P02"])]
    assert taken(study(rows)).quotations["text"].to_list() == ["Words 0.", "Words 2.", "Words 1."]


def test_coders_may_deliver_a_file_each_and_a_file_that_is_delivered_twice_is_excluded(study: Study) -> None:
    folder = study([row for row in GOOD if row[2] == "Ann"])
    pd.DataFrame([row for row in GOOD if row[2] == "Bea"], columns=HEADER).to_csv(folder / "codings_2.csv", index=False)
    (folder / "codings_3.csv").write_bytes((folder / "codings_2.csv").read_bytes())
    rewrite(folder, ("path: codings.csv", 'path: "codings*.csv"'))
    intake = taken(folder)
    assert [account(intake, f"codings{number}.csv") for number in ("", "_2", "_3")] == [
        [3, 3, 0, 0],
        [2, 2, 0, 0],
        [2, 0, 0, 2],
    ]
    assert intake.codings.groupby("excerpt")["coder"].nunique().to_list() in ([1, 2, 2], [2, 1, 2], [2, 2, 1])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_table_holds_every_row_is_accounted_for(study: Study, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = ["", "P00", "P02", "P99", "1", "B", "P", "-9", "#N/A", "Ann", "y", "n", "tom@example.org", "words"]
    intake = taken(study([[str(text) for text in rng.choice(texts, 6)] for _ in range(80)] + GOOD))
    read, accepted, quarantined, excluded = account(intake)
    assert read == 85 == accepted + quarantined + excluded
    assert len(intake.codings) == accepted >= 1
    places = intake.quarantine[intake.quarantine["severity"] != "cell"][["source", "source_row"]].drop_duplicates()
    assert len(places) == quarantined + excluded


def test_an_excel_table_is_read_and_a_study_without_interviews_has_empty_tables(
    study: Study, small_study: Path
) -> None:
    intake = taken(small_study)
    assert intake.codings.empty
    assert intake.quotations.empty
    folder = study(GOOD)
    pd.DataFrame(GOOD, columns=HEADER).to_excel(folder / "codings.xlsx", index=False)
    rewrite(folder, ("path: codings.csv\n    format: csv", "path: codings.xlsx\n    format: excel"))
    again = taken(folder)
    assert account(again, "codings.xlsx") == [5, 5, 0, 0]
    assert len(again.quotations) == 2


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("B: belonging", "B: belongings", "'belongings', which is not declared"),
        (", P: practical", "", "No source of 'interviews' tells of 'practical'"),
        ("{id: practical,", "{id: belonging,", "'belonging' stands more than once"),
        ("    quotation: quote\n", "", "A quotation needs the consent"),
        ("    consented: {column: may_quote, values: {y: yes, n: no}}\n", "", "A quotation needs the consent"),
        ("n: no}", "n: maybe}", "maybe"),
        ("participant_id: who", "participant_id: {anonymous: true}", "Interviews are those of participants"),
        ("path: codings.csv\n    format: csv", "path: codings.csv\n    format: spss", "read from csv and excel"),
        ("{-9: refused}", "{-9: refused, B: blank}", "'B' is also a code of a theme"),
        ("excerpt: excerpt", "excerpt: coder", "'coder' is read as more than one thing"),
        ("coder: coder", "coder: who_coded", "who_coded"),
        (", definition: People say what they learned to do.", "", "definition"),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_in_words(study: Study, before: str, after: str, words: str) -> None:
    folder = study(GOOD)
    rewrite(folder, (before, after))
    with pytest.raises(PeerimpactError, match=words):
        taken(folder)


def published_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "output").rglob("*")) if path.is_file()}


def test_nothing_personal_of_interviews_leaves_them_and_only_what_may_be_quoted_is_shown(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    telling = [
        "Octavian Brackwaite",
        "Interview with Hildegund",
        "Zoltanka Marr",
        "zoltanka marr",
        "overdose at the lake",
    ]
    name, excerpt, coder, _, theme = telling
    quoted = [["P00", "1", "Second Coder", "B", "I was not alone any more.", "y"]]
    rows = [[f"P{number:02}", excerpt, coder, "B" if number < 12 else "", "", ""] for number in range(30)]
    rows += [[f"P{number:02}", excerpt, "Second Coder", "B" if number < 11 else "", "", ""] for number in range(30)]
    rows += [*quoted, *withheld_rows(), [name, excerpt, coder, "B", "Unheard words.", "y"]]
    rows += [["P07", excerpt, "Third Coder", theme, "Other unheard words.", "y"]]
    rows += [["P08", "9", coder, "P", "Alone with this theme.", "y"]]
    folder = study(rows)
    told = [CliRunner().invoke(app, ["check", str(folder), *more]).output for more in ([], ["--json"])]
    run_study(open_folder(folder))
    files = published_bytes(folder)
    assert "store.duckdb" in files
    page = files["report.html"].decode()
    assert "I was not alone any more." in page
    assert "Alone with this theme." not in page, "fewer than three people speak of it"
    store = Store(open_folder(folder).store)
    assert set(store.load("quotations")["text"]) == {"I was not alone any more.", "Alone with this theme."}
    assert list(store.load("quotations")) == ["theme", "text", "source", "source_row"]
    tables = [
        store.load(table).to_csv() for table in ("codings", "quotations", "quarantine", "linking", "drift", "results")
    ]
    never = [*telling, "Unheard words", "Other unheard", *(quote.strip() for quote, _, _ in WITHHELD)]
    for canary in never:
        digest = hashlib.sha256(canary.encode()).hexdigest()[:12]
        for text in [*told, *tables, caplog.text]:
            assert canary not in text, canary
            assert digest not in text, canary
        for path, content in files.items():
            assert canary.encode() not in content, (canary, path)
    for path, content in files.items():
        assert (b"I was not alone" in content) == (path in ("report.html", "store.duckdb")), path
    results = pd.read_csv(folder / "output" / "results.csv")
    counts = results[results["statistic"].isin(["interviewed", "people_with_theme"])]
    assert counts[["value", "n"]].isna().all(axis=None)
    assert "at least 10 of the people interviewed" in page
