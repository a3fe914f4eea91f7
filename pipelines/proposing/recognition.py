"""Which columns of an export are the items of which instrument: by name, number of items, answers and questions."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from instruments import Instrument, apply_variants
from instruments.wording import Wording
from pipelines.declarations import item_columns
from pipelines.proposing.anchors import ANCHOR_FIT, Anchors, compare_anchors
from pipelines.proposing.column_runs import ColumnRun, find_runs
from pipelines.sources import RawTable

WHOLE_NAME, FAMILY_NAME = 1.0, 0.7
NAME_WEIGHT, COUNT_WEIGHT, ANSWERS_WEIGHT = 0.5, 0.2, 0.3
CLOSE: Final = 0.05
"""Two instruments whose confidence differs by no more are not told apart."""
FEWEST_UNNAMED: Final = 5
"""With fewer items than this, number and codes alone name no instrument."""
MOST_BESIDE: Final = 2
"""Columns that may follow the items under their name, such as the question on impairment after the PHQ-9."""
_TOTAL_HINT: Final = 0.25
_SHORTEST_FAMILY: Final = 3
_FEW: Final = 2
"""Columns that are alike in name without being items, such as the totals of two instruments."""
_MOST_WORDS: Final = 5
_LIKENESS: Final = 0.8
"""How alike a name must be to that of an instrument to be told as near (`difflib`)."""
_SHORTEST_NEAR: Final = 3
_FILLERS: Final = frozenset({"q", "i", "item", "question", "sq"})


@dataclass(frozen=True, slots=True)
class InstrumentProposal:
    """Columns that are probably the items of an instrument.

    Attributes
    ----------
    instrument : str
        Its id in the library.
    columns : tuple of str
        One column for each item, in the instrument's order.
    pattern : str
        The columns as study.yaml writes them, such as ``phq_{n}``; empty where only a list can say it.
    variants : tuple of str
        The variant whose codes the file has; empty for those of the definition.
    anchors : Anchors
        The codes of the file held against the response sets.
    confidence : float
        0 to 1; its parts are told in `reasons`.
    reasons : tuple of str
        What speaks for it and against it, in words; no answer of a participant.
    delivered : mapping
        Measure id -> column with a total of that name.
    is_named : bool
        Whether the columns have the name of the instrument, its family, or its questions.
    listed : tuple
        The columns in item order, None where the file has none; empty where it has all.
    """

    instrument: str
    columns: tuple[str, ...]
    pattern: str
    variants: tuple[str, ...]
    anchors: Anchors
    confidence: float
    reasons: tuple[str, ...]
    delivered: Mapping[str, str] = field(default_factory=dict)
    is_named: bool = True
    listed: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Columns that could not be placed (a pattern or a name), why, and the ids of the nearest instruments.

    `listed` has them in the order of the items of the nearest, None for those that the file has not, where that fits.
    """

    name: str
    columns: tuple[str, ...]
    why: str
    nearest: tuple[str, ...] = ()
    listed: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnRecognition:
    """The instruments that were recognised, best first, and runs of columns that were not placed."""

    instruments: tuple[InstrumentProposal, ...]
    unplaced: tuple[Unplaced, ...]


