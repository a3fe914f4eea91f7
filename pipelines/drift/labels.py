"""Drift of what the files say themselves: value labels held against the instruments, labels and questions compared."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import pandas as pd

from instruments import Instrument
from pipelines.deliveries import Cell
from pipelines.drift.findings import Drift, Occasion, Severity, instrument_of, name_columns, name_items
from pipelines.proposing.anchors import Anchors, compare_anchors
from pipelines.sources import RawTable
from pipelines.study import Study
from pipelines.texts import plain_label

_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,9}(?:\.0+)?")
_MOVED: Final = 2
"""Labels that stand at other codes before two files are taken to code answers in different ways."""
Labels = Mapping[str, str]
"""Code of the instrument -> label."""


def find_label_drift(study: Study, library: Mapping[str, Instrument], occasions: Sequence[Occasion]) -> list[Drift]:
    """Return what is to be told of value labels and questions, as far as the files have some."""
    forms = _distinct(occasions)
    codes = [finding for form in forms for finding in _find_codes(study, library, form)]
    told = {(finding.source, instrument_of(finding.name)) for finding in codes if finding.severity == "error"}
    compared: list[Drift] = []
    for instrument in dict.fromkeys(instrument_of(name) for form in forms for name in form.items):
        labelled = [form for form in forms if _has_labels(form, instrument)]
        asking = [form for form in forms if _questions(form, instrument)]
        for other in labelled[1:]:
            compared += _compare_labels(study, labelled[0], other, instrument, told)
        for other in asking[1:]:
            compared += _compare_questions(asking[0], other, instrument)
    return [*codes, *compared]


def _distinct(occasions: Sequence[Occasion]) -> list[Occasion]:
    """Return the occasions once for each table and choice of columns."""
    forms = {(one.source, *(cell.column for cell in one.items.values())): one for one in reversed(occasions)}
    return list(forms.values())[::-1]


def _has_labels(form: Occasion, instrument: str) -> bool:
    return any(form.delivery.table.answers.get(column) for column in form.columns_of(instrument))


def _find_codes(study: Study, library: Mapping[str, Instrument], form: Occasion) -> Iterator[Drift]:
    """Hold the codes that a file declares against the response sets."""
    alike: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for name, cell in form.items.items():
        labels = _labels_of(form, cell, study.missing_codes)
        limits = cell.options_of.partition(" ")[2]
        if labels and limits:
            alike[instrument_of(name), limits, tuple(labels.items())].append(name)
    for (instrument, _, declared), names in alike.items():
        found = _hold(library[instrument], names[0], form.items[names[0]].column, dict(declared))
        options = library[instrument].allowed_values(names[0].partition(" ")[2]).options
        judged = _judge(found, [code for code, _ in declared], options)
        if judged:
            severity, words, advice = judged
            yield Drift(
                severity,
                "codes_differ",
                f"The file declares answers to {instrument} that are not those of the instrument: {words}.",
                advice if severity == "info" else f"{advice}{_tell_labels(instrument, found)}",
                form.source,
                column=name_columns(form.items[name].column for name in names),
                name=name_items(names),
                found=", ".join(code for code, _ in declared),
                expected=", ".join(map(str, options)),
            )


def _hold(instrument: Instrument, name: str, column: str, declared: Mapping[str, str]) -> Anchors:
    """Compare declared codes with the response set of one item."""
    item = [one for one in instrument.items if one.id == name.partition(" ")[2]]
    table = RawTable("", pd.DataFrame({column: list(declared)}, dtype="str"), len(declared), (), {}, {column: declared})
    return compare_anchors(table, [column], instrument.model_copy(update={"items": item}))


def _judge(found: Anchors, codes: Sequence[str], options: Sequence[int]) -> tuple[Severity, str, str] | None:
    """Return how serious a comparison is, in words, with advice; None where there is nothing to tell."""
    if found.verdict in ("reversed", "shifted"):
        return "error", found.words, "Say in study.yaml what each code counts: "
    if not all(_WHOLE.fullmatch(code) for code in codes):
        return None
    whole = {int(float(code)) for code in codes} - {int(code) for code in found.missing}
    if found.verdict == "part_of" and len(whole) > 1 and not {options[0], options[-1]} <= whole:
        advice = "Look at the form: was an answer left out? If the codes mean something else, write 'labels'."
        return "warning", found.words, advice
    if found.verdict == "other":
        beside = any(code in (options[0] - 1, options[-1] + 1) for code in whole)
        advice = "If the other codes say why there is no answer, name them in 'missing_codes'; else write 'labels'."
        return ("warning" if beside else "info"), found.words, advice
    return None


def _tell_labels(instrument: str, found: Anchors) -> str:
    """Return the label set to write, where the comparison says what each code counts."""
    if not found.recode or None in found.recode.values():
        return ""
    codes = ", ".join(f'"{code}": {value}' for code, value in found.recode.items())
    name = f"{instrument}_codes"
    return f"label_sets: {{{name}: {{{codes}}}}}, and 'labels: {name}' beside the items of {instrument}."


def _labels_of(form: Occasion, cell: Cell, missing: Collection[str]) -> dict[str, str]:
    """Return code of the instrument -> label, as the file declares it and `labels` of study.yaml translates it.

    Codes that say why there is no answer are left out.
    """
    labels: dict[str, str] = {}
    for code, label in form.delivery.table.answers.get(cell.column, {}).items():
        if form.delivery.table.is_missing(cell.column, code):
            continue
        value = code if cell.labels is None else cell.labels.get(plain_label(code), cell.labels.get(plain_label(label)))
        if value is not None and code not in missing and value not in missing:
            labels[value] = label
    return labels


def _compare_labels(
    study: Study, first: Occasion, other: Occasion, instrument: str, told: set[tuple[str, str]]
) -> Iterator[Drift]:
    """Compare the labels of the same items in two files, unless one of them contradicts the instrument already."""
    if told & {(first.source, instrument), (other.source, instrument)}:
        return
    alike: dict[tuple[Severity, str], list[str]] = defaultdict(list)
    for name, cell in other.items.items():
        if instrument_of(name) == instrument and name in first.items:
            before, after = (_plain(_labels_of(one, one.items[name], study.missing_codes)) for one in (first, other))
            change = None if _is_listed(cell, after) else _change(before, after)
            if change:
                alike[change].append(name)
    for (severity, words), names in alike.items():
        yield Drift(
            severity,
            "labels_changed",
            f"The labels of answers to {instrument} differ from those {_where(first, other)}: {words}.",
            "Say with 'labels' in study.yaml what each answer of this file counts."
            if severity != "info"
            else "Nothing to do where this is another language.",
            other.source,
            column=name_columns(other.items[name].column for name in names),
            name=name_items(names),
            expected=first.source,
        )


def _plain(labels: Labels) -> dict[str, str]:
    return {code: plain_label(label) for code, label in labels.items() if plain_label(label)}


def _is_listed(cell: Cell, labels: Labels) -> bool:
    """Tell whether study.yaml says of every label what it counts, and the same as the file."""
    return cell.labels is not None and all(cell.labels.get(label) == code for code, label in labels.items())


def _change(before: Labels, after: Labels) -> tuple[Severity, str] | None:
    """Return how labels differ: the same labels at other codes, some other labels, or all."""
    where = {label: code for code, label in before.items()}
    once = len(where) == len(before) and len(set(after.values())) == len(after)
    moved = [label for code, label in after.items() if where.get(label, code) != code]
    if once and len(moved) >= _MOVED:
        return "error", "the same labels stand at other codes"
    common = set(before) & set(after)
    changed = sorted(code for code in common if before[code] != after[code])
    if not changed:
        return None
    if len(changed) == len(common):
        return "info", "all of them"
    return "warning", f"those of the codes {', '.join(changed)}"


def _where(first: Occasion, other: Occasion) -> str:
    return f"in {first.source}" if first.source != other.source else f"at {first.timepoint}"


def _compare_questions(first: Occasion, other: Occasion, instrument: str) -> Iterator[Drift]:
    """Compare the questions of the same items in two forms, beyond case, spaces and numbers."""
    before, after = (_questions(one, instrument) for one in (first, other))
    common = [name for name in before if name in after]
    changed = [name for name in common if before[name] != after[name]]
    if not changed:
        return
    once = [{text for text, count in Counter(told.values()).items() if count == 1} for told in (before, after)]
    moved = [name for name in changed if after[name] in once[0] & once[1]]
    if moved:
        changed = moved
        words = f"{len(moved)} items of {instrument} ask what other items ask {_where(first, other)}"
        advice = "Give the columns of this file in the order of the instrument: items: [column, column, ...]."
    else:
        words = f"{len(changed)} of {len(common)} questions of {instrument} differ from those {_where(first, other)}"
        advice = "Look whether they still ask the same; a form of its own is declared under 'variants'."
    severity: Severity = "error" if moved else "info" if len(changed) == len(common) else "warning"
    yield Drift(
        severity,
        "question_changed",
        f"{words}.",
        advice,
        other.source,
        column=name_columns(other.items[name].column for name in changed),
        name=name_items(changed),
        expected=first.source,
    )


def _questions(form: Occasion, instrument: str) -> dict[str, str]:
    """Return item -> question in plain words, where the file has it."""
    asked = form.delivery.table.questions
    told = {
        name: " ".join(re.findall(r"[^\W\d_]+", asked.get(cell.column, "").casefold()))
        for name, cell in form.items.items()
        if instrument_of(name) == instrument
    }
    return {name: text for name, text in told.items() if text}
