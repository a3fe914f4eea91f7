"""The instruments of a study: shipped and its own, in the variants that its data have."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from data_contracts.errors import Problem, choose_from
from instruments import Instrument, apply_variants, load_library
from instruments.examples import failed_examples
from instruments.wording import Wording, find_wording
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from pipelines.study import Study


def open_library(study: Path) -> Mapping[str, Instrument]:
    """Return the shipped instruments, and those that a study folder defines in ``instruments/<id>.yaml``.

    Raises
    ------
    PeerimpactError
        A definition is invalid, has the id of a shipped one, or a worked example that does not come out.
    """
    shipped, folder = load_library(), study / "instruments"
    own = load_library(folder) if folder.is_dir() else {}
    problems = [
        Problem("instrument_twice", f"The library has a '{name}' already.",
                "Give your definition an id of its own, such as one with the name of the study.",
                f"instruments/{name}.yaml", key="id")
        for name in sorted(set(own) & set(shipped))
    ]  # fmt: skip
    problems += [
        Problem(
            "example_failed", line, "Correct the scoring or the example.", f"instruments/{name}.yaml", key="examples"
        )
        for name, one in own.items()
        for line in failed_examples(one)
    ]
    problems += [
        Problem(
            "file_not_read", "Only files that end in .yaml are definitions.", "Rename it.", f"instruments/{path.name}"
        )
        for path in sorted(folder.glob("*.yml"))
    ]
    if problems:
        raise PipelineError(problems)
    return _laid_over(own, shipped)


def adapt_library(study: Study, library: Mapping[str, Instrument]) -> Mapping[str, Instrument]:
    """Return the library with every instrument in the variants that the study declares."""
    adapted = {name: apply_variants(library[name], variants) for name, variants in study.variants.items()}
    return _laid_over(adapted, library)


def measures_as_delivered(study: Study, library: Mapping[str, Instrument]) -> tuple[str, ...]:
    """Return the measures whose score is the one that was delivered.

    These are the study's own measures, measures that are not computed here, and those of instruments that no source
    delivers item by item. A delivered total of any other measure never replaces ours.
    """
    with_items = {name for source in study.sources for name, columns in source.instruments.items() if columns.items}
    named = dict.fromkeys(
        (name, score)
        for source in study.sources
        for name, columns in source.instruments.items()
        for score in columns.delivered
    )
    computed = {
        (name, measure.id) for name in with_items if name in library for measure in library[name].scored_measures
    }
    return (
        *(measure.id for measure in study.measures),
        *(f"{name}.{score}" for name, score in named if (name, score) not in computed),
    )


def find_wordings(study: Path, used: Mapping[str, Instrument], language: str) -> Mapping[str, Wording]:
    """Return the wording that a study folder brings in ``wording/<id>.<language>.yaml``, by instrument.

    Raises
    ------
    PeerimpactError
        A file is no valid wording, or is named after no instrument of the study.
    """
    folder = study / "wording"
    files = sorted(path for path in folder.glob("*.y*ml") if path.is_file())
    problems = [
        Problem("wording_of_nothing", "The file is named after no instrument of the study.",
                f"Name it <id>.<language>.yaml. {choose_from(path.name.partition('.')[0], used)}",
                f"wording/{path.name}")
        for path in files
        if path.name.partition(".")[0] not in used or path.suffix != ".yaml"
    ]  # fmt: skip
    if problems:
        raise PipelineError(problems)
    found = {name: find_wording(folder, instrument, language) for name, instrument in used.items()}
    return {name: wording for name, wording in found.items() if wording is not None}


def _laid_over(upper: Mapping[str, Instrument], lower: Mapping[str, Instrument]) -> Mapping[str, Instrument]:
    """Return both without reading the lower; read-only."""
    return MappingProxyType(ChainMap(dict(upper), cast("dict[str, Instrument]", lower))) if upper else lower
