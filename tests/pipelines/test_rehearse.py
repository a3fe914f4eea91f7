"""`peerimpact rehearse`: the whole plan on invented people that obey the declarations, and never on the data."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from data_contracts import check_table
from instruments import load_library
from pipelines.cli import app
from pipelines.folder import StudyFolder, open_folder
from pipelines.intake import contract_parameters
from pipelines.rehearsing import CHECKED
from pipelines.simulation.rehearsal import InventedTables, invent_item, invent_tables


def rehearse(study: Path, *more: str):
    return CliRunner().invoke(app, ["rehearse", str(study), *more])


def invent(folder: StudyFolder, people: int = 40, seed: int = 3) -> InventedTables:
    rng = np.random.default_rng(seed)
    return invent_tables(folder.study.value, folder.design, folder.library, folder.contracts, people=people, rng=rng)


def test_the_plan_is_carried_out_though_no_data_are_there_and_the_plan_stays_unread(small_study: Path) -> None:
    (small_study / "answers.csv").unlink()
    done = rehearse(small_study, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [row["verdict"] for row in told["estimands"]] == ["estimated"]
    page = Path(told["report"]).read_text()
    assert "Rehearsal on invented people" in page
    assert "Synthetic example" in page
    frozen = CliRunner().invoke(app, ["plan", "freeze", str(small_study), "--json"])
    assert json.loads(frozen.stdout)["versions"][0]["outcomes_read_on"] == ""
    assert not (small_study / "output" / "report.html").exists()


def test_a_plan_that_cannot_be_answered_shows_in_the_rehearsal(small_study: Path) -> None:
    (small_study / "sap.yaml").write_text(
        f"{(small_study / 'sap.yaml').read_text()}small_numbers: {{fewest_per_arm: 90}}\n"
    )
    done = rehearse(small_study)
    assert done.exit_code == 1
    assert "0 of 1 estimands could be estimated" in done.stdout
    assert "refused:too_few_participants" in done.stdout


@pytest.fixture(scope="module")
def harbour(project: Path) -> StudyFolder:
    return open_folder(project / "examples" / "harbour")


def test_invented_tables_obey_every_contract_and_are_the_same_for_the_same_seed(harbour: StudyFolder) -> None:
    tables, again, other = invent(harbour), invent(harbour), invent(harbour, seed=4)
    parameters = contract_parameters(harbour.study.value, harbour.library)
    for name in CHECKED:
        table = getattr(tables, name)
        verdicts = check_table(table, harbour.contracts[name], parameters)
        assert [verdict.rule for verdict in verdicts if not verdict.passed] == []
        assert len(table) > 0 or name == "delivered_scores"  # the example delivers answers alone
        assert table.equals(getattr(again, name))
    assert not tables.responses.equals(other.responses)


def test_invented_tables_hold_what_is_declared_and_nobody_comes_back_who_left(harbour: StudyFolder) -> None:
    tables, design = invent(harbour), harbour.design
    assert tables.participants["arm"].value_counts().to_dict() == {arm.id: 40 for arm in design.arms}
    assert set(tables.responses["instrument"]) == set(harbour.library)
    meets = tables.participants["arm"].isin(design.group_arms)
    assert ((tables.participants["group"] != "") == meets).all()
    seen = tables.responses.groupby("participant_id")["timepoint"].unique()
    order = [timepoint.id for timepoint in design.timepoints]
    assert all(set(own) == set(order[: len(own)]) for own in seen)
    assert 0.5 < (seen.map(len) == len(order)).mean() < 0.95
    blank = tables.responses["missing_reason"] != ""
    assert 0.01 < blank.mean() < 0.03
    assert tables.responses.loc[blank, "value"].isna().all()


def test_no_difference_between_arms_is_put_in(harbour: StudyFolder) -> None:
    tables = invent(harbour, people=1000)
    own = tables.responses[tables.responses["timepoint"] == "post"].merge(
        tables.participants[["participant_id", "arm"]]
    )
    means = own.groupby(["instrument", "item", "arm"])["value"].mean().unstack()
    spread = own.groupby(["instrument", "item"])["value"].std()
    standardised = (means["peer"] - means["usual"]) / spread
    assert standardised.abs().max() < 0.2  # 4 standard errors of a difference between two means of 900


def test_a_sample_drawn_anew_has_other_people_at_each_timepoint(harbour: StudyFolder) -> None:
    anew = replace(harbour.design, kind="repeated_cross_section")
    tables = invent(replace(harbour, design=anew))
    assert (tables.responses.groupby("participant_id")["timepoint"].nunique() == 1).all()
    assert len(tables.participants) == 40 * len(anew.arms) * len(anew.timepoints)


def test_invented_answers_are_options_of_their_items_in_every_instrument() -> None:
    rng = np.random.default_rng(1)
    asked = 0
    for instrument in load_library().values():
        for item in instrument.items:
            allowed = instrument.response_sets[item.response_set].allowed
            values = invent_item(instrument, item, rng.standard_normal(200), rng)
            asked += 1
            assert values.min() >= allowed.minimum, (instrument.id, item.id)
            assert values.max() <= allowed.maximum, (instrument.id, item.id)
            assert not allowed.options or set(values) <= set(allowed.options), (instrument.id, item.id)
    assert asked > 800
