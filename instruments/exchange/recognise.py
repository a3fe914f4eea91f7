"""Which known instruments does a form hold? Its fields, matched to definitions by their names and answers."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from instruments.errors import InstrumentError
from instruments.exchange.fields import FormField, name_fields
from instruments.exchange.redcap import read_data_dictionary, read_fields, require_data_dictionary
from instruments.exchange.xlsform import read_questions, read_xlsform
from instruments.model import Instrument
from instruments.parts import AllowedValues, ResponseSet
from instruments.variants import apply_variants

UNDETERMINED: Final = "undetermined"
"""What stands for the variant where several fit."""
OUR_NAMES, ITS_NAME, FORM_NAME, FAMILY_NAME = 1.0, 0.9, 0.8, 0.6
NAME_WEIGHT, COUNT_WEIGHT, ANSWERS_WEIGHT = 0.5, 0.2, 0.3
LEAST_SCORE: Final = 0.7
LEAST_SHARE: Final = 0.5
CLOSE: Final = 0.05
"""Two instruments whose scores differ by no more are not told apart."""
_EVIDENCE = {
    OUR_NAMES: "fields named as we name them", ITS_NAME: "its name in the fields",
    FORM_NAME: "its name in the form", FAMILY_NAME: "its name without the number in the fields",
}  # fmt: skip
_FILLER = re.compile(r"(?<=[a-z0-9])_?(q|i|item|question)$")
_SHORTEST_FAMILY = 3
_MOST_WORDS = 4
_LIKENESS = 0.75
_MISSING_CODES = frozenset({66, 77, 88, 97, 98, 99, 666, 777, 888, 997, 998, 999, 9999})


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised in a form, what could be several things, and what was not recognised.

    Every field of the form stands in exactly one of the first three tables.

    Attributes
    ----------
    matches : DataFrame
        One row per recognised field: instrument, variant (blank: as defined; `UNDETERMINED`: see `notes`), item (its
        id; the measure's id for a score that we export), field, evidence, score (of the match, 0.7 to 1).
    ambiguous : DataFrame
        field, row, candidates (ids, the likeliest first), why.
    unknown : DataFrame
        field, row, kind (as the form calls it), nearest (id of the instrument with the most similar name, or blank).
    notes : DataFrame
        instrument, about (variant, items or answers), note: what a person should settle before scoring.
    """

    matches: pd.DataFrame
    ambiguous: pd.DataFrame
    unknown: pd.DataFrame
    notes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Claim:
    """Fields that may be the items of an instrument, out of a series of fields with that name.

    `variants` fit equally well, and `answers` is the share of the fields whose answers fit them.
    """

    instrument: Instrument
    items: Mapping[str, FormField]
    n_series: int
    name: float
    variants: tuple[str, ...]
    answers: float | None

    @property
    def fields(self) -> set[str]:
        return {field.name for field in self.items.values()}

    @property
    def share(self) -> float:
        return len(self.items) / max(len(self.instrument.items), self.n_series)

    @property
    def score(self) -> float:
        answers = 0.5 if self.answers is None else self.answers
        return round(NAME_WEIGHT * self.name + COUNT_WEIGHT * self.share + ANSWERS_WEIGHT * answers, 3)