def recognise_instruments(
    table: RawTable, library: Mapping[str, Instrument], wordings: Sequence[Wording] = ()
) -> ColumnRecognition:
    """Say which instruments of the library a table probably holds.

    What speaks for an instrument is weighed: its name in the columns (0.5; without its number 0.35), as many columns
    as items (0.2), and answers that are those of its response sets (0.3). Without a name, only an instrument of five
    items or more is proposed, whose number and codes no other has; a column with a total of its name speaks for it.

    Parameters
    ----------
    table : RawTable
        A file as read. Blank cells are no answers.
    library : mapping
        Instrument id -> definition; those without items are not looked for.
    wordings : sequence of Wording
        Questions of licensed instruments; where a column asks one of them, that decides.

    Returns
    -------
    ColumnRecognition
        No column is in two proposals. Unplaced is what fits several instruments, or holds only some of the items.
    """
    claims = list(_by_questions(table, library, wordings))
    columns = [column for column in table.cells.columns if "___" not in column]  # no checkboxes of REDCap
    runs = find_runs(columns)
    counted = {column for run in runs if len(run.columns) > _FEW for column in run.columns}
    totals = find_totals([column for column in columns if column not in counted], library)
    by_name = _names(library)
    doubts: list[Unplaced] = []
    for run in runs:
        found, unsure = _claims_of(run, table, library, by_name, totals)
        claims += found
        doubts += unsure
    chosen: list[InstrumentProposal] = []
    used: set[str] = set()
    for claim in sorted(claims, key=lambda one: (-one.confidence, -len(one.columns), one.instrument, one.columns)):
        if not used & set(claim.columns):
            chosen.append(claim)
            used |= set(claim.columns)
    unplaced: list[Unplaced] = []
    seen = set(used)
    for doubt in sorted(doubts, key=lambda one: (not one.nearest, -len(one.columns))):
        if not seen & set(doubt.columns):
            unplaced.append(doubt)
            seen |= set(doubt.columns)
    settled, repeated = _without_unnamed_repeats(chosen)
    return ColumnRecognition(tuple(settled), (*repeated, *unplaced))


def propose_columns(
    instrument: Instrument, columns: Sequence[str | None], pattern: str, table: RawTable, reason: str
) -> InstrumentProposal:
    """Return the proposal for columns that somebody named, None for items without one: their answers are compared."""
    have = tuple(column for column in columns if column)
    variant, anchors = _best_anchors(instrument, have, table, columns)
    told = [reason, anchors.words]
    is_whole = len(have) == len(columns)
    if not is_whole:
        told.append(f"{len(columns) - len(have)} of {len(columns)} items are not in the file")
    return InstrumentProposal(
        instrument.id, have, pattern if is_whole else "", (variant,) if variant else (), anchors, 1.0, tuple(told),
        listed=() if is_whole else tuple(columns),
    )  # fmt: skip


def asked_items(instrument: Instrument, listed: Sequence[str | None]) -> Instrument:
    """Return an instrument with those items alone that have a column; as it is without a list."""
    if not listed or all(listed):
        return instrument
    items = [item for item, column in zip(instrument.items, listed, strict=False) if column]
    return instrument.model_copy(update={"items": items})


def find_totals(columns: Iterable[str], library: Mapping[str, Instrument]) -> dict[str, dict[str, str]]:
    """Return instrument -> measure -> column, for columns named as an instrument alone or with ``total`` or ``sum``."""
    names = {
        _compact(name): instrument
        for instrument in library.values()
        for name in (*instrument.aliases, instrument.short_name, instrument.id)
        if len(_compact(name)) > 1
    }
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for column in columns:
        plain = re.sub(r"(total|sum|score|tot)$", "", _compact(column))
        instrument = names.get(plain)
        if instrument is not None and any(measure.id == "total" for measure in instrument.measures):
            found[instrument.id].setdefault("total", column)
    return dict(found)


def nearest_instrument(library: Mapping[str, Instrument]) -> Callable[[str], str]:
    """Return a function from a column name to the id of the instrument with the most similar name; blank for none."""
    owners = {
        _compact(name): instrument.id
        for instrument in library.values()
        for name in (*instrument.aliases, instrument.short_name, instrument.id)
    }

    @cache
    def find(stem: str) -> str:
        near = difflib.get_close_matches(stem, owners, n=1, cutoff=_LIKENESS) if len(stem) >= _SHORTEST_NEAR else []
        return owners[near[0]] if near else ""

    return lambda column: find(_compact(re.sub(r"[\W_]*\d*[A-Za-z]?$", "", column)) or _compact(column))


