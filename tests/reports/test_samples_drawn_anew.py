"""Reports of samples drawn anew at each timepoint: from invented people to the page, and nobody is followed."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, Covariate, Plan, StudyDesign, Timepoint, evaluate_plan
from instruments import load_library
from reports import ReportContent, ReportError, gate_results, lint_claims, make_claim, render_report
from reports.reading import read_rows
from reports.summarise import ReportView, summarise_report

Build = Callable[..., ReportContent]
ALONE = (Arm("peer", "Peer support"),)
BOTH = (Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True))
SIZES = {"baseline": 140, "post": 144, "late": 120}
TRUTH = -4.0
COVARIATES = (Covariate("age", "Age", "number"), Covariate("gender", "Gender", "category", ("woman", "man")))
FOLLOWED = re.compile(r"chang(e|ed|es)\b|who left|answered again|stayed|started|drop.?out|responders?\b", re.IGNORECASE)
# Words of the page that are no claim about people: the smallest difference that is noticed, and the instrument's own.
ABOUT_INSTRUMENTS = ("smallest meaningful change", "reliable change", "a change of one participant")


def simulate(
    arms: tuple[Arm, ...] = ALONE, *, linked: int = 30, older: float = 0.0, sizes: dict[str, int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of felt stigma and participants: who is surveyed later, in the first arm, scores four points lower."""
    rng = np.random.default_rng(11)
    people: dict[str, dict[str, object]] = {}
    scores = []
    for arm in arms:
        for timepoint, size in (sizes or SIZES).items():
            is_later = timepoint != "baseline"
            for place in range(size):
                name = f"{arm.id}-{'' if place < linked else timepoint}-{place}"
                person = people.setdefault(name, {
                    "participant_id": name, "arm": arm.id, "group": "", "site": "",
                    "age": float(rng.integers(25, 65)) + older * is_later, "gender": str(rng.choice(["woman", "man"])),
                    "level": rng.normal(0, 4)})  # fmt: skip
                shift = TRUTH if is_later and not arm.is_reference else 0.0
                score = np.clip(np.round(24 + shift + float(str(person["level"])) + rng.normal(0, 3)), 8, 40)
                scores.append({"participant_id": name, "timepoint": timepoint, "measure": "ssci-8.total", "score": score,
                               "n_items": 8, "n_answered": 8, "method": "complete"})  # fmt: skip
    return pd.DataFrame(scores), pd.DataFrame(people.values()).drop(columns="level")


def content_of(
    build: Build,
    arms: tuple[Arm, ...] = ALONE,
    *,
    outcome: dict[str, object] | None = None,
    profile: str = "threshold-10",
    **people: object,
) -> ReportContent:
    """Return the content of a report whose results were computed from simulated people."""
    plain = build("single_group" if arms == ALONE else "randomised")
    design = StudyDesign(
        kind="repeated_cross_section",
        timepoints=(
            Timepoint("baseline", "Spring", 0),
            Timepoint("post", "Autumn", 26),
            Timepoint("late", "Winter", 40),
        ),
        arms=arms,
        covariates=COVARIATES,
        measures=plain.design.measures,
        recruitment={"eligible": 900, "invited": 700},
    )
    contrast = "peer - usual" if len(arms) > 1 else "post - baseline"
    plan = Plan.model_validate({
        "sap": 1,
        "outcomes": [{"id": "stigma", "measure": "ssci-8.total", "role": "primary",
                      "smallest_meaningful_change": {"value": 2.0, "source": "declared"}, **(outcome or {})}],
        "estimands": [{"id": "stigma_post", "outcome": "stigma", "contrast": contrast, "timepoint": "post",
                       "covariates": ["age"]}],
        "small_numbers": {"profile": profile},
    })  # fmt: skip
    scores, participants = simulate(arms, **people)  # type: ignore[arg-type]
    nothing = pd.DataFrame(
        {name: pd.Series(dtype="str") for name in ("participant_id", "timepoint", "instrument", "item")}
    )
    results = evaluate_plan(
        plan,
        design,
        scores=scores,
        delivered=scores.iloc[:0][["participant_id", "timepoint", "measure", "score"]],
        participants=participants,
        responses=nothing.assign(value=pd.Series(dtype="float64")),
        library={name: each for name, each in load_library().items() if name in plain.instruments},
    )
    return replace(plain, design=design, plan=plan, results=results)