def recognise_dictionary(dictionary: pd.DataFrame | Path, library: Mapping[str, Instrument]) -> Recognition:
    """Say which known instruments a form holds.

    The fields that may be the items of one instrument are found by name: as our exports name them, by id, short name
    or alias and number (``phq9_3``, ``t1_phq_9_q03``), by the name of their form, or by the name without its own number
    (``phq_3``). What speaks for them is weighed: how they are named (0.5), how many of the items are there (0.2), and
    whether codes and ranges are those of the definition or of a variant (0.3; half of it where the form does not tell).
    A code that the form has besides is taken for a missing code where it is negative or one such as 99; a label that
    stands at another code than in the definition speaks against it.

    Parameters
    ----------
    dictionary : DataFrame or Path
        A REDCap data dictionary (headers of its pages or of its API), its CSV file, or an XLSForm workbook (.xlsx).
    library : mapping
        Instrument id -> Instrument. Variants by other codes or another order of items are tried one at a time; one of
        another order shows only where labels are our concepts, or our annotation tells.

    Returns
    -------
    Recognition
        Ambiguous is what fits several instruments within `CLOSE` (a complete one is preferred to an incomplete one),
        has answers that differ from the definition and all its variants, or holds less than half of the items.

    Raises
    ------
    InstrumentError
        The file is absent, or is no form; with file, row and column.
    """
    fields = _read(dictionary)
    claims = sorted(_claim(fields, library), key=lambda one: (-one.score, one.instrument.id, *sorted(one.fields)))
    matches: list[_Claim] = []
    ambiguous: list[tuple[str, str, str]] = []
    settled: set[str] = set()
    for claim in claims:
        if claim.fields & settled:
            continue
        rivals = [one for one in claims if _is_rival(one, claim) and not one.fields & settled]
        doubt = _doubt(claim, rivals)
        if doubt is None:
            if claim.score < LEAST_SCORE:
                continue
            matches.append(claim)
            settled |= claim.fields
            continue
        candidates = "; ".join(dict.fromkeys(one.instrument.id for one in [claim, *rivals]))
        doubted = claim.fields.union(*(one.fields for one in rivals))
        ambiguous += [(name, candidates, doubt) for name in doubted]
        settled |= doubted
    return _tables(fields, library, matches, {name: (ids, why) for name, ids, why in ambiguous})


def _read(dictionary: pd.DataFrame | Path) -> list[FormField]:
    if isinstance(dictionary, pd.DataFrame):
        return read_fields(require_data_dictionary(dictionary))
    if not dictionary.is_file():
        raise InstrumentError(
            Problem("file_missing", "There is no such file.", "Give a data dictionary (.csv) or a form (.xlsx).",
                    dictionary.name)
        )  # fmt: skip
    if dictionary.suffix.lower() in (".xlsx", ".xlsm"):
        return read_questions(read_xlsform(dictionary))
    return read_fields(read_data_dictionary(dictionary))


def _claim(fields: Sequence[FormField], library: Mapping[str, Instrument]) -> Iterator[_Claim]:
    """Yield what each instrument may claim: a series for each name and prefix, such as that of a timepoint."""
    by_name, ours = _names(library)
    found: dict[tuple[str, str, float], dict[str, FormField]] = defaultdict(dict)
    for field in fields:
        if field.is_question:
            for series, name, number, strength in _readings(field, by_name, ours):
                found[series, name, strength].setdefault(number, field)
    forms: dict[str, dict[str, Instrument]] = {}
    for (_, name, strength), numbered in found.items():
        items = {item.id: numbered[item.id] for item in library[name].items if item.id in numbered}
        if items:
            if name not in forms:
                forms[name] = _forms(library[name])
            yield _Claim(library[name], items, len(numbered), strength, *_fit(forms[name], items))


def _names(library: Mapping[str, Instrument]) -> tuple[dict[str, dict[str, float]], dict[str, tuple[str, str]]]:
    """Return name -> instrument -> strength, and the field names of our exports -> instrument and item."""
    by_name: dict[str, dict[str, float]] = defaultdict(dict)
    ours: dict[str, tuple[str, str]] = {}
    for instrument in library.values():
        if not instrument.items:
            continue
        ours |= {field: (instrument.id, item) for item, field in name_fields(instrument).items.items()}
        for name in (instrument.id, instrument.short_name, *instrument.aliases):
            whole = _compact(name)
            family = whole.rstrip("0123456789")
            if len(family) >= _SHORTEST_FAMILY:
                by_name[family].setdefault(instrument.id, FAMILY_NAME)
            by_name[whole][instrument.id] = ITS_NAME
    return by_name, ours


