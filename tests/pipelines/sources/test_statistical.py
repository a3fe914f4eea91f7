"""SPSS and Stata: codes, labels and missing codes as they stand in the file, and a reader that no file can bring down."""

import datetime
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from pipelines.sources import statistical_process
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.statistical import read_spss, read_stata
from pipelines.sources.statistical_process import Limits, read_in_child

NOON = datetime.datetime(2025, 3, 4, 12, 30)  # noqa: DTZ001
SECRET = "zq81-secret-answer"
UNIX = 12_219_379_200.0  # seconds from the beginning of the Gregorian calendar to 1970
CHARACTER_CODE = struct.pack("<iiii", 7, 3, 4, 8)
ENCODING_RECORD = struct.pack("<iii", 7, 20, 1)


def spss(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pyreadstat.write_sav(pd.DataFrame(columns), path, **options)
    return path


def stata(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pyreadstat.write_dta(pd.DataFrame(columns), path, **options)
    return path


def read(path: Path, **options: Any) -> RawTable:
    table = (read_spss if path.suffix == ".sav" else read_stata)(path, path.name, **options)
    assert table.rows_read == len(table.cells) + len(table.set_aside)
    return table


def refused(path: Path, **options: Any) -> tuple[str, int | None, str]:
    with pytest.raises(SourceError) as error:
        read(path, **options)
    (problem,) = error.value.problems
    assert problem.file == path.name
    assert problem.how_to_fix
    assert SECRET not in str(problem)
    return problem.code, problem.line, problem.key


def test_codes_labels_questions_and_user_missing_codes_of_spss_are_kept(tmp_path: Path) -> None:
    path = spss(
        tmp_path / "a.sav",
        {"pid": ["007", "7", "", "x "], "Q1": [1.0, 2.0, np.nan, -9.0], "x": [2.5, 95.0, 1e-5, 1e17]},
        column_labels=["Number", "How often?", None],
        variable_value_labels={"Q1": {1: "never", 2: "often", -9: "refused"}},
        missing_ranges={"Q1": [-9], "x": [{"lo": 90, "hi": 99}]},
    )
    table = read(path)
    assert table.cells["pid"].tolist() == ["007", "7", "", "x"]
    assert table.cells["Q1"].tolist() == ["1", "2", "", "-9"]
    assert table.cells["x"].tolist() == ["2.5", "95", "0.00001", "100000000000000000"]
    assert table.cells.index.tolist() == [2, 3, 4, 5]
    assert table.questions == {"pid": "Number", "Q1": "How often?"}
    assert table.answers == {"Q1": {"1": "never", "2": "often", "-9": "refused"}}
    assert table.missing == {"Q1": ((-9, -9),), "x": ((90, 99),)}


def test_what_spss_declares_as_missing_is_missing_in_its_own_column_and_stays_in_the_cells(tmp_path: Path) -> None:
    path = spss(
        tmp_path / "a.sav",
        {"a": [1.0, 99.0, 98.5, -3.0], "b": [99.0] * 4, "c": ["x", "NA", "99", ""], "d": [UNIX, 99.0, UNIX, UNIX]},
        missing_ranges={"a": [{"lo": -np.inf, "hi": -1}, 99], "c": ["NA"], "d": [99]},
        variable_format={"d": "DATE11"},
    )
    table = read(path)
    assert table.cells["a"].tolist() == ["1", "99", "98.5", "-3"]
    told = table.without_missing()
    assert told["a"].tolist() == ["1", "", "98.5", ""]
    assert told["b"].tolist() == ["99"] * 4
    assert told["c"].tolist() == ["x", "", "99", ""]
    assert told["d"].tolist() == ["1970-01-01", "", "1970-01-01", "1970-01-01"]


@pytest.mark.parametrize(
    ("display", "value", "text"),
    [
        ("DATE11", UNIX + 86400.0 * 20_151, "2025-03-04"), ("ADATE10", UNIX + 86400.0 * 20_151, "2025-03-04"), ("EDATE10", 0.0, "1582-10-14"),
        ("SDATE10", UNIX + 86400.0 * 20_151 + 3600, "2025-03-04"), ("MOYR8", UNIX + 86400.0 * 20_151, "2025-03-04"),
        ("DATETIME20", UNIX + 86400.0 * 20_151 + 3723.5, "2025-03-04T01:02:03.500000"), ("DATETIME20", UNIX + 86400.0 * 20_151, "2025-03-04"),
        ("TIME8", 3723.0, "1:02:03"), ("TIME8", 130_000.0, "36:06:40"), ("DTIME20", 130_000.0, "36:06:40"),
        ("DATE11", 1e15, "1000000000000000"), ("DATE11", -9.0, "-9"), ("F8.2", 3.0, "3"), ("WKDAY9", 2.0, "2"),
    ],
)  # fmt: skip
def test_numbers_that_spss_shows_as_dates_and_times_become_iso_text(
    tmp_path: Path, display: str, value: float, text: str
) -> None:
    path = spss(
        tmp_path / "a.sav", {"pid": ["1"], "d": [value]}, variable_format={"d": display}, missing_ranges={"d": [-9]}
    )
    assert read(path).cells["d"].tolist() == [text]


@pytest.mark.parametrize("options", [{}, {"row_compress": True}, {"compress": True}], ids=str)
def test_long_texts_and_letters_of_many_languages_are_whole_in_every_kind_of_spss_file(
    tmp_path: Path, options: dict[str, bool]
) -> None:
    texts = ["é" * 700, "День €", "a" * 255, "b" * 256, "line\nbreak", " start"]
    path = spss(
        tmp_path / "a.sav", {"pid": list("123456"), "antwort_ä": texts}, column_labels=["", "Wie häufig?"], **options
    )
    table = read(path)
    assert table.cells["antwort_ä"].tolist() == texts
    assert table.questions == {"antwort_ä": "Wie häufig?"}


@pytest.mark.parametrize("version", [8, 12, 13, 15])
def test_codes_labels_and_lettered_missing_values_of_stata_are_kept(tmp_path: Path, version: int) -> None:
    path = stata(
        tmp_path / "a.dta",
        {"pid": ["007", "7", "x", "z"], "q1": [1, "a", np.nan, "z"], "x": [2.5, 3.0, np.nan, -9.0]},
        version=version,
        column_labels=["Number", "How often?", ""],
        variable_value_labels={"q1": {1: "never", "a": "refused"}},
        missing_user_values={"q1": ["a", "z"]},
    )
    table = read(path)
    assert table.cells["pid"].tolist() == ["007", "7", "x", "z"]
    assert table.cells["q1"].tolist() == ["1", ".a", "", ".z"]
    assert table.cells["x"].tolist() == ["2.5", "3", "", "-9"]
    assert table.questions == {"pid": "Number", "q1": "How often?"}
    assert table.answers == {"q1": {"1": "never", ".a": "refused"}}


def test_stata_floats_days_moments_and_long_texts_are_what_stata_shows(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "f": np.array([2.1, np.nan, 1e10], dtype="float32"), "i": np.array([1, 2, 3], dtype="int8"),
        "day": pd.to_datetime(["2025-03-04", None, "1959-12-31"]), "moment": pd.to_datetime([NOON, None, NOON]),
        "month": pd.to_datetime(["2025-03-01", None, "2025-04-01"]), "text": ["é" * 3000, "", "b"],
    })  # fmt: skip
    path = tmp_path / "a.dta"
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        convert_dates={"day": "td", "moment": "tc", "month": "tm"},
        convert_strl=["text"],
    )
    cells = read(path).cells
    assert cells["f"].tolist() == ["2.1", "", "10000000000"]
    assert cells["i"].tolist() == ["1", "2", "3"]
    assert cells["day"].tolist() == ["2025-03-04", "", "1959-12-31"]
    assert cells["moment"].tolist() == ["2025-03-04T12:30:00", "", "2025-03-04T12:30:00"]
    assert cells["month"].tolist() == ["782", "", "783"]
    assert cells["text"].tolist() == ["é" * 3000, "", "b"]


