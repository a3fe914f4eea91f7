"""The message catalogues are whole, and a report says nothing of ours that is not in them."""

import ast
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from babel import Locale
from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from analysis.results import Result, results_table
from instruments import load_library
from reports import ReportContent, messages
from reports.language import LANGUAGES, open_language
from reports.lint import readable_text
from reports.messages import KEYWORDS, LOCALES, ROOMS, ROOT, extract_messages, find_faults, update_catalogue
from reports.render import Report, prepare_report, quoted_strings, render_page

Build = Callable[..., ReportContent]
OPEN, CLOSE = "\u27e6", "\u27e7"
AND = "und"
"""What stands in lists of the marked language, by its locale; the English word would be one that nobody said."""
WORD = re.compile(r"[^\W\d_]{2}")
DESIGNS = (
    "randomised", "waitlist", "matched_comparison", "comparison", "single_group",
)  # fmt: skip


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extract_messages()


# -- what the catalogues must hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(LOCALES.glob("*.po")), ids=lambda path: path.stem)
def test_every_catalogue_is_whole(path: Path, template: Catalog) -> None:
    assert list(find_faults(path.stem, template)) == []


def test_every_language_has_a_catalogue_and_every_catalogue_its_language() -> None:
    assert {path.stem for path in LOCALES.glob("*.po")} == set(LANGUAGES) - {"en"}


def test_messages_are_found_in_code_templates_definitions_and_contracts(template: Catalog) -> None:
    instrument = load_library()["phq-9"]
    for message in (
        "Sessions, by arm",
        "What to do next",
        "For: {sponsor}",
        "public domain",
        instrument.measures[0].label,
        instrument.measures[0].concept,
        instrument.items[8].concept,
        instrument.recall_period,
        "The score is within the range of its measure.",
        "in range",
    ):
        assert message in template, message
    assert template["For: {sponsor}"].id == "For: {sponsor}"
    assert template["{arm}: {count} session was held."].id == (
        "{arm}: {count} session was held.",
        "{arm}: {count} sessions were held.",
    )


def test_only_what_is_said_is_a_message_and_comments_reach_translators() -> None:
    code = """
# i18n: of people
x = {
    "a": (say("one " "whole", value=say(WORDS["key"])), mark("two")),
}
y = say(f"no {x}") + say_many("{n} one", "{n} many", n) + say_as("ctx", "three") + print("four")
# i18n: below
z = tell("five", value=tell("six"))
"""
    found = [(message, comments, context) for _, message, comments, context in messages._messages_of_code(code)]
    assert found == [
        ("one whole", ["of people"], None),
        ("two", ["of people"], None),
        (("{n} one", "{n} many"), [], None),
        ("three", [], "ctx"),
        ("five", ["below"], None),
        ("six", ["below"], None),
    ]


def test_no_sentence_is_put_together_before_it_is_said() -> None:
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
                said = call.args[: len(KEYWORDS[call.func.id])]
                chosen = [branch for part in said if isinstance(part, ast.IfExp) for branch in (part.body, part.orelse)]
                glued = [part for part in said if isinstance(part, ast.JoinedStr | ast.BinOp)]
                glued += [branch for branch in chosen if isinstance(branch, ast.Constant)]
                assert not glued, f"{path.name}, line {call.lineno}"


def test_values_in_braces_are_names_so_that_they_can_change_places(template: Catalog) -> None:
    for message in template:
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        for name in (each for form in forms for each in re.findall(r"{([^}]*)}", form)):
            assert name.isidentifier(), message.id


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Catalog], Path]:
    """A function that writes the French catalogue of a place of its own."""
    monkeypatch.setattr(messages, "LOCALES", tmp_path)

    def plant(catalogue: Catalog) -> Path:
        path = tmp_path / "fr.po"
        with path.open("wb") as file:
            write_po(file, catalogue)
        return path

    return plant


