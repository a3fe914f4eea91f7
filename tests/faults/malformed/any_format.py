"""What people do to rows and cells, in every format of one row for a participant and timepoint."""

from .cases import Case, Damage, Line, Refusal, refused, set_aside, table
from .layouts import CANARY, HEADER, LAYOUTS, Layout, Table

ROW_BY_ROW = [name for name in LAYOUTS if name != "fhir"]
IN_FULL = [
    name for name in ROW_BY_ROW if name not in ("kobo workbook", "google_forms workbook", "microsoft_forms text")
]
"""One layout for each format; the others differ in the container only."""
SOME = ("csv", "excel")
"""Where what happens after reading, which is the same for all formats, is tried."""


def list_cases() -> list[Case]:
    """Return the cases of every format."""
    cases = [case for name in IN_FULL for make in (_values, _rows) for case in make(LAYOUTS[name])]
    return cases + [case for name in SOME for make in (_words, _people) for case in make(LAYOUTS[name])]


def _values(layout: Layout) -> list[Case]:
    """Return cases in which one value is none: that cell is set aside, and nothing else."""
    return _cells(layout, [
        ("a code that is no option", "cell", 3, "gad_3", "8", "known_option", 1),
        ("a decimal comma that is not declared", "decimal comma", 6, "age", "45,5", "readable", 0),
        ("the number of a day in a spreadsheet", "serial date", 2, "day", "45000", "readable", 0),
        ("a day that the format does not have", "day and month", 7, "day", "04/13/2025", "readable", 0),
    ])  # fmt: skip


def _words(layout: Layout) -> list[Case]:
    """Return cases in which a cell holds something else than a plain number of the range."""
    texts = {
        "a word": f"{CANARY} often", "a formula": f"={CANARY}+1", "digits of another script": "\uff13",
        "an exponent": "1e0", "a truth": "TRUE", "no number": "NaN", "a fraction": "1.5",
    }  # fmt: skip
    rules = {"a fraction": "known_option"}
    return _cells(layout, [
        *((f"{name} where a code is", "cell", 1, "gad_2", text, rules.get(name, "readable"), 1) for name, text in texts.items()),
        ("a number out of range", "cell", 2, "age", "430", "in_range", 0),
    ])  # fmt: skip


def _cells(layout: Layout, broken: list[tuple[str, str, int, str, str, str, int]]) -> list[Case]:
    return [
        set_aside(
            name,
            layout.name,
            kind,
            table(lambda rows, record=record, column=column, text=text: rows.put(record, column, text)),
            Line(layout.first_row + record, layout.column(column), rule),
            lost=lost,
        )
        for name, kind, record, column, text, rule, lost in broken
    ]


def _rows(layout: Layout) -> list[Case]:
    """Return cases of rows that stand twice or hold nothing, and of a column that is not there."""
    row = layout.first_row

    def repeat(rows: Table) -> None:
        rows.rows.append(list(rows.rows[0]))

    def contradict(rows: Table) -> None:
        repeat(rows)
        rows.put(-1, "gad_7", "2")

    return [
        set_aside("a row that repeats another", layout.name, "silent", table(repeat),
                  Line(row + 12, "", "identical_duplicate", "excluded")),
        set_aside("a row that contradicts another", layout.name, "silent", table(contradict),
                  *(Line(row + at, layout.column("pid"), "one_row_per_timepoint", "row") for at in (0, 12)), lost=7),
        set_aside("a blank row", layout.name, "row", table(lambda rows: rows.rows.insert(5, [""] * len(HEADER))),
                  Line(row + 5, "", "blank_row", "excluded")),
        refused("a column is missing", layout.name, "header", table(_drop), *_missing(layout, "gad_5")),
    ]  # fmt: skip


def _people(layout: Layout) -> list[Case]:
    """Return cases of rows that belong to nobody, or to no occasion, and of a column that nobody knows."""
    row = layout.first_row

    def change(record: int, column: str, text: str) -> Damage:
        return table(lambda rows: rows.put(record, column, text))

    return [
        set_aside("an unknown timepoint", layout.name, "row", change(5, "wave", f"{CANARY}_arm_9"),
                  Line(row + 5, layout.column("wave"), "known_timepoint", "row")),
        set_aside("an unknown arm", layout.name, "row", change(5, "arm", f"{CANARY} arm"),
                  Line(row + 5, layout.column("arm"), "known_arm", "row")),
        set_aside("no participant", layout.name, "row", change(8, "pid", " "),
                  Line(row + 8, layout.column("pid"), "not_missing", "row")),
        set_aside("a participant of two arms", layout.name, "row", change(3, "arm", "usual"),
                  *(Line(row + at, layout.column("arm"), "one_arm_per_participant", "row") for at in (2, 3))),
        refused("a column has another name", layout.name, "header", table(_rename), *_missing(layout, "age")),
    ]  # fmt: skip


def _missing(layout: Layout, *columns: str) -> list[Refusal]:
    return [Refusal("column_missing", 1, layout.column(column)) for column in columns]


def _drop(rows: Table) -> None:
    place = rows.header.index("gad_5")
    for each in (rows.header, *rows.rows):
        del each[place]


def _rename(rows: Table) -> None:
    rows.header[rows.header.index("age")] = "agee"