def _claims_of(
    run: ColumnRun,
    table: RawTable,
    library: Mapping[str, Instrument],
    by_name: Mapping[str, Mapping[str, float]],
    totals: Mapping[str, Mapping[str, str]],
) -> tuple[list[InstrumentProposal], list[Unplaced]]:
    """Return what the run may be, and what it cannot be told to be."""
    strengths = _strengths(run.stem, by_name)
    named = {name for name in strengths if 0 <= len(run.columns) - len(library[name].items) <= MOST_BESIDE}
    fitting = {one.id for one in library.values() if len(one.items) == len(run.columns) >= FEWEST_UNNAMED}
    exact = {name for name in named if len(library[name].items) == len(run.columns)}
    candidates = exact or {name for name in named if strengths[name] == WHOLE_NAME}
    if not strengths:
        candidates = fitting
    claims = [_claim(library[name], run, table, strengths.get(name, 0.0), totals) for name in sorted(candidates)]
    claims = sorted((one for one in claims if _is_possible(one)), key=lambda one: -one.confidence)
    if claims and (len(claims) == 1 or claims[0].confidence - claims[1].confidence > CLOSE):
        return claims[:1], []
    if claims:
        return [], [
            Unplaced(run.name, run.columns, "It fits several instruments.", tuple(c.instrument for c in claims))
        ]
    if strengths:
        n_columns = len(run.columns)
        likely = min(strengths, key=lambda name: (-strengths[name], abs(len(library[name].items) - n_columns)))
        why = f"{n_columns} columns with the name of an instrument that has {len(library[likely].items)} items"
        why += ", and other answers." if likely in candidates else "."
        listed = _incomplete(library[likely], run, table)
        columns = tuple(column for column in listed if column) or run.columns
        return [], [Unplaced(run.name, columns, why, (likely,), listed)]
    return [], [Unplaced(run.name, run.columns, "No instrument has this name, or this number of items and codes.")]


def _incomplete(instrument: Instrument, run: ColumnRun, table: RawTable) -> tuple[str | None, ...]:
    """Return the columns in item order where half of the items are there at least, with answers of theirs."""
    have = set(table.cells.columns)
    listed = [name if name in have else None for name in item_columns(run.pattern or None, len(instrument.items))]
    told = [name for name in listed if name]
    if len(run.columns) >= len(instrument.items) or 2 * len(told) < len(instrument.items):
        return ()
    verdict = compare_anchors(table, told, asked_items(instrument, listed)).verdict
    return () if verdict in ("other", "none") else tuple(listed)


def _claim(
    instrument: Instrument,
    run: ColumnRun,
    table: RawTable,
    strength: float,
    totals: Mapping[str, Mapping[str, str]],
) -> InstrumentProposal:
    n_items = len(instrument.items)
    columns = run.columns[:n_items]
    variant, anchors = _best_anchors(instrument, columns, table)
    delivered = totals.get(instrument.id, {}) or _total_beside(instrument, run, table)
    share = n_items / len(run.columns)
    confidence = NAME_WEIGHT * strength + COUNT_WEIGHT * share + ANSWERS_WEIGHT * ANCHOR_FIT[anchors.verdict]
    confidence += _TOTAL_HINT if delivered and not strength else 0.0
    words = {WHOLE_NAME: "its name stands in the columns", FAMILY_NAME: "its name without the number"}
    reasons = [
        words.get(strength, "no name in the columns"),
        f"{n_items} of {len(run.columns)} columns" if share < 1 else f"{n_items} columns for {n_items} items",
        anchors.words,
        *(f"a column with its name, {column}, probably holds its {measure}" for measure, column in delivered.items()),
        *([f"codes as in its variant '{variant}'"] if variant else []),
    ]
    pattern = run.pattern if share == 1 or run.pattern else ""
    return InstrumentProposal(
        instrument.id, columns, pattern, (variant,) if variant else (), anchors, round(min(confidence, 1.0), 2),
        tuple(reasons), dict(delivered), strength > 0,
    )  # fmt: skip


