"""Canaries: what may identify somebody stands in no store, log, event, message or output, whatever comes of a run."""

import base64
import hashlib
import html
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from data_contracts.errors import PeerimpactError
from pipelines.assets.common import no_values_in_errors
from pipelines.cli import app
from pipelines.development import INSTANCE_SETTINGS, register_studies
from pipelines.sources.statistical_process import read_in_child

from .canaries.planted import CANARIES
from .canaries.refusals import MAIN, NAME, REFUSALS, TEXT, damaged_table
from .canaries.search import find, read_places
from .canaries.study import write_study

LEAST = 25
FINE, INCOMPLETE, WRONG = 0, 1, 2
OF_THE_EXPORT = ("a repeating form", "a question with a name", "a question of a form")
"""What the draft of a study must name, so that the study can: see docs/limitations.md."""


@dataclass(frozen=True)
class Heard:
    """What came of a command: its exit code and all places in which a canary could stand."""

    exit_code: int
    said: str
    places: dict[str, bytes]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything that a run throws away is put, and stays."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The study of canaries, in which the command line stands: paths are told as they are typed."""
    folder = write_study(tmp_path)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def hear(temporary: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Heard]:
    """A function that runs a command, and listens at every place."""

    def run(*arguments: str) -> Heard:
        with caplog.at_level(logging.DEBUG):
            told = CliRunner().invoke(app, list(arguments))
        assert told.exception is None or isinstance(told.exception, SystemExit), repr(told.exception)
        logs = "\n".join(f"{record.getMessage()} {record.__dict__} {record.exc_text}" for record in caplog.records)
        places = {"stdout": told.stdout_bytes, "stderr": told.stderr_bytes, "logs": logs.encode()}
        if Path("output").is_dir():
            places |= read_places(Path("output"))
        return Heard(told.exit_code, told.output, places | read_places(temporary))

    return run


@pytest.mark.parametrize(
    "command", [["check", "."], ["check", ".", "--json"], ["run", "."], ["run", ".", "--json"]], ids=" ".join
)
def test_nothing_of_a_canary_is_seen_when_all_goes_well(
    study: Path, hear: Callable[..., Heard], command: list[str]
) -> None:
    heard = hear(*command)
    assert heard.exit_code == FINE, heard.said
    assert find(heard.places, CANARIES) == []


@pytest.mark.parametrize("name", REFUSALS)
def test_nothing_of_a_canary_is_seen_when_a_file_is_refused(study: Path, hear: Callable[..., Heard], name: str) -> None:
    damage, code = REFUSALS[name]
    damage(study)
    heard = hear("run", ".", "--json")
    assert heard.exit_code == WRONG, heard.said
    assert code in {problem["code"] for problem in json.loads(heard.said)["problems"]}
    assert find(heard.places, CANARIES) == []


@pytest.mark.parametrize(
    ("damage", "status"),
    [(None, "SUCCESS"), ("rows that do not fit", "FAILURE"), ("a contract of the study that is broken", "FAILURE")],
)
def test_the_event_log_of_the_user_interface_holds_no_canary(
    study: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, damage: str | None, status: str
) -> None:
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("PEERIMPACT_STUDIES", str(study.parent))
    monkeypatch.chdir(tmp_path)  # Dagster keeps the folder that it was started in
    register_studies()
    if damage:
        REFUSALS[damage][0](study)
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "*", "--partition", "small",
               "-m", "pipelines.definitions"]  # fmt: skip
    told = subprocess.run(command, capture_output=True, env=os.environ | {"TMPDIR": str(temporary)}, check=False)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert [run.status.value for run in instance.get_runs()] == [status], told.stderr.decode()
    places = {"stdout": told.stdout, "stderr": told.stderr} | read_places(home) | read_places(temporary)
    places |= read_places(study / "output") if (study / "output").is_dir() else {}
    assert any(place.endswith(": dump") for place in places)
    assert find(places, CANARIES) == []


def test_an_unexpected_error_in_an_asset_tells_the_event_log_no_canary(tmp_path: Path, temporary: Path) -> None:
    @dg.asset
    @no_values_in_errors
    def broken() -> None:
        pd.Series(list(CANARIES.values())).astype("float64")

    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(INSTANCE_SETTINGS)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        result = dg.materialize([broken], instance=instance, raise_on_error=False)
    assert not result.success
    places = read_places(home) | read_places(temporary)
    assert any(b"ValueError in" in content for content in places.values())
    assert find(places, CANARIES) == []


def test_the_draft_of_a_study_holds_no_canary(study: Path, hear: Callable[..., Heard]) -> None:
    (study / "plain.csv").write_bytes((study / MAIN).read_bytes())
    heard = hear("init", "plain.csv", "data/qualtrics.csv", "data/labels.sav", "data/book.xlsx", "data/redcap.csv",
                 *(word for column in ("pid", "ExternalReference", "record_id") for word in ("--participant-id", column)),
                 "--into", "draft")  # fmt: skip
    assert heard.exit_code in (FINE, INCOMPLETE), heard.said
    places = heard.places | read_places(study / "draft")
    assert find(places, {name: text for name, text in CANARIES.items() if name not in OF_THE_EXPORT}) == []