def test_blank_records_are_excluded(tmp_path: Path) -> None:
    table = read(spss(tmp_path / "a.sav", {"pid": ["1", "", "3"], "q": [1.0, np.nan, 2.0]}))
    assert table.cells["pid"].to_dict() == {2: "1", 4: "3"}
    assert [(line.source_row, line.rule, line.severity) for line in table.set_aside] == [(3, "blank_row", "excluded")]


def in_windows_letters(path: Path, code: int, stated: bytes = b"") -> Path:
    """Turn an SPSS file in UTF-8 into one in cp1252 that states what is given."""
    content = path.read_bytes().replace("é".encode(), b"\xe9 ")
    at = content.index(ENCODING_RECORD)
    length = struct.unpack("<i", content[at + 12 : at + 16])[0]
    record = ENCODING_RECORD + struct.pack("<i", len(stated)) + stated if stated else b""
    content = bytearray(content[:at] + record + content[at + 16 + length :])
    at = content.index(CHARACTER_CODE) + 16 + 28
    content[at : at + 4] = struct.pack("<i", code)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("code", [2, 3, 1252])
def test_an_spss_file_that_does_not_say_its_encoding_may_hold_ascii_only(tmp_path: Path, code: int) -> None:
    assert read(in_windows_letters(spss(tmp_path / "a.sav", {"pid": ["1", "cafe"]}), code)).rows_read == 2
    path = in_windows_letters(spss(tmp_path / "b.sav", {"pid": ["1", "café"]}), code)
    assert refused(path) == ("wrong_encoding", 3, "pid")
    assert read(path, encoding="cp1252").cells["pid"].tolist() == ["1", "café"]