def _total_beside(instrument: Instrument, run: ColumnRun, table: RawTable) -> dict[str, str]:
    """Return the column that has the stem of the items, and is called a total."""
    stem = _compact(run.stem)
    named = {f"{stem}{word}" for word in ("total", "sum", "score", "tot")}
    columns = [column for column in table.cells.columns if stem and _compact(column) in named]
    is_one = len(columns) == 1 and any(measure.id == "total" for measure in instrument.measures)
    return {"total": columns[0]} if is_one else {}


def _is_possible(claim: InstrumentProposal) -> bool:
    """Tell whether the answers leave the claim possible; without a name they must be those of the definition."""
    if claim.is_named:
        return claim.anchors.verdict != "other"
    return claim.anchors.verdict in ("equal", "part_of", "worded") and not claim.variants


def _best_anchors(
    instrument: Instrument, columns: Sequence[str], table: RawTable, listed: Sequence[str | None] = ()
) -> tuple[str, Anchors]:
    """Return the variant (blank: as defined) whose answers the columns have, and the comparison with them.

    `listed` has the columns item by item where some were not asked.
    """
    as_defined = compare_anchors(table, columns, asked_items(instrument, listed))
    if as_defined.verdict in ("equal", "part_of", "worded", "none"):
        return "", as_defined
    for variant in instrument.variants:
        if variant.response_sets:
            other = compare_anchors(table, columns, asked_items(apply_variants(instrument, [variant.id]), listed))
            if other.verdict == "equal":
                return variant.id, other
    return "", as_defined


def _by_questions(
    table: RawTable, library: Mapping[str, Instrument], wordings: Sequence[Wording]
) -> list[InstrumentProposal]:
    """Return the instruments whose questions the columns ask, as overlays word them."""
    asked: dict[str, str] = {}
    for column in table.cells.columns:
        text = table.questions.get(column, column)
        for part in (text, text.rpartition(" - ")[2], text.rpartition("[")[2].rstrip("]")):
            asked.setdefault(_words(part), column)
    claims = []
    for wording in wordings:
        instrument = library[wording.instrument]
        columns = [asked.get(_words(wording.items[item.id])) for item in instrument.items]
        if all(columns) and len(set(columns)) == len(columns):
            named = [column for column in columns if column]
            reason = f"its questions, as the wording in '{wording.language}' has them"
            claims.append(propose_columns(instrument, named, "", table, reason))
    return claims


def _without_unnamed_repeats(
    chosen: Sequence[InstrumentProposal],
) -> tuple[list[InstrumentProposal], list[Unplaced]]:
    """Return the proposals, and apart those that only codes tell where an instrument would stand several times."""
    count = Counter(one.instrument for one in chosen)
    doubtful = [one for one in chosen if not one.is_named and count[one.instrument] > 1]
    settled = [one for one in chosen if one not in doubtful]
    why = "Several runs of columns fit this instrument, and none has its name."
    return settled, [Unplaced(one.pattern or one.columns[0], one.columns, why, (one.instrument,)) for one in doubtful]


def _names(library: Mapping[str, Instrument]) -> dict[str, dict[str, float]]:
    """Return name without spaces -> instrument -> strength."""
    by_name: dict[str, dict[str, float]] = defaultdict(dict)
    for instrument in library.values():
        if instrument.items:
            for name in (instrument.id, instrument.short_name, *instrument.aliases):
                whole = _compact(name)
                family = whole.rstrip("0123456789")
                if len(family) >= _SHORTEST_FAMILY:
                    by_name[family].setdefault(instrument.id, FAMILY_NAME)
                by_name[whole][instrument.id] = WHOLE_NAME
    return by_name


def _strengths(stem: str, by_name: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the instruments whose name stands in the stem; a longer name goes before a shorter one."""
    words = [word for word in re.findall(r"[a-z]+|\d+", stem.lower()) if word not in _FILLERS]
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        found: dict[str, float] = {}
        for start in range(len(words) - length + 1):
            for name, strength in by_name.get("".join(words[start : start + length]), {}).items():
                found[name] = max(strength, found.get(name, 0.0))
        if found:
            return found
    return {}


def _compact(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
