"""The fingerprint of a plan: blind to how it is written, and to nothing that it says."""

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from analysis import Arm, Covariate, Measure, Plan, StudyDesign, Timepoint
from analysis.deviations import find_deviations
from analysis.fingerprint import (
    SCORING,
    WORDS,
    FrozenPlan,
    FrozenVersion,
    canonical_content,
    canonical_plan,
    fingerprint,
)
from data_contracts.documents import load_document
from instruments import Instrument

SPELLINGS = 40
"""Ways to write one plan; each draws the order of keys, quotes, comments and which defaults are spelt out."""
MARGIN = {"value": 1.5, "question": "equivalence", "source": "a paper"}
FULL: dict[str, Any] = {
    "sap": 1,
    "population": "intention_to_treat",
    "populations": [{"id": "came", "label": "Came", "attended_at_least": 4, "answered": ["baseline", "post"]}],
    "outcomes": [
        {"id": "mood", "measure": "mood.total", "role": "primary", "kind": "score",
         "smallest_meaningful_change": {"value": 2.5, "source": "a paper"},
         "reliable_change": {"retest_correlation": 0.8, "sd": 5.5, "source": "a paper"},
         "natural_change": {"mean": -1.5, "sd": 4.5, "n": 40, "source": "a paper"},
         "entry": {"at_least": 10.5, "step": 0.5,
                   "reference": {"mean": 8.5, "sd": 4.5, "retest_correlation": 0.7, "n": 90, "n_retest": 40,
                                 "source": "a paper"}}},
        {"id": "joy", "measure": "mood.joy", "role": "secondary", "kind": "binary", "event": {"at_most": 1.5},
         "entry": {"at_most": 20.5, "reference": {"mean": 8.5, "sd": 4.5, "retest_correlation": 0.7, "n": 90,
                                                  "n_retest": 40, "source": "a paper"}}},
        {"id": "gloom", "measure": "mood.joy", "role": "exploratory", "kind": "binary", "event": {"at_least": 2.5}},
    ],
    "estimands": [
        {"id": "mood_post", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post", "model": "mmrm",
         "population": "came", "margin": MARGIN, "covariates": ["age"], "covariance": ["us", "cs"],
         "random": "slope", "variance_by_arm": True, "df_method": "satterthwaite"},
        {"id": "mood_late", "outcome": "mood", "contrast": "peer - usual", "timepoint": "followup", "model": "mmrm"},
        {"id": "joy_post", "outcome": "joy", "contrast": "peer - usual", "timepoint": "post", "model": "gee"},
    ],
    "families": [
        {"id": "first", "members": ["mood_post"], "adjust": "none"},
        {"id": "then", "members": ["mood_late", "joy_post"], "adjust": "fallback", "after": "first",
         "weights": {"mood_late": 0.5, "joy_post": 0.5}},
    ],
    "intercurrent_events": [{"event": "moved", "strategy": "hypothetical", "sensitivity": "copy_reference"}],
    "sensitivity": ["completers", {"delta": -1.5}],
    "subgroups": [{"id": "by_gender", "estimand": "mood_late", "covariate": "gender", "reason": "a paper"}],
    "mediation": [{"id": "via_joy", "estimand": "mood_late", "mediator": "joy", "timepoint": "post"}],
    "exposure_response": [{"id": "dose", "estimand": "mood_late", "arm": "peer"}],
    "compliers": [{"id": "comers", "estimand": "mood_late", "attended_at_least": 3}],
    "formats": [{"id": "online", "outcome": "mood", "arm": "peer", "timepoint": "post", "covariates": ["age"],
                 "margin": MARGIN}],
    "harms": [{"id": "worse", "label": "Worse", "instrument": "mood", "item": "2", "at_least": 1.5},
              {"id": "stay", "event": "hospital"}],
    "small_numbers": {"profile": "none", "fewest_per_arm": 12},
    "quality": {"leave_out": ["bot"]},
    "engine": "statsmodels",
}  # fmt: skip
DESIGN = StudyDesign(
    kind="randomised",
    timepoints=(
        Timepoint("baseline", "Start", 0.0),
        Timepoint("post", "End", 12.5),
        Timepoint("followup", "Late", 26.5),
    ),
    arms=(Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True)),
    group_arms=("peer",),
    covariates=(Covariate("age", "Age", "number"), Covariate("gender", "Gender", "category", ("w", "m"))),
    measures={name: Measure(name, "Mood", "mood", 0.5, 9.5, "better", "mood") for name in ("mood.total", "mood.joy")},
    recruitment={"eligible": 400},
)


@pytest.fixture
def library(make_library) -> Mapping[str, Instrument]:
    return make_library()