def test_the_encoding_that_an_spss_file_states_is_used_and_must_be_true(tmp_path: Path) -> None:
    path = in_windows_letters(spss(tmp_path / "a.sav", {"pid": ["1", "café"]}), 1252, b"windows-1252")
    assert read(path).cells["pid"].tolist() == ["1", "café"]
    path = in_windows_letters(spss(tmp_path / "b.sav", {"pid": ["1", "café"]}), 65001, b"UTF-8")
    assert refused(path) == ("wrong_encoding", 3, "pid")
    path = in_windows_letters(spss(tmp_path / "c.sav", {"pid": ["1", "café"]}), 2, b"klingon")
    assert refused(path) == ("wrong_encoding", 3, "pid")
    assert refused(path, encoding="klingon")[0] == "unknown_encoding"
    assert refused(path, encoding="hex")[0] == "unknown_encoding"


@pytest.mark.parametrize("version", [12, 13, 14])
def test_letters_of_stata_are_utf_8_or_as_declared(tmp_path: Path, version: int) -> None:
    path = stata(tmp_path / "a.dta", {"pid": ["1", "café"]}, version=version)
    assert read(path).cells["pid"].tolist() == ["1", "café"]
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\0"))
    assert refused(path) == (("wrong_encoding", None, "") if version == 14 else ("wrong_encoding", 3, "pid"))
    assert read(path, encoding="cp1252").cells["pid"].tolist() == ["1", "café"]


def test_labels_in_another_encoding_are_refused_with_their_column(tmp_path: Path) -> None:
    path = spss(tmp_path / "a.sav", {"q": [1.0]}, variable_value_labels={"q": {1: "café"}})
    assert refused(in_windows_letters(path, 2)) == ("wrong_encoding", None, "q")


