"""What a case of a malformed input is: a sound study, broken in one way, and the verdict that it must get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from .layouts import LAYOUTS, N_ITEMS, Layout, Table, sound_table

Damage = Callable[[Path, Layout], None]


@dataclass(frozen=True)
class Refusal:
    """A problem for which nothing is used: code, line, column, and the file where it is not the table of answers."""

    code: str
    line: int | None = None
    column: str = ""
    file: str = ""


@dataclass(frozen=True)
class Line:
    """A line of the quarantine; `source` where it is not the table of answers."""

    row: int
    column: str
    rule: str
    severity: str = "cell"
    source: str = ""


@dataclass(frozen=True)
class Case:
    """One broken study.

    `refused` are all problems of a study that is refused; otherwise `told` are all lines of the quarantine beyond those
    of the sound study, and `lost` is the number of answers to items that the sound study has and this one has not.
    """

    name: str
    layout: str
    kind: str
    damage: Damage
    refused: tuple[Refusal, ...] = ()
    told: tuple[Line, ...] = ()
    lost: int = 0

    @property
    def format(self) -> str:
        """The format as study.yaml names it."""
        return LAYOUTS[self.layout].format


def refused(name: str, layout: str, kind: str, damage: Damage, *problems: Refusal) -> Case:
    """Return a case that is refused with these problems."""
    return Case(f"{layout}: {name}", layout, kind, damage, refused=problems)


def set_aside(name: str, layout: str, kind: str, damage: Damage, *lines: Line, lost: int | None = None) -> Case:
    """Return a case that is read but for these lines; a quarantined row loses all its answers."""
    gone = {line.row for line in lines if line.severity == "row"}
    return Case(
        f"{layout}: {name}", layout, kind, damage, told=lines, lost=N_ITEMS * len(gone) if lost is None else lost
    )


def table(change: Callable[[Table], object]) -> Damage:
    """Return damage done to the rows before they are written in the format."""

    def damage(folder: Path, layout: Layout) -> None:
        broken = sound_table()
        change(broken)
        layout.save(folder, broken)

    return damage


def content(change: Callable[[bytes], bytes]) -> Damage:
    """Return damage done to the bytes of the file."""

    def damage(folder: Path, layout: Layout) -> None:
        path = folder / layout.path
        path.write_bytes(change(path.read_bytes()))

    return damage


def line(row: int, change: Callable[[bytes], bytes]) -> Damage:
    """Return damage done to one line of a text file, its line break apart."""

    def edit(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[row - 1] = change(lines[row - 1])
        return b"\n".join(lines)

    return content(edit)


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return a change of the first place where `old` stands, which must be there."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def declared(**options: object) -> Damage:
    """Return damage done to the declaration of the first source."""
    return _in_study(lambda source: {**source, **options})


def _in_study(change: Callable[[Mapping[str, object]], Mapping[str, object]]) -> Damage:
    def damage(folder: Path, _: Layout) -> None:
        path = folder / "study.yaml"
        study = yaml.safe_load(path.read_text())
        study["sources"][0] = dict(change(study["sources"][0]))
        path.write_text(yaml.safe_dump(study, sort_keys=False))

    return damage


def both(*damages: Damage) -> Damage:
    """Return several damages, one after the other."""

    def damage(folder: Path, layout: Layout) -> None:
        for one in damages:
            one(folder, layout)

    return damage