def _readings(
    field: FormField, by_name: Mapping[str, Mapping[str, float]], ours: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, str, str, float]]:
    """Yield how the name of a field can be read: the series it is of, instrument, item, strength."""
    name = field.name.lower()
    if name in ours:
        yield "our names", *ours[name], OUR_NAMES
    head, digits = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
    for cut in range(len(digits)):
        item = digits[cut:].lstrip("0")
        stem = (head + digits[:cut]).rstrip("_")
        if not item:
            break
        for reading in {stem, _FILLER.sub("", stem)}:
            words = reading.split("_")
            for count in range(1, min(_MOST_WORDS, len(words)) + 1):
                for instrument, strength in by_name.get(_compact("".join(words[-count:])), {}).items():
                    yield f"fields {stem}", instrument, item, strength
    if digits.strip("0") and re.fullmatch(r"(?:q|i|item|question)?_?", head):
        words = field.form.lower().split("_")
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                for instrument, strength in by_name.get(_compact("".join(words[start:end])), {}).items():
                    if strength == ITS_NAME:
                        yield f"form {field.form}", instrument, digits.lstrip("0"), FORM_NAME


def _forms(instrument: Instrument) -> dict[str, Instrument]:
    """Return the forms of an instrument that a dictionary can show, by variant; blank: as defined."""
    shown = [one.id for one in instrument.variants if one.response_sets or one.order]
    return {variant: apply_variants(instrument, [variant] if variant else []) for variant in ("", *shown)}


def _fit(forms: Mapping[str, Instrument], items: Mapping[str, FormField]) -> tuple[tuple[str, ...], float | None]:
    """Return the forms of the instrument that the fields fit best, and the share of known answers that fit."""
    told = [item for item, field in items.items() if field.answers is not None]
    ranks: dict[str, tuple[float, int, int]] = {}
    for variant, form in forms.items():
        sets = {item.id: form.response_sets[item.response_set] for item in form.items}
        worded = {item: _same_labels(items[item], sets[item]) for item in told}
        fitting = sum(_same_answers(items[item], sets[item].allowed) and worded[item] is not False for item in told)
        concepts = sum(field.concept == item.concept for item in form.items if (field := items.get(item.id)))
        ranks[variant] = (fitting / len(told) if told else 0.0, sum(one is True for one in worded.values()), concepts)
    best = max(ranks.values())
    return tuple(name for name, rank in ranks.items() if rank == best), best[0] if told else None


def _same_answers(field: FormField, allowed: AllowedValues) -> bool:
    ends = (allowed.minimum, allowed.maximum)
    if field.is_range:
        whole = not allowed.options or len(allowed.options) == ends[1] - ends[0] + 1
        return whole and field.answers == ends
    codes, options = set(field.answers or ()), set(map(float, allowed.options))
    return bool(options) and options <= codes and all(code < 0 or code in _MISSING_CODES for code in codes - options)


def _same_labels(field: FormField, response_set: ResponseSet) -> bool | None:
    """Return whether labels that both have stand at the same codes; None where they share none."""
    found: dict[str, set[float]] = defaultdict(set)
    for code, label in zip(field.answers or (), field.labels, strict=False):
        found[_words(label)].add(code)
    known = [(float(option.value), _words(option.label)) for option in response_set.options if option.label]
    shared = [(code, label) for code, label in known if label in found]
    return all(code in found[label] for code, label in shared) if shared else None


def _is_rival(one: _Claim, claim: _Claim) -> bool:
    """Return whether another instrument fits nearly as well; what is complete is preferred to what is not."""
    other = one.instrument.id != claim.instrument.id and bool(one.fields & claim.fields)
    return other and round(abs(claim.score - one.score), 3) <= CLOSE and (one.share == 1 or claim.share < 1)


