"""Every word of a claim and of page one comes from the catalogue, for every design and every kind of outcome."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from gettext import NullTranslations
from typing import get_args

import pytest
from babel import Locale

from analysis.design import Arm, DesignKind, Measure
from analysis.plan import Event
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, lint_claims, make_claim
from reports import claim_clauses as clauses
from reports.also_found import say_also_found
from reports.asked import say_question
from reports.chance import say_left_to_chance
from reports.claims import Claim
from reports.design_words import DESIGNS, headings_of, say_limits
from reports.language import Language, open_language, speaking
from reports.messages import extract_messages
from reports.not_to_conclude import say_certainty_means, say_interval_means, say_not_to_conclude
from reports.numbers import say_amount, say_difference, say_range
from reports.overview import say_next_steps, say_who_came
from reports.permutation import say_permutation
from reports.precision import say_precision
from reports.reading import Rows, read_rows
from reports.verbs import VERBS, say_verb

Build = Callable[..., ReportContent]
KINDS: tuple[DesignKind, ...] = get_args(DesignKind)
BY_LOT = ("randomised", "waitlist", "stepped_wedge")
CLEAR, NOT_CLEAR, NOTHING = (-2.4, -4.2, -0.6), (-0.9, -3.7, 2.0), (0.01, -1.2, 1.2)


class Dotted(NullTranslations):
    """A catalogue in whose language every letter is a dot; values in braces stay as they are.

    Lists of a Japanese locale have no "and".
    """

    def gettext(self, message: str) -> str:
        return "".join(part if part[:1] == "{" else re.sub(r"[^\W\d]", ".", part)
                       for part in re.split(r"(\{\w+\})", message))  # fmt: skip

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def speak(locale: str = "en_GB", catalogue: NullTranslations | None = None) -> Language:
    return Language(tag=locale[:2], locale=Locale.parse(locale), catalogue=catalogue or NullTranslations())


def unsaid(text: str, content: ReportContent) -> str:
    """The letters of a text that no catalogue gave, and that are not labels of the study either."""
    measures = [content.plan.measure_of(outcome.id, content.design) for outcome in content.plan.outcomes]
    labels = [each.label for each in (*content.design.arms, *content.design.timepoints, *content.design.covariates)]
    own = [
        *labels,
        "stigma_post",
        "A model in words.",
        "SSCI-8",
        *(words for each in measures for words in (each.label, each.concept)),
    ]
    for label in sorted(own, key=len, reverse=True):
        text = re.sub(re.escape(label), "", text, flags=re.IGNORECASE)
    return re.sub(r"[\W\d_]+", "", text)


def content_of(build: Build, kind: DesignKind, estimate: tuple[float, float, float], arms: int = 2) -> ReportContent:
    """Content of any design; its first outcome is felt stigma at 12 weeks."""
    is_alone = kind in ("single_group", "interrupted_time_series") or arms == 1
    content = build("single_group" if is_alone else "randomised", estimate=estimate, profile="none")
    design = replace(content.design, kind=kind)
    if kind == "interrupted_time_series":
        design = replace(design, arms=(replace(design.arms[0], starts="post"),))
    if kind == "stepped_wedge":
        design = replace(design, arms=tuple(Arm(arm.id, arm.label, starts="post") for arm in design.arms))
    return replace(content, design=design)


def as_outcome(content: ReportContent, kind: str) -> ReportContent:
    first, *others = content.plan.outcomes
    event = {"event": Event(at_least=20.0)} if kind == "binary" else {}
    outcomes = [first.model_copy(update={"kind": kind, **event}), *others]
    return replace(content, plan=content.plan.model_copy(update={"outcomes": outcomes}))


def rows_of(content: ReportContent) -> Rows:
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def claim_of(content: ReportContent) -> Claim:
    return make_claim(content.plan.estimands[0], rows_of(content), content)


def every_content(build: Build) -> Iterator[ReportContent]:
    for kind in KINDS:
        for estimate in (CLEAR, NOT_CLEAR, NOTHING):
            yield content_of(build, kind, estimate)
    yield content_of(build, "repeated_cross_section", CLEAR, arms=1)
    yield content_of(build, "repeated_cross_section", NOT_CLEAR, arms=1)


@pytest.mark.parametrize("outcome", ["score", "binary", "count", "ordinal"])
def test_every_word_of_a_claim_comes_from_the_catalogue(build: Build, outcome: str) -> None:
    language = speak("ja", Dotted())
    said = set()
    for content in every_content(build):
        content = as_outcome(content, outcome)
        with speaking(language):
            claim = claim_of(content)
        for text in (claim.sentence, *claim.notes):
            assert "." in text
            assert unsaid(text, content) == "", text
        said.add(claim.sentence)
    assert len(said) >= 20


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_page_one_comes_from_the_catalogue(build: Build, kind: DesignKind) -> None:
    content = content_of(build, kind, NOT_CLEAR)
    rows, outcome = rows_of(content), content.plan.outcomes[0]
    with speaking(speak("ja", Dotted())):
        block = say_precision(outcome, rows, content)
        headings = headings_of(content.design)
        texts = [*say_who_came(rows, content), *say_limits(content), headings.found, headings.people, headings.lead]
        for claims in ((), (claim_of(content),), (replace(claim_of(content), is_clear=True),)):
            texts += say_next_steps(rows, content, claims)
            first = claims[0] if claims else None
            texts += [*say_not_to_conclude(content, first, 1), say_certainty_means(1)]
            texts.append(say_interval_means(content, first))
        texts.append(say_question(replace(content, question="")))
        told = {each.id: make_claim(each, rows, content) for each in content.plan.estimands}
        texts += say_also_found(rows, content, told)
        texts.append(say_left_to_chance())
    assert block is None
    assert len(texts) > 10
    assert [text for text in texts if unsaid(text, content)] == []


@pytest.mark.parametrize("method", ["all allocations; groups drawn anew", "groups drawn anew", "people drawn anew",
                                    "all allocations; people drawn anew"])  # fmt: skip
def test_lots_drawn_anew_are_told_in_the_language_of_the_report(build: Build, method: str) -> None:
    content = content_of(build, "randomised", NOT_CLEAR)
    where = {"analysis": "permutation", "estimand": "stigma_post", "outcome": "stigma", "timepoint": "post", "n": 150.0}
    values = {"p_value": 0.0004, "difference": 2.0}
    if "groups" in method:
        values |= {"smallest_p_value": 0.1, "allocations": 924.0, "fewest_units": 3.0}
    more = results_table(
        Result(**where, statistic=name, value=value, verdict="estimated", method=method)
        for name, value in values.items()
    )
    rows = read_rows(gate_results(more, "threshold-10"))
    outcome = content.plan.outcomes[0]
    english = say_permutation(outcome, rows, content)
    with speaking(speak("ja", Dotted())):
        block = say_permutation(outcome, rows, content)
    assert block is not None
    assert english is not None
    assert "not shown" not in english.sentences[0]
    assert ("about 920" in english.sentences[0]) == ("groups" in method)
    assert "less than 0.1\u00a0% give a difference" in english.sentences[0]
    assert [text for text in (block.heading, *block.sentences, block.caution) if unsaid(text, content)] == []


@pytest.mark.parametrize("kind", ["randomised", "single_group"])
def test_what_the_data_could_have_shown_is_told_in_the_language_of_the_report(build: Build, kind: DesignKind) -> None:
    content = content_of(build, kind, NOT_CLEAR)
    found = Result(analysis="precision", statistic="detectable_change", estimand="stigma_post", outcome="stigma",
                   timepoint="post", value=3.1, n=150, verdict="estimated")  # fmt: skip
    rows = (*rows_of(content), *read_rows(gate_results(results_table([found]), "threshold-10")))
    with speaking(speak("ja", Dotted())):
        block = say_precision(content.plan.outcomes[0], rows, content)
    assert block is not None
    assert re.search(r"\b2 \.+:", block.sentences[0])
    assert [text for text in (block.heading, *block.sentences) if unsaid(text, content)] == []


def test_page_one_knows_in_any_language_that_the_answer_stays_inside(recount: Build) -> None:
    content = recount(usual=(12, 7, 6))
    with speaking(speak("ar")):
        claim = claim_of(content)
        steps = say_next_steps(rows_of(content), content, (claim,))
        came = say_who_came(rows_of(content), content)
    assert claim.is_withheld
    assert steps[0].startswith("Wait for more people")
    assert "not shown for" in came[1]


def test_only_designs_by_lot_have_a_verb_and_every_design_is_in_the_table() -> None:
    assert set(VERBS) == set(KINDS)
    for kind in KINDS:
        by_level = VERBS[kind]
        assert (by_level is not None) == (kind in BY_LOT)
        if by_level is None:
            with pytest.raises(KeyError):
                say_verb(kind, 4, -1.0, arm="A", measure="stigma")
        else:
            assert set(by_level) == {1, 2, 3, 4}
            said = {say_verb(kind, level, value, arm="A", measure="stigma") for level in by_level for value in (-1, 1)}
            assert len(said) == 8
            for sentence in said:
                with pytest.raises(Exception, match="does not allow"):
                    lint_claims(sentence, kind)


def test_what_was_observed_and_what_a_design_is_hold_no_causal_word() -> None:
    tables = [table for name, table in vars(clauses).items() if name.isupper()]
    pairs = [pair for table in tables for pair in (table.values() if isinstance(table, dict) else [table])]
    assert len(pairs) >= 28
    for message in (*DESIGNS.values(), *(message for pair in pairs for message in pair)):
        lint_claims(message, "single_group")


@pytest.mark.parametrize("kind", KINDS)
def test_no_claim_but_a_clear_one_by_lot_has_a_causal_verb(build: Build, kind: DesignKind) -> None:
    for estimate in (CLEAR, NOT_CLEAR, NOTHING):
        claim = claim_of(content_of(build, kind, estimate))
        assert claim.is_causal == (kind in BY_LOT and estimate == CLEAR)
        if not claim.is_causal:
            lint_claims(" ".join((claim.sentence, *claim.notes)), kind)


def test_labels_in_another_language_still_tell_what_the_model_allowed_for(build: Build) -> None:
    content = build("matched_comparison")
    results = content.results
    results["method"] = results["method"].mask(
        results["estimand"] == "stigma_post",
        "A model. Adjusted for Age. Terms left out because they add nothing: covariate age[T.2].",
    )
    design = replace(content.design, covariates=(replace(content.design.covariates[0], label="Edad"),))
    language = replace(open_language("en"), own={"Age": "Edad"})
    with speaking(language):
        assert "after allowing for Edad" in claim_of(replace(content, design=design)).sentence
    assert "allowing for" not in claim_of(replace(content, design=design)).sentence


def test_messages_of_claims_are_found_for_the_catalogue() -> None:
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in extract_messages()}
    by_level = VERBS["randomised"]
    assert by_level is not None
    wanted = [
        *DESIGNS.values(), by_level[2].lower, *clauses.WEIGHTED, *clauses.IN_STEPS["points"],
        "{number} point lower", "People notice changes of {amount} or more. All of the interval is that large.",
    ]  # fmt: skip
    assert [message for message in wanted if message not in known] == []


def measure(unit: str) -> Measure:
    return replace(Measure("m", "M total", "mood", 0, 40, "worse"), unit=unit)


@pytest.mark.parametrize(
    ("unit", "amount", "difference", "ends", "across"),
    [
        ("points", "2.4 points", "2.4 points lower", "0.6 to 4.2 points lower", "from 1.0 points lower to 2.5 points higher"),
        ("percent", "2.4 percentage points", "2.4 percentage points lower", "0.6 to 4.2 percentage points lower",
         "from 1.0 percentage points lower to 2.5 percentage points higher"),
        ("count", "2.4", "2.4 lower", "0.6 to 4.2 lower", "from 1.0 lower to 2.5 higher"),
        ("category", "2.4", "2.4 lower", "0.6 to 4.2 lower", "from 1.0 lower to 2.5 higher"),
    ],
)  # fmt: skip
def test_sizes_have_their_unit_and_their_way(unit: str, amount: str, difference: str, ends: str, across: str) -> None:
    of = measure(unit)
    assert say_amount(-2.4, of, 1) == amount
    assert say_difference(-2.4, of, 1) == difference
    assert say_difference(2.4, of, 1) == difference.replace("lower", "higher")
    assert say_range(-4.2, -0.6, of, 1) == ends
    assert say_range(0.6, 4.2, of, 1) == ends.replace("lower", "higher")
    assert say_range(-1.0, 2.5, of, 1) == across


def test_a_threshold_is_said_as_it_was_declared() -> None:
    assert [say_amount(value, measure("points")) for value in (1, 2, 2.5)] == ["1 point", "2 points", "2.5 points"]
