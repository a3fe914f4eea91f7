"""SPSS, Stata and Parquet: files of typed columns, damaged, cut off, in the wrong letters, or not what they say."""

import os
import struct
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from pipelines.sources.delimited import MAX_BYTES

from .cases import Case, Damage, Refusal, both, content, declared, refused, swap
from .layouts import CANARY, LAYOUTS, Layout, sound_table

NOTE = f"{CANARY} said".encode()


def list_cases() -> list[Case]:
    """Return the cases of SPSS, Stata and Parquet files."""
    common = [case for name in ("spss", "stata", "parquet") for case in _of_any(LAYOUTS[name])]
    return [*common, *_of_spss(), *_of_stata(), *_of_parquet()]


def _of_any(layout: Layout) -> list[Case]:
    """Return cases of files that are empty, too large, cut off or of another format."""
    name = layout.name
    wrong = {"spss": "not_spss", "stata": "not_stata", "parquet": "not_parquet"}[name]
    cut = "not_parquet" if name == "parquet" else "cut_off"
    return [
        refused("nothing in the file", name, "truncated", content(lambda _: b""), Refusal("file_empty")),
        refused("the end is lost", name, "truncated", content(lambda data: data[: -len(data) // 10]), Refusal(cut)),
        refused("larger than any survey", name, "oversize",
                lambda folder, _: os.truncate(folder / layout.path, MAX_BYTES + 1), Refusal("file_too_large")),
        refused("a text by the name of the format", name, "container", content(lambda _: b"pid,note\n1,zq81\n" * 20),
                Refusal(wrong)),
    ]  # fmt: skip


def _of_spss() -> list[Case]:
    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "spss", kind, damage, *problems)

    return [
        case("a password", "container", content(lambda data: b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV" + data),
             Refusal("encrypted")),
        case("a row less than it says", "truncated", content(lambda data: data[:80] + struct.pack("<i", 13) + data[84:]),
             Refusal("cut_off")),
        case("no word of how many rows", "truncated",
             content(lambda data: data[:80] + struct.pack("<i", -1) + data[84:]), Refusal("rows_not_told")),
        case("letters in another encoding", "encoding", content(swap(NOTE, NOTE[:-1] + b"\xe9")),
             Refusal("wrong_encoding", 2, "note")),
        case("an encoding that nobody knows", "encoding", declared(encoding="utf-88"), Refusal("unknown_encoding")),
        case("a Stata file", "container", lambda folder, layout: LAYOUTS["stata"].write(
             folder / layout.path, layout.in_own_words(sound_table())), Refusal("not_spss")),
        case("columns and no rows", "truncated",
             lambda folder, layout: pyreadstat.write_sav(pd.DataFrame({"pid": pd.Series([], dtype="str")}), folder / layout.path),
             Refusal("no_rows")),
    ]  # fmt: skip


def _of_stata() -> list[Case]:
    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "stata", kind, damage, *problems)

    def old(folder: Path, layout: Layout) -> None:
        frame = pd.DataFrame({"pid": ["caf\xe9", CANARY], "note": ["x", "y"]})
        pyreadstat.write_dta(frame, folder / layout.path, version=12)

    return [
        case("letters in another encoding", "encoding", content(swap(NOTE, NOTE[:-1] + b"\xe9")),
             Refusal("wrong_encoding")),
        case("an encoding that nobody knows", "encoding", declared(encoding="utf-88"), Refusal("unknown_encoding")),
        case("letters of before Stata 14 in another encoding than declared", "encoding",
             both(old, declared(encoding="ascii")), Refusal("wrong_encoding", 2, "pid")),
        case("another mark than that of the format", "container", content(swap(b"<stata_dta>", b"<stata_xyz>")),
             Refusal("not_stata")),
        case("an SPSS file", "container", lambda folder, layout: LAYOUTS["spss"].write(
             folder / layout.path, layout.in_own_words(sound_table())), Refusal("not_stata")),
    ]  # fmt: skip


def _of_parquet() -> list[Case]:
    def case(name: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
        return refused(name, "parquet", kind, damage, *problems)

    def column(values: pa.Array, **options: object) -> Damage:
        def damage(folder: Path, layout: Layout) -> None:
            path = folder / layout.path
            found = pq.read_table(path)
            pq.write_table(found.set_column(5, "note", values), path, **options)

        return damage

    def flip(data: bytes) -> bytes:
        at = data.index(NOTE) + 6
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    texts = [f"{CANARY} said"] * 12
    return [
        case("a password", "container", content(lambda data: b"PARE" + data[4:-4] + b"PARE"), Refusal("encrypted")),
        case("a bit that changed", "silent",
             both(column(pa.array(texts), compression="none", write_page_checksum=True), content(flip)),
             Refusal("not_parquet")),
        case("lists in a column", "cell", column(pa.array([[CANARY]] * 12)), Refusal("column_kind", None, "note")),
        case("bytes in a column", "cell", column(pa.array([CANARY.encode()] * 12)), Refusal("column_kind", None, "note")),
        case("a NUL byte", "nul", column(pa.array([*texts[:4], f"{CANARY}\x00", *texts[5:]])),
             Refusal("nul_byte", 6, "note")),
        case("letters in another encoding", "encoding",
             both(column(pa.array(texts), compression="none", write_statistics=False, use_dictionary=False),
                  content(swap(NOTE, NOTE[:-1] + b"\xe9"))),
             Refusal("not_parquet")),
        case("two columns of one name", "header",
             lambda folder, layout: pq.write_table(_renamed(folder / layout.path), folder / layout.path),
             Refusal("column_twice", None, "gad_1")),
    ]  # fmt: skip


def _renamed(path: Path) -> pa.Table:
    found = pq.read_table(path)
    return found.rename_columns([name.replace("gad_2", "gad_1") for name in found.column_names])