def _doubt(claim: _Claim, rivals: Sequence[_Claim]) -> str | None:
    """Return why a claim cannot be settled here; None where it can, or is too weak to speak of."""
    if rivals:
        return "Names and answers fit several instruments."
    if claim.answers is not None and claim.answers < 1:
        n_differ = round((1 - claim.answers) * len(claim.items))
        return f"The codes, or what they mean, differ from the definition and its variants in {n_differ} fields."
    if claim.share < LEAST_SHARE and claim.score >= LEAST_SCORE:
        return f"{len(claim.items)} of {len(claim.instrument.items)} items are here, in {claim.n_series} such fields."
    if claim.score < LEAST_SCORE and claim.share == 1:
        return "Names fit in part only, and the form does not say which answers there are."
    return None


def _tables(
    fields: Sequence[FormField], library: Mapping[str, Instrument], matches: Sequence[_Claim],
    ambiguous: Mapping[str, tuple[str, str]],
) -> Recognition:  # fmt: skip
    known: list[tuple[object, ...]] = []
    present = {field.name for field in fields}
    for claim in sorted(matches, key=lambda one: (one.instrument.id, *sorted(one.fields))):
        scored = name_fields(claim.instrument).measures if claim.name == OUR_NAMES else {}
        variant = claim.variants[0] if len(claim.variants) == 1 else UNDETERMINED
        shown = [(item, field.name, _evidence(claim)) for item, field in claim.items.items()]
        shown += [(measure, name, "a score as we name it") for measure, name in scored.items() if name in present]
        known += [(claim.instrument.id, variant, *one, claim.score) for one in shown]
    columns = ["instrument", "variant", "item", "field", "evidence", "score"]
    matched = pd.DataFrame(known, columns=columns).astype(dict.fromkeys(columns[:-1], "str") | {"score": "float64"})
    settled = set(matched["field"])
    doubted = [(one.name, one.row, *ambiguous[one.name]) for one in fields if one.name in ambiguous]
    nearest = _nearest(library)
    unknown = [
        (one.name, one.row, one.kind, nearest(re.sub(r"[\d_]+$", "", one.name.lower())))
        for one in fields if one.name not in settled and one.name not in ambiguous
    ]  # fmt: skip
    return Recognition(
        matched,
        _table(doubted, ["field", "row", "candidates", "why"]),
        _table(unknown, ["field", "row", "kind", "nearest"]),
        _table([note for claim in matches for note in _notes(claim)], ["instrument", "about", "note"]),
    )


def _table(rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> pd.DataFrame:
    types = {name: "int64" if name == "row" else "str" for name in columns}
    return pd.DataFrame(rows, columns=list(columns)).astype(types)


def _evidence(claim: _Claim) -> str:
    answers = "answers not told by the form" if claim.answers is None else "answers as defined"
    return f"{_EVIDENCE[claim.name]}; {len(claim.items)} of {len(claim.instrument.items)} items; {answers}"


def _notes(claim: _Claim) -> Iterator[tuple[str, str, str]]:
    name = claim.instrument.id
    if len(claim.variants) > 1:
        forms = ", ".join(variant or "as defined" for variant in claim.variants)
        yield name, "variant", f"The form fits equally: {forms}. Look at its questions, and name the one it is."
    absent = [item.id for item in claim.instrument.items if item.id not in claim.items]
    if absent:
        yield name, "items", f"Not found: {', '.join(absent)}."
    if claim.answers is None:
        yield name, "answers", "The form does not say which answers there are. Compare the codes with the definition."


def _nearest(library: Mapping[str, Instrument]) -> Callable[[str], str]:
    """Return a function from the name of a field to the instrument with the most similar name."""
    owners = {
        _compact(name): instrument.id
        for instrument in library.values()
        for name in (*instrument.aliases, instrument.short_name, instrument.id)
    }

    @cache
    def find(stem: str) -> str:
        near = difflib.get_close_matches(_compact(stem), owners, n=1, cutoff=_LIKENESS)
        return owners[near[0]] if near else ""

    return find


def _compact(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words(label: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", label.lower()))