def change(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + new + content[at + len(new) :]


@pytest.mark.parametrize(
    ("name", "damage", "expected"),
    [
        ("a.sav", lambda content: b"", "file_empty"),
        ("a.dta", lambda content: b"", "file_empty"),
        ("a.sav", lambda content: b"pid,q\n1,2\n", "not_spss"),
        ("a.dta", lambda content: b"pid,q\n1,2\n", "not_stata"),
        ("a.sav", lambda content: b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV" + b"x" * 300, "encrypted"),
        ("a.sav", lambda content: b"ASCII SPSS PORT FILE" * 20, "not_spss"),
        ("a.sav", lambda content: content[:100], "not_spss"),
        ("a.sav", lambda content: content[:200], "cut_off"),
        ("a.sav", lambda content: content[:-1], "cut_off"),
        ("a.sav", lambda content: content[:-8], "cut_off"),
        ("a.sav", change(80, b"\xff\xff\xff\xff"), "rows_not_told"),
        ("a.sav", change(80, b"\x07\0\0\0"), "cut_off"),
        ("a.sav", change(80, b"\xff\xff\xff\x7f"), "cut_off"),
        ("a.sav", change(80, b"\xfe\xff\xff\xff"), "rows_not_told"),
        ("a.sav", change(64, b"\x09\0\0\0"), "damaged"),
        ("a.sav", change(176, b"\x63\0\0\0"), "damaged"),
        ("a.dta", lambda content: content[:-60], "cut_off"),
        ("a.dta", lambda content: content[:100], "damaged"),
        ("a.dta", lambda content: content.replace(b"<release>119", b"<release>999").replace(b"<release>118", b"<release>999"), "damaged"),
        ("a.dta", lambda content: content.replace(b"<data>", b"<dada>"), "damaged"),
        ("a.dta", lambda content: bytes([114, 2, 1, 0]) + content[4:], "damaged"),
        ("a.dta", lambda content: bytes([114]) + content[1:], "not_stata"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_words(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes], expected: str
) -> None:
    path = (spss if name == "a.sav" else stata)(tmp_path / name, {"pid": [SECRET, "7"], "q": [1.0, 2.0]})
    path.write_bytes(damage(path.read_bytes()))
    assert refused(path) == (expected, None, "")


def test_a_file_without_answers_is_refused(tmp_path: Path) -> None:
    assert (
        refused(spss(tmp_path / "a.sav", {"pid": pd.Series([], dtype="str"), "q": pd.Series([], dtype="float64")}))[0]
        == "no_rows"
    )
    assert refused(spss(tmp_path / "b.sav", {"pid": ["", ""], "q": [np.nan, np.nan]}))[0] == "no_rows"


CHILDREN = {
    "import os, signal; print('[1]', flush=True); os.kill(os.getpid(), signal.SIGSEGV)": "reader_stopped",
    "import sys; sys.exit(3)": "reader_stopped",
    "print('x' * 1000)": "reader_stopped",
    "print('[' * 100000)": "reader_stopped",
    'print(\'{"failed": "else"}\')': "reader_stopped",
    'print(\'{"failed": "cut_off"}\')': "cut_off",
    "import sys; sys.stdout.write('[1, 2'); sys.stdout.flush(); import os; os.abort()": "reader_stopped",
    "while True: print('x' * 100000, end='')": "file_too_large",
    "while True: print('[1]')": "file_too_large",
    "import time; time.sleep(60)": "file_too_large",
    "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 5))\nwhile True: pass": "file_too_large",
}


@pytest.mark.parametrize("program", CHILDREN, ids=lambda program: program[:40])
def test_whatever_becomes_of_the_child_the_parent_goes_on(tmp_path: Path, program: str) -> None:
    child = tmp_path / "child.py"
    child.write_text(program)
    limits = Limits(seconds=4, output=1_000_000)
    with pytest.raises(SourceError) as error:
        list(read_in_child(tmp_path / "a.sav", "spss", "a.sav", limits=limits, child=child))
    assert error.value.problems[0].code == CHILDREN[program]


def test_a_child_that_writes_other_things_than_columns_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    path = spss(tmp_path / "a.sav", {"pid": ["1"]})
    variable = '{"name": "q", "label": "", "type": "double", "display": "F8.2", "labels": [], "missing": []}'
    for lines in (
        "", "[]", "3", "null", '{"encoding": null}', '{"encoding": 3, "variables": []}', '{"encoding": null, "variables": [{"name": "q"}]}',
        f'{{"encoding": null, "variables": [{variable}]}}', f'{{"encoding": null, "variables": [{variable}]}}\n[[1]]',
        f'{{"encoding": null, "variables": [{variable}]}}\n[1]\n[2]', f'{{"encoding": null, "variables": [{variable}]}}\n7',
        f'{{"encoding": null, "variables": [{variable}, {variable.replace("q", "r")}]}}\n[1]\n[1, 2]',
    ):  # fmt: skip
        child.write_text(f"print({lines!r})")
        monkeypatch.setitem(read_in_child.__kwdefaults__, "child", child)
        assert refused(path)[0] == "reader_stopped", lines


def test_the_child_has_bounds_on_memory_and_time_and_writes_no_file(tmp_path: Path) -> None:
    path = spss(
        tmp_path / "a.sav", {"pid": [str(n) for n in range(5000)], **{f"q{n}": [1.0] * 5000 for n in range(200)}}
    )
    for limits in (Limits(memory=200 * 1024**2), Limits(seconds=0.01)):
        with pytest.raises(SourceError) as error:
            list(read_in_child(path, "spss", "a.sav", limits=limits))
        assert error.value.problems[0].code in ("file_too_large", "reader_stopped")
    probe = tmp_path / "probe.py"
    probe.write_text(
        f"import json, resource, runpy\n"
        f"confine = runpy.run_path({str(statistical_process.CHILD)!r})['confine']\n"
        f"confine(10**9, 7)\n"
        f"limits = [resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)]\n"
        f"try:\n    open({str(tmp_path / 'written')!r}, 'wb', buffering=0).write(b'x')\nexcept OSError:\n    limits.append('refused')\n"
        f"print(json.dumps(limits))\n"
    )
    assert list(read_in_child(path, "spss", "a.sav", child=probe)) == [[10**9, 7, 0, 0, "refused"]]


def test_the_child_knows_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDCAP_TOKEN", SECRET)
    probe = tmp_path / "probe.py"
    probe.write_text("import json, os\nprint(json.dumps(sorted(os.environ)))")
    (known,) = list(read_in_child(tmp_path, "spss", "a.sav", child=probe))
    assert "REDCAP_TOKEN" not in known


def test_a_file_whose_name_has_spaces_and_letters_of_another_alphabet_is_read(tmp_path: Path) -> None:
    assert read(spss(tmp_path / "Антворт è 1.sav", {"pid": ["1"]})).rows_read == 1


def test_a_file_that_stops_the_library_itself_is_refused(tmp_path: Path) -> None:
    path = spss(
        tmp_path / "a.sav",
        {"pid": ["1"] * 12, "q": [1.0] * 12},
        variable_value_labels={"q": {1: "never"}},
        row_compress=True,
    )
    content, of_labels = path.read_bytes(), struct.pack("<ii", 4, 1)
    at = content.rindex(of_labels, 0, content.index(struct.pack("<i", 999))) + len(of_labels)
    path.write_bytes(content[:at] + struct.pack("<i", 0x4403) + content[at + 4 :])
    assert refused(path)[0] in ("reader_stopped", "damaged")  # the first in version 1.3.7, by a signal
