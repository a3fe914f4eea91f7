"""Tables and sentences of a report as somebody reads them who looks for numbers of people."""

from __future__ import annotations

import math
import re
from typing import Final

from benchmarks.attacker.files import Placed, Read, plain
from benchmarks.attacker.fits import NAN, Share, Statistics
from benchmarks.attacker.names import Names
from benchmarks.attacker.story import Story, unit_of, width_of

COUNT: Final = r"(\d[\d,]*)"
_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_ENDS: Final = ("Value", "95 % interval")
_CHANGES: Final = {"better": "improved", "worse": "worsened", "either way": "unchanged"}


class Reader:
    """Reads words of one file into a story."""

    def __init__(self, story: Story, names: Names) -> None:
        self.story, self.names = story, names

    def read_table(self, table: Read) -> None:
        """Take in a table by its caption and headings."""
        if not table.rows:
            return
        caption, heads = plain(table.caption), [plain(cell) for cell in table.rows[0]]
        rows = [[plain(cell) for cell in cells] for cells in table.rows[1:] if any(cells)]
        arms = [self.names.arm(head) for head in heads[1:]]
        event = next((each for each, label in self.names.events.items() if label in caption), "")
        if heads[0] == "Statistic" and "Value" in heads:
            for cells in rows:
                self._read_estimate(dict(zip(heads, cells, strict=False)))
        elif "People" in heads:
            for cells in rows:
                self._read_observed(caption, dict(zip(heads[1:], cells[1:], strict=False)), cells[0])
        elif "eople, by arm" in caption:
            for cells in rows:
                for arm, cell in zip(arms, cells[1:], strict=False):
                    self._read_people(cells[0], arm, cell)
        elif event:
            for cells in rows:
                for arm, cell in zip(arms, cells[1:], strict=False):
                    self._read_harm(cells[0], arm or self._only_arm(), event, cell)
        elif "changed since" in caption or "spread" in caption:
            self._read_shares(caption, heads, rows)

    def _only_arm(self) -> str:
        return next(iter(self.names.arms.values())) if len(self.names.arms) == 1 else ""

    def _read_people(self, label: str, arm: str, cell: str) -> None:
        """Take in ``14``, ``at least 39``, ``14 (48 %)`` of a step."""
        if not arm:
            return
        times, measure = self.names.times_in(label), self.names.measure(label)
        kind = "analysed" if "model" in label else "answered" if times else "allocated"
        self.read_cell((kind, arm, times[-1] if times and kind == "answered" else "", measure), cell)

    def read_cell(self, what: tuple[str, str, str, str], cell: str) -> None:
        """Take in a number of people of a cell, and its share of everybody in the arm."""
        self.story.mention(what)
        if found := re.match(rf"at least {COUNT}", cell):
            self.story.tell(what, _number(found[1]), math.inf)
        elif found := re.match(rf"fewer than {COUNT}(?! of)", cell):
            self.story.tell(what, 0.0, _number(found[1]) - 1)
        elif found := re.match(rf"{COUNT}(?= \(|$| people| of)", cell):
            self.story.count(what, _number(found[1]))
        if found := re.search(r"\((at least )?([\d.]+) %( or more)?\)", cell):
            share, is_bound = float(found[2]) / 100, bool(found[1] or found[3])
            half = 0.5 * 10.0 ** -len(found[2].partition(".")[2]) / 100
            self.story.share(what, ("allocated", what[1], "", ""), share - half, 1.0 if is_bound else share + half)

    def _read_observed(self, caption: str, cells: dict[str, str], label: str) -> None:
        """Take in a row of observed scores, or of change."""
        arm, measure, times = self.names.arm(label) or self._only_arm(), self.names.measure(caption), None
        times = self.names.times_in(label.removeprefix(arm))
        if not (arm and measure and times):
            return
        kind = "both" if len(times) > 1 else "observed"
        what = (kind, arm, times[0], measure)
        self.read_cell(what, cells["People"])
        low, high = _ends(cells.get("95 % interval", ""))
        said = [cells.get(name, "") for name in ("Mean change" if kind == "both" else "Mean", "SD", "95 % interval")]
        told = Statistics(_first(said[0]), low=low, high=high, sd=_first(said[1]), unit=unit_of(said[0], said[2]),
                          sd_unit=unit_of(said[1]))  # fmt: skip
        self.story.mean(what, told)

    def _read_estimate(self, cells: dict[str, str]) -> None:
        """Take in a row of the table of all estimates."""
        measure, _, statistic = cells["Statistic"].partition(": ")
        arm, times = cells["Arm or contrast"], self.names.times_in(cells["Timepoint"])
        kind = {"observed": "observed", "mean": "observed", "standard deviation": "observed", "mean change": "both",
                "standardised change": "both", "marginal mean": "in model"}.get(statistic)  # fmt: skip
        if kind is None or not times or arm not in self.names.arms.values():
            return
        what = (kind, arm, times[0], self.names.measure(measure))
        self.read_cell(what, cells["People"])
        if statistic in ("mean", "mean change"):
            low, high = _ends(cells["95 % interval"])
            df, p = _first(cells["df"]), _first(cells["p"])
            # This table prints two decimals of every number: zeros at the end may be none of its digits.
            said = (re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):g}", cells[name]) for name in _ENDS)
            unit = unit_of(*said)
            self.story.mean(what, Statistics(_first(cells["Value"]), df=df, low=low, high=high, p=p, unit=unit))

    def _read_harm(self, label: str, arm: str, event: str, cell: str) -> None:
        if not arm:
            return
        what = ("harmed", arm, "", event)
        if label.startswith("People with it"):
            self.story.steps(what, cell)
        elif label.startswith("Of 100 people") and re.match(r"\d", cell):
            low, high = _ends(cell)
            unit = _gcd_unit([_first(cell), low, high])
            share = Share(_first(cell) / 100, low / 100, high / 100, unit / 100, "exact")
            self.story.printed_share(what, ("allocated", arm, "", ""), share)

    def _read_shares(self, caption: str, heads: list[str], rows: list[list[str]]) -> None:
        """Take in people of 100, by how they changed or where they scored; a column rounds alike."""
        measure = self.names.measure(caption)
        for place, head in enumerate(heads[1:], 1):
            arm = self.names.arm(head) or self._only_arm()
            cells = [(cells[0], cells[place]) for cells in rows if place < len(cells) and arm]
            numbers = [float(each) for _, cell in cells for each in _NUMBER.findall(cell) if re.match(r"\d", cell)]
            for label, cell in cells:
                times = self.names.times_in(head.removeprefix(arm)) or self.names.times_in(label)
                if times and re.match(r"\d+(\.\d+)?( \(|$)", cell):
                    what, whole = self._shared(label, arm, times[0], measure)
                    if what and measure:
                        low, high = _ends(cell)
                        unit = _gcd_unit(numbers) / 100 * width_of(what[0])
                        share = Share(_first(cell) / 100, low / 100, high / 100, unit, "wilson")
                        self.story.printed_share(what, whole, share)

    def _shared(self, label: str, arm: str, time: str, measure: str) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        both, observed = ("both", arm, time, measure), ("observed", arm, time, measure)
        if found := re.fullmatch(r"(\d+)(?: to (\d+))?", label):
            return (f"scored {found[1]}:{found[2] or found[1]}", arm, time, measure), observed
        if "at least" not in label and "less than that" not in label:
            return None, both
        change = next((name for words, name in _CHANGES.items() if words in label), "")
        is_reliable = "chance" in label or "error" in label or "reliabl" in label
        return (f"{'reliable' if is_reliable else 'meaningful'} {change}", arm, time, measure), both

    def read_sentences(self, text: str) -> None:
        """Take in ``14 of 29 in Peer support (48 %)``, ``Peer support, End: at least 60 %`` and the like."""
        for arm in self.names.arms.values():
            own = re.escape(arm)
            whole = ("allocated", arm, "", "")
            for time in self.names.times.values():
                answered = ("answered", arm, time, "")
                for found in re.finditer(rf"{own}, {time}: (at least )?([\d.]+) %", text):
                    half = 0.5 * 10.0 ** -len(found[2].partition(".")[2])
                    share = float(found[2])
                    self.story.share(answered, whole, (share - half) / 100, 1.0 if found[1] else (share + half) / 100)
            last = ("answered", arm, list(self.names.times.values())[-1], "")
            for found in re.finditer(rf"(at least )?{COUNT} of {COUNT} in {own}", text):
                self.story.count(whole, _number(found[3]))
                self.story.tell(last, _number(found[2]), math.inf) if found[1] else self.story.count(
                    last, _number(found[2])
                )
            for found in re.finditer(rf"in {own} \(fewer than (\d+) did not answer", text):
                self.story.known.limit({whole: 1.0, last: -1.0}, int(found[1]) - 1.0)
            for found in re.finditer(rf"Recorded for (nobody|{COUNT}(?: of {COUNT})?(?: people)?) in {own}", text):
                event = self.names.event(text[: found.start()])
                if event:
                    self.story.steps(("harmed", arm, "", event), "0" if found[1] == "nobody" else found[2])
        for found in re.finditer(rf"(?:Of {COUNT} people invited|Invited: {COUNT})", text):
            self.story.count(("invited", "", "", ""), _number(found[1] or found[2]))

    def read_boxes(self, boxes: list[Placed]) -> None:
        """Take in a diagram of boxes: an arm stands above those at the same place from left to right."""
        arms: dict[float, str] = {}
        for box in sorted((box for box in boxes if box.words), key=lambda box: box.y):
            words = plain(box.words)
            step = re.match(r"(.*?)(Started|Answered at|In the model of)(.*)", words)
            if step is None:
                continue
            told = {arm: re.search(rf"{re.escape(arm)}: ([^:]*?)(?=$|{self._any_arm()}: )", step[3])
                    for arm in self.names.arms.values()}  # fmt: skip
            beside = {arm: cell[1] for arm, cell in told.items() if cell}
            if step[2] == "Started" and self.names.arm(step[1]):
                arms[box.x] = self.names.arm(step[1])
            elif step[2] == "Started" and not beside:
                arms[box.x] = self._only_arm()
            for arm, cell in (beside or {arms.get(box.x, ""): step[3]}).items():
                label = "" if step[2] == "Started" else f"{step[2]} {step[3].partition(arm)[0] if beside else step[3]}"
                self._read_people(label, arm, _count_in(cell))

    def _any_arm(self) -> str:
        return "(?:" + "|".join(map(re.escape, self.names.arms.values())) + ")"


def _count_in(cell: str) -> str:
    """Return the number of people, and the share behind it, at the end of the words of a box."""
    found = re.search(r"(?:at least )?\d[\d,]*(?: \([^)]*\))?$", cell.strip())
    return found[0] if found else ""


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _first(cell: str) -> float:
    found = _NUMBER.match(cell)
    return _number(found[0]) if found else NAN


def _ends(cell: str) -> tuple[float, float]:
    found = re.search(rf"({_NUMBER.pattern}) to ({_NUMBER.pattern})", cell)
    return (_number(found[1]), _number(found[2])) if found else (NAN, NAN)


def _gcd_unit(numbers: list[float]) -> float:
    """Return the widest step of percent that all numbers are on."""
    whole = [number for number in numbers if number == number and 0 < number < 100]
    return next(
        (unit for unit in (50.0, 25.0, 20.0, 10.0, 5.0, 2.0, 1.0) if all(number % unit == 0 for number in whole)), 0.1
    )