def wanted() -> Catalog:
    catalogue = Catalog()
    catalogue.add("What to do next")
    catalogue.add("At {timepoint}")
    catalogue.add(("{count} point", "{count} points"))
    return catalogue


def french(**changed: Any) -> Catalog:
    """A whole catalogue, but for what is changed: None leaves a message out."""
    told: dict[str, Any] = {"next": "Que faire ensuite", "at": "\u00c0 {timepoint}", "points": ("{count} point", "{count} points")}  # fmt: skip
    ids: dict[str, Any] = {"next": "What to do next", "at": "At {timepoint}", "points": ("{count} point", "{count} points")}  # fmt: skip
    catalogue = Catalog(locale="fr")
    for name, translation in (told | changed).items():
        if translation is not None:
            catalogue.add(ids.get(name, name), translation)
    return catalogue


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, None),
        ({"at": None}, "fr: not there: At {timepoint}"),
        ({"Gone": "Parti"}, "fr: no longer said: Gone"),
        ({"next": ""}, "fr: not translated: What to do next"),
        ({"points": ("{count} point", "")}, "fr: not translated: ('{count} point', '{count} points')"),
        ({"at": "\u00c0 {moment}"}, "fr: other values in braces: At {timepoint}"),
        ({"at": "\u00c0"}, "fr: other values in braces: At {timepoint}"),
        ({"points": ("{count} point", "points")}, "fr: other values in braces: ('{count} point', '{count} points')"),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_found(
    changed: dict[str, Any], fault: str | None, planted: Callable[[Catalog], Path]
) -> None:
    planted(french(**changed))
    assert list(find_faults("fr", wanted())) == ([fault] if fault else [])


def test_a_guess_is_no_translation(planted: Callable[[Catalog], Path]) -> None:
    catalogue = french()
    catalogue["What to do next"].flags.add("fuzzy")
    planted(catalogue)
    assert list(find_faults("fr", wanted())) == ["fr: not translated: What to do next"]


def test_an_update_takes_what_is_new_drops_what_is_gone_and_keeps_what_is_translated(
    planted: Callable[[Catalog], Path],
) -> None:
    path = planted(french(at=None, Gone="Parti"))
    update_catalogue("fr", wanted())
    assert list(find_faults("fr", wanted())) == ["fr: not translated: At {timepoint}"]
    with path.open("rb") as file:
        after = read_po(file, locale="fr")
    assert after["What to do next"].string == "Que faire ensuite"
    assert not after.obsolete


# -- a report says nothing of ours that is not in the catalogue -------------------------------------------------------


class Marked(NullTranslations):
    """Every message in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def unmarked(content: ReportContent) -> list[str]:
    """What a report in the marked language says outside of the brackets, but for what is not ours to say."""
    marked = replace(open_language("en"), catalogue=Marked(), locale=Locale("de"))
    report = prepare_report(replace(content, language=marked))
    text = "\n".join((*_texts(render_page(report)), *_texts_of_figures(report)))
    while (shorter := re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)) != text:
        text = shorter
    others = {*quoted_strings(content), *_written_out(content), "width=device-width, initial-scale=1", "no-referrer"}
    for words in sorted(others, key=len, reverse=True):
        anyhow_wrapped = r"\s+".join(map(re.escape, words.split()))
        text = re.sub(rf"(?<!\w){anyhow_wrapped}(?!\w)", " ", text) if words else text
    lines = (re.sub(rf"\b{AND}\b", " ", line).strip() for line in text.splitlines())
    return [line for line in lines if WORD.search(line)]


def _texts(page: str) -> Iterator[str]:
    """Text and spoken attributes; the data of figures apart, for they also hold words for plotly."""
    yield readable_text(re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL))


def _texts_of_figures(report: Report) -> Iterator[str]:
    view = report.view
    blocks = [*view.people_blocks, *view.annex_blocks, *(block for card in view.cards for block in card.blocks)]
    blocks += [block for section in view.sections for block in section.blocks]
    drawn = [*view.people_figures, *view.outcomes_figures, *view.annex_figures]
    drawn += [each for holder in (*view.cards, *view.sections, *blocks) for each in holder.illustrations]
    for each in drawn:
        for text in _printed(json.loads(each.figure.to_json())):
            yield html.unescape(text.replace("<br>", " "))


def _printed(node: Any, key: str = "") -> Iterator[str]:
    """Yield what plotly prints of a figure."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _printed(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from _printed(value, key)
    elif isinstance(node, str) and key in ("name", "text", "hovertext", "ticktext", "ticksuffix"):
        yield node


