"""Somebody who wants to know of few people, and has nothing but the bytes of a report.

Knows how reports are read, and nothing of how they are made: reads tables by their captions and headings, sentences,
and what figures hold, writes down what each number says of people, and asks by linear programming between which limits
every number of people must lie that the report does not tell.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import numpy as np
from scipy.optimize import linprog

What = tuple[str, str, str, str]
"""Which people: what they did, arm, timepoint, measure."""
COUNT: Final = r"([\d,]+)"
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")


@dataclass
class Read:
    """A table as it is read: caption, and rows of cells, the headings first."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Takes tables, text and embedded JSON out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Read] = []
        self.figures: list[str] = []
        self.text: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(Read())
        elif tag == "tr" and self.tables:
            self.tables[-1].rows.append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1].rows:
            self.tables[-1].rows[-1].append("")
        elif tag == "script":
            tag = "json" if ("type", "application/json") in attrs else "script"
        if tag in ("td", "th", "caption", "json", "script", "style"):
            self._inside = tag
        if tag == "json":
            self.figures.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption", "script", "style"):
            self._inside = ""
        self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.figures[-1] += data
        elif self._inside == "caption":
            self.tables[-1].caption += data
        elif self._inside in ("td", "th"):
            self.tables[-1].rows[-1][-1] += data
        if self._inside not in ("json", "script", "style"):
            self.text.append(data)


@dataclass(frozen=True)
class Learned:
    """Between which numbers some people's number lies: (what, arm, timepoint, measure)."""

    what: What
    low: float
    high: float