def content_of(plan: Plan, design: StudyDesign, library: Mapping[str, Instrument]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that a plan could not have, put there past its validation
        return canonical_content(plan, design, library)


def another(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + "x" if isinstance(value, str) else value + 1


def variations(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path of every single value below, and the whole with this one changed; nothing is validated."""
    if isinstance(value, BaseModel):
        parts = {name: getattr(value, name) for name in type(value).model_fields}
    elif is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, Mapping):
        parts = dict(value)
    elif isinstance(value, list | tuple):
        parts = dict(enumerate(value))
    elif value is None:
        return
    else:
        yield path, another(value)
        return
    for key, part in parts.items():
        for below, changed in variations(part, f"{path}.{key}".lstrip(".")):
            yield below, with_part(value, key, changed)


def with_part(whole: Any, key: Any, part: Any) -> Any:
    if isinstance(whole, BaseModel):
        return whole.model_copy(update={key: part})
    if is_dataclass(whole):
        return replace(whole, **{key: part})
    if isinstance(whole, Mapping):
        return {**whole, key: part}
    return type(whole)(part if place == key else each for place, each in enumerate(whole))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield every model that an annotation names, and those that they name."""
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in get_args(annotation):
        yield from models_in(argument)


def told_fields(value: Any) -> Iterator[tuple[str, str]]:
    """Yield model and field of everything that a plan says other than nothing."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            part = getattr(value, name)
            if part not in (None, [], {}):
                yield type(value).__name__, name
            yield from told_fields(part)
    elif isinstance(value, list):
        for part in value:
            yield from told_fields(part)


def test_the_plan_of_these_tests_says_something_of_every_field_there_is():
    every = {(model.__name__, name) for model in models_in(Plan) for name in model.model_fields}
    assert len(every) > 70
    assert every - set(told_fields(Plan.model_validate(FULL))) == set()


def test_a_change_of_any_single_value_changes_the_fingerprint_and_is_a_deviation(library):
    plan = Plan.model_validate(FULL)
    before = content_of(plan, DESIGN, library)
    seen = 0
    for path, changed in variations(plan):
        after = content_of(changed, DESIGN, library)
        assert fingerprint(after) != fingerprint(before), path
        deviations = find_deviations(before, after)
        assert any(path.split(".")[0] == each.path[0] for each in deviations), path
        seen += 1
    assert seen > 100


def test_what_the_study_decides_changes_the_fingerprint_and_what_it_only_says_does_not(library):
    plan = Plan.model_validate(FULL)
    before = content_of(plan, DESIGN, library)
    seen = {True: 0, False: 0}
    for path, changed in variations(DESIGN):
        is_word = any(part in WORDS for part in path.split("."))
        after = content_of(plan, changed, library)
        assert (fingerprint(after) == fingerprint(before)) == is_word, path
        assert (not find_deviations(before, after)) == is_word, path
        seen[is_word] += 1
    assert seen[False] > 20
    assert seen[True] > 5


def test_a_measure_that_the_plan_does_not_ask_about_is_none_of_its_business(library):
    plan = Plan.model_validate(FULL)
    more = {**DESIGN.measures, "sleep.total": Measure("sleep.total", "Sleep", "sleep", 0, 9, "better", None)}
    assert content_of(plan, replace(DESIGN, measures=more), library) == content_of(plan, DESIGN, library)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"version": "2.0.0"}, False),
        ({"max_missing": 1}, False),
        ({"name": "Another name"}, True),
        ({"notes": ["A remark."]}, True),
    ],
)
def test_the_version_and_the_scoring_of_an_instrument_count_and_its_words_do_not(library, change, is_same):
    plan = Plan.model_validate(FULL)
    other = {"mood": library["mood"].model_copy(update=change)}
    assert (content_of(plan, DESIGN, library) == content_of(plan, DESIGN, other)) == is_same


def test_what_scores_depend_on_is_what_an_instrument_calls_so():
    assert set(Instrument.model_fields) >= SCORING


def spelt(rng: np.random.Generator, document: Any, model: Any) -> Any:
    """Return a document with its keys in another order, and some of its defaults written out."""
    if isinstance(document, list):
        return [spelt(rng, each, model) for each in document]
    if not isinstance(document, dict):
        return document
    inside = {"outcomes": "Outcome", "estimands": "Estimand", "families": "Family", "small_numbers": "SmallNumbers"}
    known = {each.__name__: each for each in models_in(Plan)}
    written = {key: spelt(rng, value, known.get(inside.get(key, ""))) for key, value in document.items()}
    for name, field in (model.model_fields if model is not None else {}).items():
        if name not in written and not field.is_required() and rng.random() < 0.5:
            default = field.get_default()
            written[name] = default.model_dump(mode="json") if isinstance(default, BaseModel) else default
    return {key: written[key] for key in rng.permutation(list(written)).tolist()}


def test_the_fingerprint_is_blind_to_order_of_keys_comments_quotes_and_explicit_defaults(tmp_path, library):
    short = {
        "sap": 1,
        "outcomes": [{"id": "mood", "measure": "mood.total", "role": "primary"},
                     {"id": "joy", "measure": "mood.joy", "role": "secondary",
                      "smallest_meaningful_change": {"value": 2, "source": "a paper"}}],
        "estimands": [{"id": "mood_post", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post",
                       "covariates": ["age", "gender"]},
                      {"id": "joy_post", "outcome": "joy", "contrast": "peer - usual", "timepoint": "post"}],
        "families": [{"id": "all", "members": ["mood_post", "joy_post"], "adjust": "holm"}],
    }  # fmt: skip
    found, texts = set(), set()
    for seed in range(SPELLINGS):
        rng = np.random.default_rng(seed)
        document = spelt(rng, short, Plan)
        if seed % 4 == 3:
            text = json.dumps(document)
        else:
            text = yaml.safe_dump(document, sort_keys=False, default_flow_style=bool(rng.random() < 0.5))
            text = text.replace("peer - usual", ["peer - usual", '"peer - usual"', "'peer - usual'"][seed % 4])
            text = f"# a remark\n{text}# and another\n"
        path = tmp_path / f"sap_{seed}.yaml"
        path.write_text(text)
        found.add(fingerprint(canonical_content(load_document(path, Plan).value, DESIGN, library)))
        texts.add(text)
    assert len(texts) > SPELLINGS / 2
    assert len(found) == 1


def test_lists_whose_order_says_nothing_may_stand_in_any_order_and_others_may_not(make_plan, make_design):
    two = ({"covariates": ["age", "gender"]}, {"id": "late", "timepoint": "followup"})
    design = make_design(timepoints=("baseline", "post", "followup"))

    def found(*estimands: dict[str, Any], **document: Any) -> str:
        return fingerprint(canonical_plan(make_plan(*estimands, **document), design))

    assert found({"covariates": ["gender", "age"]}, two[1]) == found(*two)
    assert found({"covariance": ["us", "cs"]}) != found({"covariance": ["cs", "us"]})
    assert found(two[1], two[0]) != found(*two)  # the first estimand of an outcome is its headline
    names = ["mood_post", "late"]
    for adjust, is_same in (("holm", True), ("fixed_sequence", False)):
        families = [[{"id": "all", "members": order, "adjust": adjust}] for order in (names, list(reversed(names)))]
        assert (found(*two, families=families[0]) == found(*two, families=families[1])) == is_same


def test_the_model_that_the_design_chooses_may_be_written_out(make_plan, make_design):
    for design, model in ((make_design(), "mmrm"), (make_design(group_arms=("peer",)), "mixed_model")):
        assert canonical_plan(make_plan(), design) == canonical_plan(make_plan({"model": model}), design)


def test_two_and_two_point_nothing_are_one_number(library):
    plan = Plan.model_validate(FULL)
    contents = []
    for week in (2, 2.0):
        timepoints = (DESIGN.timepoints[0], replace(DESIGN.timepoints[1], week=week))
        contents.append(content_of(plan, replace(DESIGN, timepoints=timepoints), library))
    assert fingerprint(contents[0]) == fingerprint(contents[1])


def test_a_plan_reads_its_canonical_form_again_and_fills_in_keys_that_were_not_there_when_it_was_frozen(library):
    plan = Plan.model_validate(FULL)
    content = content_of(plan, DESIGN, library)
    assert canonical_plan(Plan.model_validate(content["plan"]), DESIGN) == content["plan"]
    estimands = [
        {key: value for key, value in each.items() if key != "df_method"} for each in content["plan"]["estimands"]
    ]
    older = {key: value for key, value in content["plan"].items() if key != "engine"} | {"estimands": estimands}
    plain = [each.model_copy(update={"df_method": "kenward_roger"}) for each in plan.estimands]
    now = content_of(plan.model_copy(update={"engine": "peerimpact", "estimands": plain}), DESIGN, library)
    frozen = FrozenVersion(frozen_on="2025-01-06", content={**content, "plan": older})
    assert find_deviations(frozen.upgraded(DESIGN), now) == ()
    assert find_deviations(frozen.content, now) != ()


def test_a_plan_is_held_against_the_last_version_that_was_frozen_before_outcomes_were_read():
    first, second, third = (
        FrozenVersion(frozen_on=f"2025-0{month}-01", outcomes_read_on=read, content={})
        for month, read in ((1, ""), (2, ""), (3, "2025-02-15"))
    )
    frozen = FrozenPlan((first, second, third))
    assert frozen.planned is second
    assert frozen.is_before_outcomes
    late = FrozenPlan((third,))
    assert late.planned is third
    assert not late.is_before_outcomes
