"""The answers in a file held against the response sets of an instrument."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from instruments import Instrument
from instruments.parts import ResponseSet
from pipelines.sources import RawTable

Verdict = Literal["equal", "part_of", "worded", "reversed", "shifted", "texts", "none", "other"]
ANCHOR_FIT: Final[Mapping[Verdict, float]] = {
    "equal": 1.0, "worded": 1.0, "part_of": 0.7, "reversed": 0.6, "shifted": 0.5, "texts": 0.5, "none": 0.4,
    "other": 0.0,
}  # fmt: skip
"""How much each verdict speaks for an instrument."""
MOST_TEXTS: Final = 12
"""A question with more different answers has no closed set of them."""
SLIPS: Final = 0.002
"""Share of the answers up to which a code that no other file would have is a slip of the hand."""
RARE: Final = 2
"""A text that stands in fewer cells is told by nobody: it may be somebody's own words."""
_MISSING_CODES: Final = frozenset({66, 77, 88, 97, 98, 99, 666, 777, 888, 997, 998, 999, 9999})
_NO_ANSWERS: Final = frozenset({
    "no answer", "not answered", "no response", "refused", "declined", "missing", "n a", "na", "not applicable",
    "don t know", "prefer not to say", "prefer not to answer", "sin respuesta", "no contesta", "no sabe",
    "keine angabe", "weiß nicht", "sans réponse", "ne sait pas",
})  # fmt: skip
"""Texts that say why there is no answer."""
_WHOLE: Final = re.compile(r"([-+]?\d{1,6})(?:\.0+)?")
_RANK: Final[tuple[Verdict, ...]] = ("none", "equal", "worded", "part_of", "reversed", "shifted", "texts", "other")


