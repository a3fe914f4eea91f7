"""The language of a report: numbers, lists, plural forms, direction, and sentences of the analysis said again."""

from collections.abc import Callable
from dataclasses import replace
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from typing import get_args

import pytest
from babel import Locale
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from analysis.design import DesignKind
from analysis.telling import REMEDY, Number, join_told, list_told, tell, tell_many
from reports import ReportContent, ReportError, prepare_report, render_report
from reports.codebook import describe_results
from reports.language import (
    Language,
    isolate,
    language_spoken,
    open_language,
    own_words,
    print_number,
    say,
    say_as,
    say_list,
    say_many,
    say_reason,
    say_told,
    speaking,
)
from reports.numbers import format_interval, format_number, format_p, format_percent, format_threshold
from reports.own_words import translate_content

FSI, PDI = "\u2068", "\u2069"
Messages = dict[str | tuple[str, str], str | tuple[str, ...]]


def language(tag: str, messages: Messages | None = None, **own: str) -> Language:
    """A language with a catalogue made as those that are shipped."""
    catalogue = Catalog(locale=tag)
    for message, translation in (messages or {}).items():
        catalogue.add(message, translation)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(tag=tag, locale=Locale.parse(tag), catalogue=GNUTranslations(compiled), own=own)


@pytest.mark.parametrize(
    ("tag", "number", "text"),
    [
        ("en", 1234.5, "1,234.5"),
        ("es", 1234.5, "1.234,5"),
        ("fr", 1234.5, "1\u202f234,5"),
        ("ar", 1234.5, "1,234.5"),
    ],
)
def test_numbers_have_the_marks_of_the_locale(tag: str, number: float, text: str) -> None:
    with speaking(language(tag)):
        assert print_number(number, 1) == text
        assert print_number(1234.0, 0) == text[:-2]


def test_every_number_that_is_printed_follows_the_locale() -> None:
    words: Messages = {"{low} to {high}": "{low} a {high}", "{number}\u00a0%": "{number}\u00a0%"}
    with speaking(language("es", words)):
        assert format_number(-2.44) == "\u22122,4"
        assert format_interval(-4.2, -0.6) == "\u22124,2 a \u22120,6"
        assert format_p(0.0342) == "0,034"
        assert format_p(0.0001) == "<\u00a00,001"
        assert format_threshold(2.5) == "2,5"
        assert format_percent(12.34, 1) == "12,3\u00a0%"


@pytest.mark.parametrize(("tag", "text"), [("en", "a, b and c"), ("es", "a, b y c"), ("fr", "a, b et c")])
def test_lists_end_as_the_language_ends_them(tag: str, text: str) -> None:
    spoken = open_language("en") if tag == "en" else language(tag)
    with speaking(spoken):
        assert say_list(["a", "b", "c"]) == text
        assert say_list(["a"]) == "a"
        assert say_list([]) == ""


POINTS = ("{count} point", "{count} points")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 point"), (1, "1 point"), (1.5, "1.5 point"), (-1.5, "-1.5 point"), (2, "2 points"), (2.4, "2.4 points")],
)
def test_french_says_less_than_two_in_the_singular(number: float, text: str) -> None:
    with speaking(language("fr", {POINTS: ("{count} point", "{count} points")})):
        assert say_many(*POINTS, number, count=f"{number:g}") == text


@pytest.mark.parametrize(
    ("number", "form"),
    [(0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many"), (99, "many"), (100, "other"),
     (103, "few"), (1.5, "other"), (3.5, "other")],
)  # fmt: skip
def test_arabic_has_six_forms(number: float, form: str) -> None:
    forms = ("zero", "one", "two", "few", "other", "many")  # in the order of the head that babel writes
    with speaking(language("ar", {POINTS: forms})):
        assert say_many(*POINTS, number, count="") == form


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 points"), (0.5, "0.5 points"), (1, "1 point"), (1.5, "1.5 points")]
)
def test_english_has_one_thing_only_at_one(number: float, text: str) -> None:
    assert say_many(*POINTS, number, count=f"{number:g}") == text