class Attacker:
    """Reads one report of arms, timepoints and measures whose names stand in it, and of which it says how it rounds."""

    def __init__(
        self, page: bytes, arms: list[str], times: list[str], measures: list[str], rounded_to: int = 1
    ) -> None:
        self.rounded_to = rounded_to
        reader = _Reader()
        reader.feed(page.decode())
        self.arms, self.times, self.measures = arms, times, measures
        self.tables = reader.tables
        self.text = _plain(" ".join(reader.text))
        self.figures = [_plain(html.unescape(text)) for each in reader.figures for text in _texts(json.loads(each))]
        self.low: dict[What, float] = {}
        self.high: dict[What, float] = {}
        self.sums: list[tuple[dict[What, float], float]] = []

    def attack(self) -> Iterator[Learned]:
        """Yield what follows of every number of people."""
        for table in self.tables:
            self._read_table(table)
        for text in (self.text, *self.figures):
            self._read_sentences(text)
        self._relate()
        yield from self._solve()

    def _tell(self, what: What, low: float, high: float) -> None:
        if self.rounded_to > 1 and low == high > 0:
            low, high = low - self.rounded_to // 2, high + self.rounded_to // 2
        self.low[what] = max(self.low.get(what, 0.0), low)
        self.high[what] = min(self.high.get(what, np.inf), high)

    def _read_cell(self, what: What, cell: str) -> None:
        """Take in ``14``, ``at least 39``, ``fewer than 10 people``, ``14 (48 %)``."""
        cell = _plain(cell)
        self._tell(what, 0.0, np.inf)
        if found := re.match(rf"at least {COUNT}", cell):
            self._tell(what, _number(found[1]), np.inf)
        elif found := re.match(rf"fewer than {COUNT} people", cell):
            self._tell(what, 0.0, _number(found[1]) - 1)
        elif found := re.match(rf"{COUNT}(?= \(|$)", cell):
            self._tell(what, _number(found[1]), _number(found[1]))
        if found := re.search(r"\((at least )?([\d.]+) %( or more)?\)", cell):
            whole = ("allocated", what[1], "", "")
            share, is_bound = float(found[2]), bool(found[1] or found[3])
            self._share(what, whole, share - 0.5, 100.0 if is_bound else share + 0.5)

    def _share(self, part: What, whole: What, low: float, high: float) -> None:
        self._tell(part, 0.0, np.inf)
        self._tell(whole, 0.0, np.inf)
        if self.rounded_to > 1:
            return  # a share of rounded numbers says no more than they do
        self.sums += [({part: 1.0, whole: -high / 100}, 0.0), ({part: -1.0, whole: low / 100}, 0.0)]

    def _read_table(self, table: Read) -> None:
        heads = [_plain(cell) for cell in table.rows[0]] if table.rows else []
        caption = _plain(table.caption)
        measure = next((name for name in self.measures if name.lower() in caption.lower()), "")
        for cells in table.rows[1:]:
            label = _plain(cells[0])
            time = next((name for name in reversed(self.times) if re.search(rf"\b{name}\b", label)), "")
            if heads and heads[1:] and set(heads[1:]) <= set(self.arms) and "eople, by arm" in caption:
                what = "allocated" if not time and "model" not in label else "answered" if time else "in model"
                of = next((name for name in self.measures if name.lower() in label.lower()), "")
                for arm, cell in zip(heads[1:], cells[1:], strict=False):
                    self._read_cell((what, arm, time, of), cell)
            elif "People" in heads:
                arm = next((name for name in self.arms if label.startswith(name)), self.arms[0])
                named = re.findall("|".join(self.times), label.removeprefix(arm))
                if measure and named:
                    what = "both" if len(named) > 1 else "observed"
                    self._read_cell((what, arm, named[0], measure), cells[heads.index("People")])
            elif "had a fall" in caption or "fall" in caption.lower():
                self._read_harm(heads, cells)

    def _read_harm(self, heads: list[str], cells: list[str]) -> None:
        for head, cell in zip(heads[1:], cells[1:], strict=False):
            arm = next((name for name in self.arms if name in head), self.arms[0] if len(self.arms) == 1 else "")
            if arm and re.search(r"people|fall", _plain(cells[0]), re.IGNORECASE):
                found = re.match(r"fewer than ([\d,]+) people", _plain(cell))
                self._tell(("harmed", arm, "", ""), 0.0, _number(found[1]) - 1 if found else np.inf)

    def _read_sentences(self, text: str) -> None:
        """Take in ``14 of 29 in Peer support (48 %)`` and ``Peer support, End: at least 60 %``."""
        for arm in self.arms:
            whole = ("allocated", arm, "", "")
            for time in self.times:
                answered = ("answered", arm, time, "")
                pattern = rf"{re.escape(arm)}, {time}: (at least )?([\d.]+) %"
                for found in re.finditer(pattern, text):
                    self._share(answered, whole, float(found[2]) - 0.5, 100.0 if found[1] else float(found[2]) + 0.5)
            last = ("answered", arm, self.times[-1], "")
            for found in re.finditer(rf"(at least )?{COUNT} of {COUNT} in {re.escape(arm)}", text):
                self._tell(whole, _number(found[3]), _number(found[3]))
                self._tell(last, _number(found[2]), np.inf if found[1] else _number(found[2]))
            if re.search(rf"in {re.escape(arm)} \(fewer than (\d+) did not answer", text):
                most = int(re.search(rf"in {re.escape(arm)} \(fewer than (\d+) did not answer", text)[1])
                self.sums.append(({whole: 1.0, last: -1.0}, most - 1.0))
        for found in re.finditer(rf"(?:Of {COUNT} people invited|Invited: {COUNT})", text):
            self._tell(("invited", "", "", ""), *[_number(found[1] or found[2])] * 2)

    def _relate(self) -> None:
        """Take in what anybody knows: who answered had started, who has a score answered, and so on."""
        for what in list(self.low):
            kind, arm, time, measure = what
            wholes = {
                "answered": [("allocated", arm, "", "")],
                "in model": [("allocated", arm, "", "")],
                "harmed": [("allocated", arm, "", "")],
                "observed": [("answered", arm, time, ""), ("allocated", arm, "", "")],
                "both": [("observed", arm, time, measure), ("observed", arm, self.times[0], measure)],
            }.get(kind, [])
            for whole in wholes:
                self._tell(whole, 0.0, np.inf)
                self.sums.append(({what: 1.0, whole: -1.0}, 0.0))
        arms = [what for what in self.low if what[0] == "allocated"]
        if ("invited", "", "", "") in self.low:
            self.sums.append(({**dict.fromkeys(arms, 1.0), ("invited", "", "", ""): -1.0}, 0.0))

    def _solve(self) -> Iterator[Learned]:
        names = list(self.low)
        place = {what: number for number, what in enumerate(names)}
        matrix, limits = np.zeros((len(self.sums), len(names))), np.zeros(len(self.sums))
        for number, (terms, limit) in enumerate(self.sums):
            limits[number] = limit
            for what, factor in terms.items():
                matrix[number, place[what]] = factor
        bounds = [(self.low[what], min(self.high[what], 1e6)) for what in names]
        asked = {what: {what: 1.0} for what in names}
        for terms, limit in self.sums:
            if limit == 0 and sorted(terms.values()) == [-1.0, 1.0]:
                part = next(what for what, factor in terms.items() if factor > 0)
                whole = next(what for what, factor in terms.items() if factor < 0)
                asked["not " + part[0] + " of " + whole[0], *part[1:]] = {whole: 1.0, part: -1.0}
        for what, terms in asked.items():
            weights = np.zeros(len(names))
            for name, factor in terms.items():
                weights[place[name]] = factor
            ends = []
            for sign in (1.0, -1.0):
                answer = linprog(sign * weights, A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")
                if answer.x is None:
                    message = "What was read does not fit together: the report was misread."
                    raise ValueError(message)
                ends.append(float(weights @ answer.x))
            yield Learned(what, np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6))


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield re.sub(r"<[^>]+>", " ", node)
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(child)
