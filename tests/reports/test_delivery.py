"""The programme as delivered: what is said and tabled, and that nobody can be had from it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.exposure import describe_exposure
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, render_report
from reports.delivery import NO_SESSIONS
from reports.disclosure import NUMBERS

Build = Callable[..., ReportContent]
WEEKS = 10
PEOPLE = 220  # of the peer arm, as the content of these tests has it


def deliver(content: ReportContent, came: np.ndarray, *, online_from: int = WEEKS, leaders: int = 4) -> ReportContent:
    """Add the delivery of groups of ten to content; `came` (people, weeks) says who attended."""
    lines = [
        {"participant_id": f"p{person}", "session": str(week + 1), "attended": "attended" if came[person, week] else "absent",
         "format": "online" if week >= online_from else "in_person", "facilitator": f"f{person // 10 % leaders}",
         "group": f"g{person // 10}", "days_since_baseline": 7.0 * week, "minutes": 90.0, "source": "log.csv",
         "source_row": 2}
        for person in range(len(came)) for week in range(WEEKS)
    ]  # fmt: skip
    participants = pd.DataFrame({
        "participant_id": [f"p{person}" for person in range(len(came))],
        "arm": "peer",
        "group": [f"g{person // 10}" for person in range(len(came))],
    })  # fmt: skip
    rows = results_table(describe_exposure(pd.DataFrame(lines), participants, content.design))
    return replace(content, results=pd.concat([content.results, rows], ignore_index=True))


@pytest.fixture(scope="module")
def usual_came() -> np.ndarray:
    return np.random.default_rng(8).random((PEOPLE, WEEKS)) < 0.7


def shown(content: ReportContent) -> dict[tuple[str, str], pd.Series]:
    gated = gate_results(content.results, "threshold-10")
    gated = gated[gated["analysis"] == "delivery"]
    return {(row["statistic"], row["item"]): row for _, row in gated.iterrows()}


def section(content: ReportContent) -> str:
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", render_report(content), flags=re.DOTALL)
    return page.split('id="delivered-title"')[1].split("</section>")[0]


def test_a_report_says_what_was_held_who_came_and_how_often(build: Build, usual_came: np.ndarray) -> None:
    text = section(deliver(build(), usual_came, online_from=8))
    assert "Peer support: 220 sessions were held." in text
    assert "220 people in Peer support came to one session at least. The middle half came to 6 to 8 sessions." in text
    share = round(100 * usual_came.mean())
    assert f"People came to {share}\u00a0% of the sessions that they were offered." in text
    assert "Fewer than 10 facilitators led the sessions." in text
    assert '<th scope="row">Sessions held online</th><td>44</td>' in text
    assert "says nothing of what the programme did for them" in text


def test_the_section_stands_always_and_says_so_where_no_sessions_were_recorded(
    build: Build, usual_came: np.ndarray
) -> None:
    for content in (build(), deliver(build(), usual_came)):
        page = render_report(content)
        assert page.index('id="short"') < page.index('id="delivered"') < page.index('id="people"')
        assert 'href="#delivered"' in page
    assert NO_SESSIONS in section(build())
    assert "<table" not in section(build())
    assert NO_SESSIONS not in section(deliver(build(), usual_came))


def test_what_leaves_has_few_digits(build: Build, usual_came: np.ndarray) -> None:
    content = deliver(build(), usual_came)
    rows = shown(content)
    exact = content.results.set_index(["statistic", "item"])["value"]
    assert rows["mean_attended", ""]["value"] == round(exact["mean_attended", ""], 1)
    assert rows["share_attended", ""]["value"] == round(exact["share_attended", ""])
    assert not gate_results(content.results, "threshold-10")["fewest"].notna().any()


def few_came(people: int) -> np.ndarray:
    came = np.zeros((PEOPLE, WEEKS), dtype=bool)
    came[:people] = True
    return came


@pytest.mark.parametrize("came", [few_came(7), ~few_came(7), few_came(213), ~np.zeros((PEOPLE, WEEKS), dtype=bool)])
def test_how_few_came_or_stayed_away_cannot_be_had(build: Build, came: np.ndarray) -> None:
    rows = shown(deliver(build(), came))
    people = int(came.any(axis=1).sum())
    for statistic in ("mean_attended", "median_attended", "share_attended", "people_per_session"):
        is_told = people >= 10 and int((~came.all(axis=1)).sum()) >= 10
        assert rows[statistic, ""]["hidden"] != is_told, statistic
        if rows[statistic, ""]["hidden"]:
            assert rows[statistic, ""][NUMBERS].isna().all()
    told = rows["attended_any", ""]
    assert told["hidden"] == (people in (7, 213))
    assert told["at_least"] != 213


def test_a_share_of_one_format_is_not_had_by_subtracting_that_of_the_other(
    build: Build, usual_came: np.ndarray
) -> None:
    came = usual_came.copy()
    came[:, WEEKS - 1] = False
    came[:5, WEEKS - 1] = True
    rows = shown(deliver(build(), came, online_from=WEEKS - 1))
    assert rows["share_attended", "online"]["hidden"]
    assert rows["share_attended", "in_person"]["hidden"]
    assert not rows["share_attended", ""]["hidden"]


def test_quantiles_of_few_people_are_those_of_single_ones(recount: Build) -> None:
    came = np.random.default_rng(2).random((30, WEEKS)) < 0.6
    rows = shown(deliver(recount(peer=(30, 30, 30)), came))
    assert rows["lower_quartile_attended", ""]["hidden"]
    assert not rows["median_attended", ""]["hidden"]
    assert shown(deliver(recount(peer=(19, 19, 19)), came[:19]))["median_attended", ""]["hidden"]


def test_a_tiny_arm_leaves_a_sentence_and_no_number(recount: Build) -> None:
    content = deliver(recount(peer=(9, 9, 9)), np.random.default_rng(2).random((9, WEEKS)) < 0.6)
    assert all(row["hidden"] for row in shown(content).values())
    text = section(content)
    assert "How Peer support was delivered is not shown" in text
    assert not re.search(r"<td>\d", text)


@pytest.mark.parametrize("leaders", [1, 4, 9, 10, 12])
def test_facilitators_are_counted_from_ten_on(build: Build, usual_came: np.ndarray, leaders: int) -> None:
    content = deliver(build(), usual_came, leaders=leaders)
    rows = shown(content)
    assert rows["facilitators", ""]["hidden"] == rows["sessions_per_facilitator", ""]["hidden"] == (leaders < 10)
    said = f"{leaders} facilitators led the sessions, each {220 / leaders:.1f} on average."
    assert (said in section(content)) == (leaders >= 10)


def individual(sessions_of: list[int]) -> Iterator[dict[str, object]]:
    for person, number in enumerate(sessions_of):
        for session in range(1, number + 1):
            yield {"participant_id": f"p{person}", "session": str(session), "attended": "attended", "format": "",
                   "facilitator": "", "group": "", "days_since_baseline": np.nan, "minutes": np.nan,
                   "source": "log.csv", "source_row": 2}  # fmt: skip


def test_how_far_the_one_person_got_who_got_furthest_is_not_told(build: Build) -> None:
    content = build()
    participants = pd.DataFrame({"participant_id": [f"p{n}" for n in range(PEOPLE)], "arm": "peer", "group": ""})
    table = pd.DataFrame(individual([6] * (PEOPLE - 1) + [37]))
    rows = results_table(describe_exposure(table, participants, content.design))
    whole = replace(content, results=pd.concat([content.results, rows], ignore_index=True))
    assert rows.set_index("statistic").loc["sessions_held", "value"] == 37
    assert shown(whole)["sessions_held", ""]["hidden"]
    assert "37" not in section(whole)


def test_delivery_changes_no_other_number_that_leaves(build: Build, usual_came: np.ndarray) -> None:
    content = build()
    before = gate_results(content.results, "threshold-10")
    after = gate_results(deliver(content, usual_came).results, "threshold-10")
    pd.testing.assert_frame_equal(after[after["analysis"] != "delivery"], before)


def test_a_row_that_does_not_say_how_many_people_is_hidden(build: Build) -> None:
    row = results_table([Result(analysis="delivery", statistic="attended_any", arm="peer", value=7, n=70)])
    results = pd.concat([build().results, row], ignore_index=True)
    assert gate_results(results, "threshold-10").iloc[-1]["hidden"]