def view_of(content: ReportContent) -> ReportView:
    return summarise_report(content, gate_results(content.results, content.plan.small_numbers.profile))


def claim_of(content: ReportContent) -> str:
    rows = read_rows(gate_results(content.results, content.plan.small_numbers.profile))
    return make_claim(content.plan.estimands[0], rows, content).sentence


def visible(page: str) -> str:
    """The page without its styles and scripts."""
    return re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def test_the_sentence_is_about_people_surveyed_later(build: Build) -> None:
    content = content_of(build)
    claim = claim_of(content)
    assert claim.startswith("People surveyed at Autumn scored ")
    assert "points lower on the SSCI-8 total than people surveyed at Spring, after allowing for Age (95\u00a0%" in claim
    assert claim.endswith("How much of that is due to the programme, and how much to who was surveyed, cannot be told.")
    row = content.results[content.results["estimand"] == "stigma_post"].iloc[0]
    assert row["conf_low"] < TRUTH < row["conf_high"]
    assert f"scored {-row['value']:.1f} points lower" in claim


def test_two_arms_differ_in_how_their_samples_differ(build: Build) -> None:
    claim = claim_of(content_of(build, BOTH))
    assert claim.startswith(
        "The difference on the SSCI-8 total between people surveyed at Autumn and people surveyed at"
    )
    assert "points lower in the Peer support arm than in the Usual care arm, after allowing for Age" in claim


@pytest.mark.parametrize(
    ("arms", "outcome", "words"),
    [
        (ALONE, {}, "No clear difference in felt stigma between samples: people surveyed at Autumn scored"),
        (BOTH, {}, "No clear difference between the arms in felt stigma: the difference on the SSCI-8 total between"),
        (
            ALONE,
            {"kind": "binary", "event": {"at_least": 24}},
            "No clear difference between samples: the share of people with SSCI-8 total of at least 24 was",
        ),
    ],
)
def test_an_interval_that_holds_zero_gives_no_difference(
    build: Build, arms: tuple[Arm, ...], outcome: dict[str, object], words: str
) -> None:
    content = content_of(build, arms, outcome=outcome)
    asked = content.results["estimand"] == "stigma_post"
    unclear = content.results.assign(
        conf_low=content.results["conf_low"].mask(asked, -30.0), conf_high=content.results["conf_high"].mask(asked, 5.0)
    )
    assert claim_of(replace(content, results=unclear)).startswith(words)


def test_a_share_is_one_of_the_people_surveyed(build: Build) -> None:
    claim = claim_of(content_of(build, outcome={"kind": "binary", "event": {"at_least": 24}}))
    assert claim.startswith("The share of people with SSCI-8 total of at least 24 was ")
    assert "percentage points lower among people surveyed at Autumn than among people surveyed at Spring" in claim


@pytest.mark.parametrize("arms", [ALONE, BOTH])
@pytest.mark.parametrize("outcome", [{}, {"kind": "binary", "event": {"at_least": 24}}])
def test_nothing_on_the_page_follows_anybody(build: Build, arms: tuple[Arm, ...], outcome: dict[str, object]) -> None:
    text = visible(render_report(content_of(build, arms, outcome=outcome, older=5.0)))
    for words in ABOUT_INSTRUMENTS:
        text = re.sub(re.escape(words), "", text, flags=re.IGNORECASE)
    found = [text[max(0, each.start() - 60) : each.end() + 20] for each in FOLLOWED.finditer(text)]
    rest = [words for words in found if "people notice" not in words]
    assert not rest
    assert "Who was surveyed" in text
    assert "What was found" in text
    assert "nobody was followed from one to the next" in text


def test_page_one_tells_the_size_of_each_sample(build: Build) -> None:
    view = view_of(content_of(build))
    assert view.who_came == (
        "As declared, 900 people were eligible and 700 people were invited.",
        "The answers of these people could be used: 140 at Spring; 144 at Autumn; 120 at Winter.",
    )
    assert [figure.id for figure in view.people_figures] == ["flow"]
    assert any("make a code of their own" in step for step in view.next_steps)
    assert any("a waiting list" in step for step in view.next_steps)
    assert not any("a waiting list" in step for step in view_of(content_of(build, BOTH)).next_steps)
    assert (view.headline.certainty.level, view.headline.certainty.name) == (1, "Very low certainty")


