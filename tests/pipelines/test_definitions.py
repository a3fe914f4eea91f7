"""The Dagster code location: tables by name, a check for each contract, no pickles."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest
import yaml

from data_contracts import Checked, PeerimpactError, Problem, shipped_contract
from pipelines.assets.common import ARRIVAL_CHECK, CONTRACT_CHECK, STUDIES, check_and_store, no_values_in_errors
from pipelines.definitions import EVALUATE, build_definitions, definitions, new_studies
from pipelines.development import INSTANCE_SETTINGS, register_studies
from pipelines.resources import Studies
from pipelines.store import Store

TABLES = {
    "responses", "participants", "delivered_scores", "flags", "quarantine", "reconciliation", "scores", "results",
    "drift", "linking", "sessions", "events", "codings", "quotations",
}  # fmt: skip


def test_the_graph_has_an_asset_for_each_table_and_each_is_partitioned_by_study() -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == TABLES | {"report"}
    assert all(graph.get(key).partitions_def == STUDIES for key in graph.get_all_asset_keys())


def test_each_table_has_a_check_that_shows_its_contract() -> None:
    checks = {(key.asset_key.to_user_string(), key.name) for key in definitions.resolve_asset_graph().asset_check_keys}
    assert checks == {(table, CONTRACT_CHECK) for table in TABLES} | {("responses", ARRIVAL_CHECK)}


def test_a_run_shows_verdicts_as_checks_and_pickles_nothing(small_study: Path, tmp_path: Path) -> None:
    lines = (small_study / "answers.csv").read_text().splitlines()
    (small_study / "answers.csv").write_text("\n".join([*lines[:-1], lines[-1][:-1] + "8"]) + "\n")
    job = build_definitions(Studies(folder=str(small_study))).resolve_job_def(EVALUATE)
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home"), overrides=yaml.safe_load(INSTANCE_SETTINGS)) as instance:
        instance.add_dynamic_partitions("studies", ["small"])
        result = job.execute_in_process(instance=instance, partition_key="small")
        checks = {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}
    assert all(checks[table, CONTRACT_CHECK].passed for table in TABLES)
    arrival = checks["responses", ARRIVAL_CHECK]
    assert (arrival.passed, arrival.severity) == (False, dg.AssetCheckSeverity.WARN)
    records = arrival.metadata["verdicts"].records  # type: ignore[union-attr]
    assert [(record.data["rule"], record.data["rows failed"]) for record in records if not record.data["passed"]] == [
        ("known_option", 1)
    ]
    assert not [
        path
        for path in (tmp_path / "home" / "storage").rglob("*")
        if path.is_file() and path.suffix not in (".db", ".db-shm", ".db-wal")
    ]


def test_a_table_that_breaks_its_contract_is_not_stored(small_study: Path) -> None:
    broken = pd.DataFrame({"source": ["a"], "rows_read": [1]})
    with pytest.raises(PeerimpactError, match="reconciliation: rule columns is broken"):
        check_and_store(shipped_contract("reconciliation"), broken, {})


def test_an_unexpected_error_is_told_without_its_text() -> None:
    @no_values_in_errors
    def body() -> None:
        float("someone@example.org")

    with pytest.raises(PeerimpactError) as caught:
        body()
    assert "ValueError in body" in str(caught.value)
    assert "someone" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_error_meant_for_people_passes_as_it_is() -> None:
    @no_values_in_errors
    def body() -> None:
        raise PeerimpactError(Problem("x", "Told.", "Mend it."))

    with pytest.raises(PeerimpactError, match=r"Told\. Mend it\."):
        body()


def test_new_studies_become_partitions(small_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERIMPACT_STUDIES", str(small_study.parent))
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = new_studies(dg.build_sensor_context(instance=instance))
        assert isinstance(outcome, dg.SensorResult)
        assert outcome.dynamic_partitions_requests is not None
        assert list(outcome.dynamic_partitions_requests[0].partition_keys) == ["small"]
        instance.add_dynamic_partitions("studies", ["small"])
        assert isinstance(new_studies(dg.build_sensor_context(instance=instance)), dg.SkipReason)


def test_a_study_that_no_folder_holds_is_named_with_the_nearest(
    small_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEERIMPACT_STUDIES", str(small_study.parent))
    assert Studies().open("small").study.value.study == "small"
    with pytest.raises(PeerimpactError, match="Did you mean 'small'"):
        Studies().open("smal")


def test_the_instance_for_development_registers_studies_with_telemetry_off(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("PEERIMPACT_STUDIES", str(small_study.parent))
    assert register_studies() == ["small"]
    with dg.DagsterInstance.get() as instance:
        assert list(instance.get_dynamic_partitions("studies")) == ["small"]
        assert instance.telemetry_enabled is False


def test_the_store_gives_back_the_table_it_was_given(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    contract = shipped_contract("quarantine")
    table = pd.DataFrame(
        {name: ["=1", ""] if dtype == "str" else [3, 4] for name, dtype in contract.table.dtypes.items()}
    ).astype(contract.table.dtypes)
    for given in (table.head(0), table):
        store.save("quarantine", Checked(given, ()))
        pd.testing.assert_frame_equal(store.load("quarantine"), given)
    assert store.load_verdicts().empty


def test_a_damaged_store_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "store.duckdb").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(PeerimpactError, match="cannot be opened: it is damaged") as told:
        Store(tmp_path / "store.duckdb").load("results")
    assert "delete" not in str(told.value).lower()


def test_a_store_is_read_by_several_at_once_and_who_meets_a_writer_is_told_to_wait(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.duckdb")
    contract = shipped_contract("quarantine")
    table = pd.DataFrame({name: [] for name in contract.table.dtypes}).astype(contract.table.dtypes)
    store.save("quarantine", Checked(table, ()))
    with duckdb.connect(str(store.path), read_only=True):
        assert store.load("quarantine").empty
    writing = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    command = [sys.executable, "-c", writing, str(store.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(PeerimpactError, match=r"is in use\. Wait until") as told:
            store.load("quarantine")
        assert "delete" not in str(told.value).lower()
        writer.communicate("\n")
    assert store.load("quarantine").empty