def _written_out(content: ReportContent) -> Iterable[str]:
    """Sentences of hand-made results, which nobody can say in another language, and marks of a publication."""
    yield from content.results.loc[content.results["words"] == "", "method"].unique()
    yield "doi"
    yield from content.verdicts["description"]
    yield from content.provenance["versions"].values()
    yield from content.provenance["fingerprints"].values()


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_report_says_nothing_that_cannot_be_translated(build: Build, kind: str) -> None:
    assert unmarked(build(kind, synthetic=True, evaluator="An institute")) == []


def test_samples_drawn_anew_can_be_told_in_any_language(build: Build) -> None:
    content = build("repeated_cross_section", synthetic=True)
    nobody_is_followed = content.results[content.results["statistic"] != "allocated"]
    assert unmarked(replace(content, results=nobody_is_followed)) == []


@pytest.mark.parametrize(
    "how",
    [
        {"verdict": "refused:empty_cell"},
        {"verdict": "failed:not_converged"},
        {"counts": {"peer": (9, 8, 3), "usual": (8, 0, 5)}},
        {"counts": {"peer": (220, 215, 214), "usual": (231, 200, 160)}, "recruitment": {}},
        {"profile": "none", "smallest": None},
        {"estimate": (-2.4, -5.2, 0.4), "p_value": 0.09},
        {"p_adjusted": 0.2},
        {"smallest": 1.0, "level": 1},
    ],
)
def test_no_answer_leads_to_a_sentence_that_cannot_be_translated(build: Build, how: dict[str, Any]) -> None:
    assert unmarked(build(**how)) == []


def test_delivery_flags_and_reasons_can_be_translated(build: Build) -> None:
    content = build()
    rows = [
        *(
            Result(analysis="delivery", statistic=statistic, arm="peer", value=value, n=200, item=item, fewest=100)
            for statistic, item, value in (
                ("sessions_held", "", 120), ("sessions_held", "online", 60), ("sessions_held", "in_person", 60),
                ("sessions_cancelled", "", 12), ("attended_any", "", 200), ("mean_attended", "", 6.2),
                ("median_attended", "", 6), ("lower_quartile_attended", "", 4), ("upper_quartile_attended", "", 8),
                ("share_attended", "", 61), ("people_per_session", "", 7.5), ("median_spacing", "", 7),
            )
        ),
        Result(analysis="delivery", statistic="facilitators", value=12, n=12),
        Result(analysis="delivery", statistic="sessions_per_facilitator", value=10, n=12),
        *(
            Result(analysis="quality", statistic=flag, timepoint="post", value=40, n=40)
            for flag in ("too_fast", "straight_lining", "failed_attention", "bot", "flagged")
        ),
    ]  # fmt: skip
    results = pd.concat([content.results, results_table(rows)], ignore_index=True)
    reasons = "; ".join(f"{rule}: 3" for rule in ("preview", "superseded", "known_arm", "identical_file"))
    account = content.reconciliation.assign(reasons=reasons)
    assert unmarked(replace(content, results=results, reconciliation=account)) == []


def test_a_leak_is_seen(build: Build) -> None:
    content = build(verdict="refused:empty_cell")
    told = content.results.assign(words='"Leaking words."')
    assert any("Leaking words." in line for line in unmarked(replace(content, results=told)))