def test_what_is_put_into_a_sentence_keeps_its_direction_where_it_runs_from_right_to_left() -> None:
    words: Messages = {"At {timepoint}: {count}": "{timepoint} :\u0641\u064a {count}"}
    with speaking(language("ar", words)):
        assert say("At {timepoint}: {count}", timepoint="Week 12", count="\u22123") == (
            f"{FSI}Week 12{PDI} :\u0641\u064a {FSI}\u22123{PDI}"
        )
        assert FSI not in say("At {timepoint}: {count}", timepoint="\u0645\u0648\u0639\u062f", count="3")
        assert FSI in say_list(["a", "b"])
        assert isolate("Week 12") == f"{FSI}Week 12{PDI}"
        assert isolate("") == ""
    with speaking(language("es")):
        assert FSI not in say("At {timepoint}: {count}", timepoint="Week 12", count="3") + isolate("Week 12")


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ReportError, match="Reports do not speak 'xx'") as refused:
        open_language("xx")
    assert "en" in str(refused.value)


def test_a_language_ends_with_its_block() -> None:
    with speaking(language("es")):
        assert language_spoken().tag == "es"
    assert language_spoken().tag == "en"


def test_a_context_tells_the_same_english_apart() -> None:
    catalogue = Catalog(locale="es")
    catalogue.add("none", "ninguna", context="of rows")
    catalogue.add("none", "ninguno", context="of people")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    spoken = replace(language("es"), catalogue=GNUTranslations(compiled))
    with speaking(spoken):
        assert (say_as("of rows", "none"), say_as("of people", "none")) == ("ninguna", "ninguno")


def test_nothing_is_said_as_nothing_and_not_as_the_head_of_the_catalogue() -> None:
    with speaking(language("es")):
        assert say("") == ""


def told() -> str:
    """A sentence as the analysis tells it, with all that it may hold."""
    first = tell("Model of {measure}; fixed: {terms}.", measure="SSCI-8 total", terms=list_told(["age", "arm"]))
    second = tell_many("{count} person left.", "{count} people left.", 1234, count=Number(1234))
    return join_told([first, second, tell("By {size}.", size=Number(-2.44, 1))])


def test_a_sentence_of_the_analysis_is_the_same_in_english() -> None:
    sentence = told()
    assert say_told(sentence.words, sentence) == sentence  # type: ignore[attr-defined]
    assert sentence == "Model of SSCI-8 total; fixed: age and arm. 1,234 people left. By \u22122.4."


def test_a_sentence_of_the_analysis_is_said_again_in_another_language() -> None:
    words: Messages = {
        "Model of {measure}; fixed: {terms}.": "Modelo de {measure}; fijos: {terms}.",
        ("{count} person left.", "{count} people left."): ("Se fue {count} persona.", "Se fueron {count} personas."),
        "By {size}.": "En {size}.",
    }
    sentence = told()
    with speaking(language("es", words, age="edad")):
        said = say_told(sentence.words, sentence)  # type: ignore[attr-defined]
    assert said == "Modelo de SSCI-8 total; fijos: edad y arm. Se fueron 1.234 personas. En \u22122,4."


def test_a_page_says_why_and_an_annex_also_what_a_researcher_may_do() -> None:
    words: Messages = {
        "Too few of {arm}.\nRead on; see fewest_per_arm.": "Pocos de {arm}.\nSiga; véase fewest_per_arm."
    }
    pattern = tell("Too few of {arm}.\nRead on; see fewest_per_arm.")
    sentence = tell(pattern, arm="two\nlines")
    assert sentence == "Too few of two lines. Read on; see fewest_per_arm."
    assert say_reason(sentence.words, sentence) == "Too few of two lines."
    with speaking(language("es", words)):
        assert say_reason(sentence.words, sentence) == "Pocos de two lines."
        assert say_told(sentence.words, sentence) == "Pocos de two lines. Siga; véase fewest_per_arm."
    both = join_told([tell("Too few."), tell("Collect more.")], REMEDY)
    assert (say_reason(both.words, both), both) == ("Too few.", "Too few. Collect more.")


def test_a_text_without_words_stays_as_it_is_or_as_the_study_words_it() -> None:
    with speaking(language("es", None, Peers="Pares")):
        assert say_told("", "A model in words.") == "A model in words."
        assert say_told("", "Peers") == own_words("Peers") == "Pares"


