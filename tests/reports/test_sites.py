"""Sites and facilitators: what is said of them, in the order of names, and in whose words."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from analysis.results import Result, results_table
from analysis.sites_part import TOO_FEW
from reports import ReportContent, gate_results
from reports.reading import Rows, read_rows
from reports.sections import Block, Illustration
from reports.sites import BEFORE_ROUNDING, CAUTION, NUMBERED, OF_FACILITATORS, name_sites, say_sites

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
NAN = float("nan")
AT = {"analysis": "sites", "outcome": "stigma", "timepoint": "post", "verdict": "estimated", "n": 200.0}
LABELS = ("north", "south", "SSCI-8 total", "felt stigma", "12 weeks", "Baseline")


def spread(unit: str, low: float = 0.4, high: float = 3.2, **more: object) -> list[Result]:
    """How much units differ, and their share of the variance."""
    numbers = {"value": 1.2, "conf_low": low, "conf_high": high}
    return [
        Result(**AT | numbers | more, statistic=f"{unit}_spread"),
        Result(**AT | {"value": 0.08} | more, statistic=f"{unit}_icc"),
    ]


def listed(name: str, position: int) -> list[Result]:
    own = AT | {"item": name, "n": 40.0}
    return [
        Result(**own, statistic="site_prediction", value=-0.5, conf_low=-1.5, conf_high=0.5),
        Result(**own, statistic="site_funnel_95", value=-1.0, conf_low=-2.0, conf_high=2.0),
        Result(**own, statistic="site_funnel_998", value=-1.0, conf_low=-3.0, conf_high=3.0),
        Result(**own, statistic="site_position", value=position),
    ]


def number_of_sites(**more: object) -> Result:
    return Result(**AT | {"statistic": "sites", "value": 7.0, "verdict": "observed"} | more)


def told(content: ReportContent, *rows: Result) -> tuple[Rows, ReportContent]:
    content = replace(content, results=pd.concat([content.results, results_table(rows)], ignore_index=True))
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile)), content


def only_block(content: ReportContent, *rows: Result) -> Block:
    (block,) = say_sites(*told(content, *rows))
    return block


def test_sites_are_listed_by_name_with_their_place_in_words(build: Build) -> None:
    block = only_block(build(), number_of_sites(), *spread("site"), *listed("north", 0), *listed("south", 2))
    assert block.heading == "Felt stigma at 12 weeks, by site"
    assert block.sentences[:2] == (
        "7 sites have people with scores at both timepoints.",
        "Between sites the standard deviation is 1.2 points (95\u00a0% interval 0.4 to 3.2), 8\u00a0% of the variance "
        "between people alike at baseline.",
    )
    (table,) = block.tables
    assert [line[0] for line in table.rows] == ["north", "south"]
    assert [line[-1] for line in table.rows] == ["within both limits", "beyond the 99.8\u00a0% limits"]
    assert block.caution == CAUTION


def test_a_site_of_which_only_a_code_is_known_has_a_number_that_it_keeps(build: Build) -> None:
    codes = [f"s_{digit * 24}" for digit in "ca5"]
    rows = [row for code in codes for row in listed(code, 0)]
    (table,) = only_block(build(), number_of_sites(), *spread("site"), *rows).tables
    assert [line[0] for line in table.rows] == ["Site\u00a03", "Site\u00a02", "Site\u00a01"]
    assert NUMBERED in table.notes
    assert not any("s_" in text for line in table.rows for text in line)
    later = replace(listed(codes[0], 0)[0], timepoint="followup")
    assert name_sites(read_rows(gate_results(results_table([*rows[4:], later]), "none")))[codes[0]] == "Site\u00a03"
    named = only_block(build(), number_of_sites(), *spread("site"), *listed("north", 0), *listed("south", 0))
    assert NUMBERED not in named.tables[0].notes


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((2, 1), "More sites lie beyond their limits than chance alone would put there: 2 of 8 beyond the 95"),
        ((2,), "More sites lie beyond their limits than chance alone would put there: 1 of 8 beyond the 95"),
        ((1,), "That is not clearly more than chance alone would put there."),
        ((), ""),
    ],
)
def test_more_sites_beyond_their_limits_than_chance_puts_there_ask_for_a_look(
    build: Build, places: tuple[int, ...], said: str
) -> None:
    sites = [row for number, place in enumerate((*places, *[0] * 8)[:8]) for row in listed(f"site {number}", place)]
    block = only_block(build(), number_of_sites(), *spread("site"), *sites)
    told_of = " ".join(block.sentences)
    assert said in told_of
    assert ("by chance about 1 in 20" in told_of) == bool(said)
    assert ("no verdict on any of them" in told_of) == said.startswith("More")


def test_what_the_figure_says_of_rounding_is_not_said_again_under_its_table(build: Build) -> None:
    rows, content = told(build(), number_of_sites(), *spread("site"), *listed("north", 0))
    drawn = Illustration(id="sites-post", figure=None, caption="Several sites may share a mark.", alternative="")
    (block,) = say_sites(rows, content, {"post": drawn})
    assert block.illustrations == (drawn,)
    assert not any(BEFORE_ROUNDING in table.notes for table in block.tables)


def test_sites_of_several_arms_are_told_to_say_nothing_of_the_arms(build: Build) -> None:
    (table,) = only_block(build(), number_of_sites(), *spread("site"), *listed("north", 0)).tables
    assert any("how sites differ says nothing of how the arms differ" in note for note in table.notes)
    assert BEFORE_ROUNDING in table.notes
    (table,) = only_block(build("single_group"), number_of_sites(), *spread("site"), *listed("north", 0)).tables
    assert not any("arms" in note for note in table.notes)


def test_a_spread_that_may_be_none_says_so_and_one_without_an_upper_end_has_none(build: Build) -> None:
    said = " ".join(only_block(build(), *spread("site", low=0.0, high=NAN)).sentences)
    assert "95\u00a0% interval without an upper end" in said
    assert "That sites do not differ at all cannot be ruled out" in said


def test_few_sites_are_said_to_be_described_only(build: Build) -> None:
    refused = Result(**AT | {"verdict": "refused:too_few_sites", "n": NAN}, statistic="site_spread", method=TOO_FEW)
    mean = Result(**AT | {"n": 50.0}, statistic="site_mean_change", item="north", value=-2.0)
    block = only_block(build(), number_of_sites(value=3.0), refused, mean)
    assert "Fewer than 5 sites have people with scores" in block.sentences[1]
    assert block.tables[0].columns == ("Site", "Mean change")


def test_facilitators_are_never_told_apart_from_their_groups(build: Build) -> None:
    block = only_block(build(), *spread("facilitator"))
    assert block.heading == "Felt stigma at 12 weeks, by facilitator"
    assert "Between facilitators the standard deviation is 1.2 points" in block.sentences[0]
    assert block.sentences[-1] == OF_FACILITATORS


@pytest.mark.parametrize("unit", ["site", "facilitator"])
@pytest.mark.parametrize("more", [{}, {"low": 0.0, "high": NAN}, {"fewest": 4.0}])
@pytest.mark.parametrize("has_share", [True, False])
def test_every_word_comes_from_the_catalogue(build: Build, unit: str, more: dict[str, float], has_share: bool) -> None:
    rows = [*spread(unit, **more)[: 2 if has_share else 1]]
    if unit == "site":
        rows += [number_of_sites(), *listed("north", 0), *listed("south", 1), *listed("south", 2)]
        rows += [Result(**AT, statistic="site_mean_change", item="north", value=-2.0)]
    assert find_unmarked(LABELS, say_sites, *told(build(), *rows)) == []
    refused = {"verdict": "refused:too_few_sites", "n": NAN, "method": TOO_FEW}
    rows = [number_of_sites(**refused), Result(**AT | refused, statistic=f"{unit}_spread")]
    rows += [Result(**AT, statistic="site_mean_change", item="north", value=-2.0)]
    assert find_unmarked(LABELS, say_sites, *told(build(), *rows)) == []