def test_a_table_that_breaks_its_contract_tells_no_canary(study: Path, hear: Callable[..., Heard]) -> None:
    table = pd.DataFrame(
        {"participant_id": [*CANARIES.values()], "arm": "peer", "age": [*CANARIES.values()], "gender": "x"}
    )
    table.to_csv("participants.csv", index=False)
    for more in ([], ["--json"]):
        heard = hear("contracts", "test", "participants", "participants.csv", "--study", ".", *more)
        assert heard.exit_code == INCOMPLETE, heard.said
        assert find(heard.places, CANARIES) == []


@pytest.mark.parametrize(
    "command", [["score"], ["audit", "--total", "gad_7"], ["audit", "--total", "age", "--json"]], ids=" ".join
)
def test_scoring_a_file_of_answers_tells_no_canary(study: Path, hear: Callable[..., Heard], command: list[str]) -> None:
    name, *options = command
    damaged_table(MAIN, lambda rows: rows[5].__setitem__(rows[0].index("gad_3"), TEXT))(study)
    damaged_table(MAIN, lambda rows: rows[6].__setitem__(rows[0].index("age"), NAME))(study)
    Path("plain.csv").write_bytes((study / MAIN).read_bytes())
    heard = hear("instruments", name, "gad-7", "plain.csv", "--items", "gad_{n}", *options)
    assert heard.exit_code == WRONG, heard.said
    assert find(heard.places, CANARIES) == []


def test_a_reader_of_spss_that_is_stopped_by_a_file_tells_no_canary(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import os, signal, sys\n"
        "content = open(sys.argv[2], 'rb').read()\n"
        "os.write(2, content)\n"
        "sys.stdout.write(content.decode('latin-1')[:200])\n"
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    with (
        pytest.raises(PeerimpactError) as error,
        closing(read_in_child(study / "data/labels.sav", "spss", "a.sav", child=child)) as lines,
    ):
        list(lines)
    assert error.value.problems[0].code == "reader_stopped"
    said = capfd.readouterr()
    trace = "".join(traceback.format_exception(error.value))
    assert find({"stdout": said.out.encode(), "stderr": said.err.encode(), "trace": trace.encode()}, CANARIES) == []


class _Echo(BaseHTTPRequestHandler):
    """A server that answers everything with what it was sent, as an error or as records."""

    status = 400

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        answer = json.dumps({"error": f"{body.decode()} {' '.join(CANARIES.values())}"}).encode()
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[200, 400, 403, 500])
def echo(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that echoes the token, with each kind of status."""
    handler = type("Echo", (_Echo,), {"status": request.param})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/"
        server.shutdown()


def test_a_server_that_echoes_the_token_makes_nothing_of_it_seen(
    study: Path, hear: Callable[..., Heard], echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "C0FFEE0DDBA11FACADE5DEADBEEF4242"
    monkeypatch.setenv("REDCAP_TOKEN", token)
    heard = hear("fetch", echo, "snapshot")
    assert heard.exit_code == WRONG, heard.said
    assert not Path("snapshot").exists()
    assert find(heard.places, {**CANARIES, "a token": token}) == []


def test_every_canary_is_in_the_files_that_are_delivered(study: Path, tmp_path: Path) -> None:
    assert len(CANARIES) >= LEAST
    assert len(set(CANARIES.values())) == len(CANARIES)
    places = _delivered(study, tmp_path)
    assert [name for name, text in CANARIES.items() if not find(places, {name: text})] == []


@pytest.mark.parametrize("spell", [
    str, str.upper, lambda text: urllib.parse.quote(text), lambda text: json.dumps(text), html.escape,
    lambda text: hashlib.sha256(text.encode()).hexdigest(), lambda text: text.encode().hex(),
    lambda text: base64.b64encode(f"x{text}y".encode()).decode(),
])  # fmt: skip
def test_the_search_finds_each_canary_in_each_spelling(spell: Callable[[str], str]) -> None:
    for name, text in CANARIES.items():
        assert find({"log": f"before {spell(text)} after".encode()}, {name: text}), name
    assert find({"log": spell("Nobody").encode()}, CANARIES) == []


def test_the_search_finds_a_canary_in_each_place(tmp_path: Path) -> None:
    text = CANARIES["a name as the id"]
    named = pd.DataFrame({"name": [text] * 50})
    (tmp_path / "plain.txt").write_bytes(text.encode("utf-16"))
    named.to_parquet(tmp_path / "packed.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "store.duckdb")) as store:
        store.execute("CREATE TABLE people AS SELECT * FROM named")
    with closing(sqlite3.connect(tmp_path / "events.db")) as events:
        events.execute("CREATE TABLE event_logs (event TEXT)")
        events.execute("INSERT INTO event_logs VALUES (?)", [text])
        events.commit()
    (tmp_path / text).mkdir()
    found = "\n".join(find(read_places(tmp_path, "here"), {"it": text}))
    for place in (
        "here/plain.txt",
        "here/packed.parquet: rows",
        "here/store.duckdb: people",
        "here/events.db: dump",
        "the name of here/",
    ):
        assert f"it in {place}" in found, found


def _delivered(folder: Path, home: Path) -> dict[str, bytes]:
    """Return what is in the files of the study, unpacked where they are archives."""
    places = read_places(home, "delivered")
    for path in folder.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            places |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    return places