@dataclass(frozen=True, slots=True)
class Anchors:
    """How the answers of some columns relate to those that an instrument has.

    Attributes
    ----------
    verdict : str
        ``equal``: every code of the definition and no other; ``part_of``: some of them; ``worded``: texts that are
        labels of the definition; ``reversed``: labels at the mirrored codes; ``shifted``: all codes higher or lower by
        the same number; ``texts``: a closed set of texts that the definition does not have; ``none``: no answers;
        ``other``: something else.
    words : str
        The same as a sentence part.
    recode : mapping
        Code or text in the file -> code of the instrument, where they differ; None where only a person can tell.
    missing : tuple of str
        Codes such as 99 or -9 that are no answers of the instrument, and probably say why there is none.
    """

    verdict: Verdict
    words: str
    recode: Mapping[str, int | None] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def compare_anchors(
    table: RawTable,
    columns: Sequence[str],
    instrument: Instrument,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> Anchors:
    """Compare the answers in columns with the response sets of an instrument's items.

    Parameters
    ----------
    table : RawTable
        The file; its value labels are compared where it has some.
    columns : sequence of str
        One for each item, in the instrument's order.
    instrument : Instrument
        The definition, or a variant of it.
    labels : mapping, optional
        Response set -> code -> label in another language, as a wording has them.

    Returns
    -------
    Anchors
        The worst of the response sets, where there are several.
    """
    of_set: dict[str, list[str]] = defaultdict(list)
    for item, column in zip(instrument.items, columns, strict=False):
        of_set[item.response_set].append(column)
    found = [
        _compare_set(table, named, instrument.response_sets[name], (labels or {}).get(name, {}))
        for name, named in of_set.items()
    ]
    worst = max(found, key=lambda one: _RANK.index(one.verdict))
    recode = {text: code for one in found for text, code in one.recode.items()}
    conflicting = any(recode[text] != code for one in found for text, code in one.recode.items())
    if conflicting:
        return Anchors("other", "its response sets would need different translations of the same codes")
    missing = tuple(dict.fromkeys(code for one in found for code in one.missing))
    return Anchors(worst.verdict, worst.words, recode, missing)


def observed_codes(table: RawTable, columns: Sequence[str], rows: Sequence[int] | None = None) -> frozenset[int]:
    """Return the whole numbers that stand in columns (and rows), without codes such as 99 or -9."""
    cells = table.cells if rows is None else table.cells.loc[list(rows)]
    codes = {
        _whole(text)
        for column in columns
        for text in cells[column].unique()
        if not table.is_missing(column, text.strip())
    }
    return frozenset(code for code in codes if code is not None and code >= 0 and code not in _MISSING_CODES)


def _compare_set(table: RawTable, columns: Sequence[str], answers: ResponseSet, labels: Mapping[str, str]) -> Anchors:
    counts: Counter[str] = Counter()
    for column in columns:
        own = Counter(text.strip() for text in table.cells[column])
        coded = {text for text in own if _says_missing(text) and _whole(text) not in answers.allowed.options}
        counts.update({
            text: count for text, count in own.items() if text in coded or not table.is_missing(column, text)
        })  # fmt: skip
    del counts[""]
    if not counts:
        return Anchors("none", "no answers in the file")
    allowed = answers.allowed
    if not allowed.options:
        return _compare_range(counts, allowed.minimum, allowed.maximum)
    options = set(allowed.options)
    slips = _slips(counts, options)
    numbers = {text: _whole(text) for text in counts if text not in slips}
    told_slips = f", and {sum(counts[text] for text in slips)} typing slips" if slips else ""
    if sum(code is None for code in numbers.values()) > len(numbers) / 2:
        return _compare_texts(counts, answers, labels)
    codes = {code for code in numbers.values() if code is not None}
    missing = {code for code in codes - options if code < 0 or code in _MISSING_CODES}
    aside = tuple(str(code) for code in sorted(missing))
    codes -= missing
    if None in numbers.values() or not codes:
        return Anchors("other", "answers that are no whole numbers", {}, aside)
    recode = _recode_by_labels(table, columns, answers)
    if recode and codes <= set(map(int, recode)):
        return Anchors("reversed", "its labels stand at other codes in the file", recode, aside)
    if codes <= options:
        if codes == options:
            return Anchors("equal", f"codes {_list(codes)}, as defined{told_slips}", {}, aside)
        return Anchors("part_of", f"codes {_list(codes)}, part of {_list(options)}{told_slips}", {}, aside)
    return _compare_shift(codes, allowed.options, aside)


def _says_missing(text: str) -> bool:
    """Tell whether a code is one of those that say everywhere why there is no answer."""
    code = _whole(text)
    return code is not None and (code < 0 or code in _MISSING_CODES)


def _slips(counts: Counter[str], options: set[int]) -> set[str]:
    """Return the texts that hardly ever stand, where all others are options: they are no codes of their own."""
    most = SLIPS * sum(counts.values())
    strange = {text for text in counts if _whole(text) not in options}
    coded = {text for text in strange if (code := _whole(text)) is not None and (code < 0 or code in _MISSING_CODES)}
    rare = {text for text in strange - coded if counts[text] <= most}
    return rare if strange - coded == rare else set()


def _compare_range(counts: Counter[str], low: float, high: float) -> Anchors:
    numbers = [float(text) for text in counts if re.fullmatch(r"[-+]?\d+(\.\d+)?", text)]
    if len(numbers) == len(counts) and all(low <= number <= high for number in numbers):
        return Anchors("part_of", f"numbers from {low:g} to {high:g}")
    return Anchors("other", f"answers that are no numbers from {low:g} to {high:g}")


def _compare_shift(codes: set[int], options: tuple[int, ...], missing: tuple[str, ...]) -> Anchors:
    step = min(codes) - options[0] if len(codes) == len(options) else (1 if max(codes) > options[-1] else -1)
    if abs(step) == 1 and {code - step for code in codes} <= set(options):
        words = f"codes {_list(codes)} where it has {_list(options)}: probably shifted by {step:+d}"
        return Anchors("shifted", words, {str(option + step): option for option in options}, missing)
    return Anchors("other", f"codes {_list(codes)[:60]} where it has {_list(options)}", {}, missing)


def _compare_texts(counts: Counter[str], answers: ResponseSet, labels: Mapping[str, str]) -> Anchors:
    known = {_words(option.label): option.value for option in answers.options if option.label}
    known |= {_words(label): int(code) for code, label in labels.items()}
    aside = tuple(text for text in counts if _words(text) in _NO_ANSWERS and _words(text) not in known)
    counts = Counter({text: count for text, count in counts.items() if text not in aside})
    common = [text for text, count in counts.items() if count >= RARE or _words(text) in known]
    if len(common) > MOST_TEXTS or not common:
        return Anchors("other", "answers in words, too many or too rare to be choices", {}, aside)
    recode = {text: known.get(_words(text)) for text in common}
    unknown = sum(code is None for code in recode.values())
    if not unknown and len(common) == len(counts):
        return Anchors("worded", "answers in its own words", recode, aside)
    rare = len(counts) - len(common)
    words = f"answers in words, {unknown} of {len(common)} not known" + (f", {rare} more are rare" if rare else "")
    return Anchors("texts", words, recode, aside)


def _recode_by_labels(table: RawTable, columns: Sequence[str], answers: ResponseSet) -> dict[str, int | None]:
    """Return code in the file -> code of the definition by value labels; empty where they agree or tell too little."""
    known = {_words(option.label): option.value for option in answers.options if option.label}
    told = {
        code: known[_words(label)]
        for column in columns
        for code, label in table.answers.get(column, {}).items()
        if _words(label) in known and _whole(code) is not None
    }
    differs = any(_whole(code) != value for code, value in told.items())
    return dict(told) if differs and len(told) == len(answers.options) else {}


def _whole(text: str) -> int | None:
    match = _WHOLE.fullmatch(text.strip())
    return int(match[1]) if match else None


def _list(codes: Sequence[int] | set[int]) -> str:
    ordered = sorted(codes)
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(map(str, ordered))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
