"""The user interface on this machine: graph, checks, and a run started there."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.folder import open_folder
from pipelines.run import run_study

START_SECONDS, RUN_SECONDS, STOP_SECONDS = 120, 180, 30

LAUNCH = """
mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
WORKSPACE = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
  ... on RepositoryLocation { repositories { name } } ... on PythonError { message } } } } } }"""
GRAPH = "{ assetNodes { assetKey { path } dependencyKeys { path } } }"
CHECKS = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks {
  name executionForLatestMaterialization { status evaluation { success } } } } } } }"""


class Interface:
    """The GraphQL side of a running user interface."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer)["data"])

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/server_info", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture
def interface(small_study: Path, tmp_path: Path) -> Iterator[Interface]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path / "home"), "PEERIMPACT_STUDIES": str(small_study.parent)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "dev", "--port", str(port)],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        found = Interface(port)
        wait(found.is_up, START_SECONDS, tmp_path / "log")
        yield found
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait(ready: Any, seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.5)


def test_the_graph_shows_the_tables_and_a_run_from_there_publishes_what_the_command_line_does(
    interface: Interface, small_study: Path, tmp_path: Path
) -> None:
    graph = {
        node["assetKey"]["path"][-1]: {key["path"][-1] for key in node["dependencyKeys"]}
        for node in interface.ask(GRAPH)["assetNodes"]
    }
    assert graph["report"] == {"results", "quarantine", "reconciliation", "drift", "linking", "quotations"}
    tables = {"scores", "delivered_scores", "participants", "responses", "flags", "sessions", "events", "codings"}
    assert graph["results"] == tables
    location = interface.ask(WORKSPACE)["workspaceOrError"]["locationEntries"][0]
    selector = {
        "repositoryLocationName": location["name"],
        "repositoryName": location["locationOrLoadError"]["repositories"][0]["name"],
        "pipelineName": "evaluate",
    }
    tags = [{"key": "dagster/partition", "value": "small"}]
    launched = interface.ask(
        LAUNCH, parameters={"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def has_ended() -> bool:
        return interface.ask(STATUS, id=launched["run"]["runId"])["runOrError"]["status"] in (
            "SUCCESS",
            "FAILURE",
            "CANCELED",
        )

    wait(has_ended, RUN_SECONDS, tmp_path / "log")
    assert interface.ask(STATUS, id=launched["run"]["runId"])["runOrError"]["status"] == "SUCCESS"
    for node in interface.ask(CHECKS)["assetNodes"]:
        for check in node["assetChecksOrError"].get("checks", []):
            assert check["executionForLatestMaterialization"]["evaluation"]["success"], (
                node["assetKey"],
                check["name"],
            )
    run_study(open_folder(small_study, output=tmp_path / "command_line"))
    for name in ("report.html", "results.csv", "quarantine.csv", "reconciliation.csv", "provenance.json"):
        assert (small_study / "output" / name).read_bytes() == (tmp_path / "command_line" / name).read_bytes(), name