def test_labels_of_the_study_are_its_own_words_and_concepts_are_ours(build: Callable[..., ReportContent]) -> None:
    spoken = language(
        "es",
        {"felt stigma": "estigma percibido", "SSCI-8 total": "SSCI-8, total", "exclusion": "exclusi\u00f3n"},
        **{"Peer support": "Apoyo entre pares", "12 weeks": "12 semanas", "Age": "Edad", "declared": "declarado",
           "Do people feel less stigma?": "\u00bfSienten menos estigma?", "WHO-5 index": "\u00cdndice WHO-5"},
    )  # fmt: skip
    content = build()
    said = translate_content(replace(content, language=spoken))
    assert said.question == "\u00bfSienten menos estigma?"
    assert [arm.label for arm in said.design.arms] == ["Apoyo entre pares", "Usual care"]
    assert [at.label for at in said.design.timepoints] == ["Baseline", "12 semanas", "26 weeks"]
    assert said.design.covariates[0].label == "Edad"
    measure = said.plan.measure_of("stigma", said.design)
    assert (measure.label, measure.concept) == ("SSCI-8, total", "estigma percibido")
    assert said.plan.measure_of("wellbeing", said.design).label == "\u00cdndice WHO-5"
    noticed = said.plan.outcome("stigma").smallest_meaningful_change
    assert noticed is not None
    assert noticed.source == "declarado"
    assert "exclusi\u00f3n" in [item.concept for item in said.instruments["ssci-8"].items]
    with speaking(said.language):
        about = tell("About {measure}.", measure="SSCI-8 total")
        assert say_told(about.words, about) == "About SSCI-8, total."
    assert content.design.arms[0].label == "Peer support"


def test_a_share_of_people_is_named_in_the_language(build: Callable[..., ReportContent]) -> None:
    spoken = language(
        "es",
        {
            "{measure} of at least {limit}": "{measure} de al menos {limit}",
            "the share of people with {event}": "la proporci\u00f3n de personas con {event}",
            "SSCI-8 total": "SSCI-8, total",
        },
    )
    content = build()
    outcome = content.plan.outcomes[0].model_validate(
        {"id": "stigma", "measure": "ssci-8.total", "role": "primary", "kind": "binary", "event": {"at_least": 24.5}}
    )
    plan = content.plan.model_copy(update={"outcomes": [outcome, *content.plan.outcomes[1:]]})
    said = translate_content(replace(content, plan=plan, language=spoken))
    with speaking(said.language):
        measure = said.plan.measure_of("stigma", said.design)
    assert measure.label == "SSCI-8, total de al menos 24,5"
    assert measure.concept == "la proporci\u00f3n de personas con SSCI-8, total de al menos 24,5"


def test_english_without_own_words_is_as_the_files_have_it(build: Callable[..., ReportContent]) -> None:
    content = build()
    assert isinstance(content.language.catalogue, NullTranslations)
    said = translate_content(content)
    assert said.design == content.design
    assert said.plan.model_dump() == content.plan.model_dump()
    assert said.instruments == content.instruments


@pytest.mark.parametrize("tag", ["es", "fr", "ar"])
@pytest.mark.parametrize("kind", get_args(DesignKind))
def test_every_design_speaks_every_language_and_claims_no_more_than_it_may(
    build: Callable[..., ReportContent], kind: str, tag: str
) -> None:
    content = build(kind, level=2)
    if kind == "interrupted_time_series":
        arms = tuple(replace(arm, starts="post") for arm in content.design.arms)
        content = replace(content, design=replace(content.design, arms=arms))
    page = render_report(replace(content, language=open_language(tag)))
    assert f'<html lang="{tag}"' in page
    english = prepare_report(content).view.headline.claims[0].sentence
    assert english not in page


def test_texts_of_a_study_cannot_turn_round_what_stands_beside_them() -> None:
    assert own_words("a\u202eb\u2066c\x00d\x07e\u2028f") == "abcdef"
    with speaking(replace(open_language("es"), own={"Peer": "Pa\u202eres"})):
        assert own_words("Peer") == "Pares"
    assert own_words("\u062f\u0639\u0645 1\u200f") == "\u062f\u0639\u0645 1\u200f"


def test_a_codebook_tells_in_the_language_of_the_report_what_columns_hold(build: Callable[..., ReportContent]) -> None:
    content = build()
    english, spanish = (
        describe_results(prepare_report(replace(content, language=open_language(tag)))) for tag in ("en", "es")
    )
    assert (spanish["name"] == english["name"]).all()
    assert (spanish["meaning"] != english["meaning"]).all()