def test_the_flow_is_of_samples_and_of_those_who_could_be_linked(build: Build) -> None:
    flow = {line[0]: line[1] for line in view_of(content_of(build)).flow[-1].rows}
    assert flow == {
        "Surveyed at Spring": "140",
        "Surveyed at Autumn": "144",
        "Surveyed at Winter": "120",
        "In the model of felt stigma: Spring": "140",
        "In the model of felt stigma: Autumn": "144",
        "In the model of felt stigma: Winter": "120",
        "In the model of felt stigma: linked across timepoints": "30",
    }


def test_samples_of_nearly_the_same_size_are_told_exactly_where_nobody_is_linked(build: Build) -> None:
    gated = gate_results(content_of(build, linked=0).results, "threshold-10")
    answered = gated[gated["statistic"].isin(["answered", "analysed", "observed"])]
    assert answered["value"].to_list() == [140.0, 144.0, 120.0] * 3
    (estimate,) = gated[(gated["analysis"] == "model") & (gated["estimand"] != "")].to_dict("records")
    assert np.isfinite([estimate["std_error"], estimate["df"]]).all()


@pytest.mark.parametrize(("linked", "sizes"), [(3, SIZES), (115, SIZES), (9, {**SIZES, "post": 300})])
def test_a_few_who_are_linked_or_are_not_cannot_be_read(build: Build, linked: int, sizes: dict[str, int]) -> None:
    gated = gate_results(content_of(build, linked=linked, sizes=sizes).results, "threshold-10")
    (row,) = gated[gated["statistic"] == "linked"].to_dict("records")
    assert row["hidden"]
    assert np.isnan(row["n"])
    # Degrees of freedom follow from the design alone, and so would tell how many are linked.
    model = gated[gated["analysis"] == "model"]
    assert model[["std_error", "df"]].isna().all(axis=None)
    assert not model["hidden"].any()


def test_a_small_sample_is_hidden_with_all_that_tells_it(build: Build) -> None:
    content = content_of(build, linked=0, sizes={**SIZES, "late": 9})
    gated = gate_results(content.results, "threshold-10")
    late = gated[(gated["timepoint"] == "late") & (gated["analysis"] != "certainty")]
    assert late["hidden"].all()
    assert not gated.loc[gated["estimand"] != "", "hidden"].any()
    first = content_of(build, linked=0, sizes={**SIZES, "baseline": 9})
    refused = first.results[first.results["estimand"] != ""].iloc[0]
    assert refused["verdict"] == "refused:too_few_participants"
    composition = gate_results(first.results, "threshold-10")
    assert composition.loc[composition["analysis"] == "composition", "hidden"].all()


def test_how_samples_compare_stands_on_the_card_and_among_the_reasons(build: Build) -> None:
    view = view_of(content_of(build, older=6.0))
    (table,) = [table for table in view.headline.further if table.caption == "How the samples compare"]
    assert [line[0] for line in table.rows] == [
        "Age: Autumn \u2212 Spring",
        "Gender: Autumn \u2212 Spring",
        "Age: Winter \u2212 Spring",
        "Gender: Winter \u2212 Spring",
    ]
    assert float(table.rows[0][1]) > 0.25
    lead = f"The people surveyed at Autumn differed from those at Spring in: Age. The largest difference was {table.rows[0][1]} "
    assert any(reason.startswith(lead) for reason in view.headline.certainty.reasons)


@pytest.mark.parametrize(
    "words", ["people changed", "participants who changed", "they have recovered", "who left", "people got worse"]
)
def test_words_that_follow_people_are_refused_for_this_design_alone(words: str) -> None:
    with pytest.raises(ReportError, match="sample of its own"):
        lint_claims(f"In the end {words} a lot.", "repeated_cross_section")
    lint_claims(f"In the end {words} a lot.", "single_group")


def test_a_copy_without_protection_is_drawn_too(build: Build) -> None:
    page = render_report(content_of(build, profile="none", linked=3))
    assert "linked across timepoints" in page
    assert "the line follows nobody" in page
