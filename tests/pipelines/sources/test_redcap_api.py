"""A REDCap project through its API: held against a server on this machine that speaks it, and one that does not."""

import gzip
import hashlib
import json
import logging
import shutil
import socket
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from pipelines.sources import redcap_api
from pipelines.sources.model import SourceError
from pipelines.sources.redcap import read_redcap
from pipelines.sources.redcap_api import fetch_redcap

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
OTHER = "F" * 32
TITLE = "Canary peer project of Zuleika"
ANSWER_SECONDS = 5.0  # more than any answer here takes
SLOW_SECONDS = 0.6
EMPTY = dict.fromkeys(("section_header", "field_note", "text_validation_type_or_show_slider_number", "text_validation_min",
                       "text_validation_max", "identifier", "branching_logic", "required_field", "custom_alignment",
                       "question_number", "matrix_group_name", "matrix_ranking", "field_annotation"), "")  # fmt: skip
METADATA = [
    EMPTY | {"field_name": name, "form_name": form, "field_type": kind, "field_label": label, "select_choices_or_calculations": choices}
    for name, form, kind, label, choices in (
        ("record_id", "intake", "text", "Record ID", ""),
        ("note", "intake", "notes", "Note, \"quoted\"", ""),
        ("mood", "intake", "checkbox", "Mood", "1, Calm | 2, Sad"),
        ("sys", "bp", "text", "Systolic", ""),
    )
]  # fmt: skip
BLANK = {"record_id": "", "redcap_event_name": "", "redcap_repeat_instrument": "", "redcap_repeat_instance": "",
         "redcap_data_access_group": "", "note": "", "mood___1": "", "mood___2": "", "intake_complete": "", "sys": "", "bp_complete": ""}  # fmt: skip
RECORDS = [
    BLANK | {"record_id": "007", "redcap_event_name": "base_arm_1", "redcap_data_access_group": "north", "note": "a\r\nb, \"c\"\rd",
             "mood___1": "1", "mood___2": "0", "intake_complete": "2"},
    BLANK | {"record_id": "007", "redcap_event_name": "base_arm_1", "redcap_repeat_instrument": "bp", "redcap_repeat_instance": 1,
             "sys": "120", "bp_complete": "2"},
    BLANK | {"record_id": " 7", "redcap_event_name": "base_arm_1", "note": "\u043c\u0430\u043c\u0430 -9"},
]  # fmt: skip
EVENTS = [
    {"event_name": "Base", "arm_num": 1, "unique_event_name": "base_arm_1", "custom_event_label": None, "event_id": 40}
]

Answer = Callable[["Handler", str], None]


@dataclass
class Server(ThreadingHTTPServer):
    """REDCap's API for one project; `instead` answers in its place, by content or for all (``*``)."""

    answers: dict[str, object] = field(
        default_factory=lambda: {"metadata": METADATA, "record": RECORDS, "event": EVENTS}
    )
    instead: dict[str, Answer] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    daemon_threads = True

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        question = dict(parse_qsl(body))
        self.server.asked.append({"path": self.path, **question})
        content = question.get("content", "")
        instead = self.server.instead.get(content) or self.server.instead.get("*")
        if self.path != "/api/":
            self.answer(404, b"<html>not here</html>", "text/html")
        elif question.get("token") != TOKEN:
            self.answer(403, json.dumps({"error": "You do not have permissions to use the API"}).encode())
        elif instead:
            instead(self, content)
        elif content in self.server.answers:
            self.answer(200, json.dumps(self.server.answers[content]).encode())
        else:
            self.answer(400, b'{"error": "The value of the parameter \\"content\\" is not valid"}')

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path, "method": "GET"})
        self.answer(200, b"[]")

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content_Type": kind, "Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDCAP_TOKEN", TOKEN)


def fetch(server: Server, folder: Path, seconds: float = ANSWER_SECONDS) -> redcap_api.Snapshot:
    return fetch_redcap(server.url, "REDCAP_TOKEN", folder / "snapshot", seconds=seconds)


def refusal(call: Callable[[], object]) -> str:
    """Return the code of the refusal; neither it nor an error behind it holds the request, and with it the token."""
    with pytest.raises(SourceError) as error:
        call()
    assert isinstance(error.value.__context__, OSError | None)
    assert not hasattr(error.value.__context__, "request")
    assert TOKEN not in repr(error.value.problems)
    assert error.value.problems[0].how_to_fix
    return error.value.problems[0].code


def body(text: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    return lambda handler, _: handler.answer(status, text, kind, **headers)


# what is fetched


def test_a_project_becomes_files_that_the_reader_of_exports_reads(server: Server, tmp_path: Path) -> None:
    snapshot = fetch(server, tmp_path)
    assert snapshot.records == 3
    table = read_redcap(snapshot.folder / "records.csv", "records.csv", dictionary="dictionary.csv")
    assert table.cells.columns.tolist() == list(BLANK)
    assert table.cells.to_numpy().tolist() == [list(RECORDS[0].values()), list(RECORDS[2].values())]
    assert table.questions["note"] == 'Note, "quoted"'
    assert table.answers["mood___1"] == {"0": "Unchecked", "1": "Checked"}
    repeats = read_redcap(snapshot.folder / "records.csv", "records.csv", repeat="bp")
    assert repeats.cells["redcap_repeat_instance"].tolist() == ["1"]
    assert (snapshot.folder / "events.csv").read_text().splitlines()[1] == '"Base","1","base_arm_1","","40"'


def test_the_manifest_tells_files_and_time_but_no_title_and_no_token(server: Server, tmp_path: Path) -> None:
    snapshot = fetch(server, tmp_path)
    manifest = json.loads((snapshot.folder / "manifest.json").read_text())
    assert set(manifest) == {"source", "url", "fetched_at", "files"}
    assert manifest["url"] == server.url
    assert manifest["fetched_at"].endswith("+00:00")
    assert {name: each["rows"] for name, each in manifest["files"].items()} == {
        "records.csv": 3,
        "dictionary.csv": 4,
        "events.csv": 1,
    }
    for name, each in manifest["files"].items():
        assert (
            hashlib.sha256((snapshot.folder / name).read_bytes()).hexdigest() == each["sha256"] == snapshot.files[name]
        )
    everything = b"".join(path.read_bytes() for path in snapshot.folder.iterdir())
    assert TOKEN.encode() not in everything
    assert TITLE.encode() not in everything


def test_only_raw_codes_are_asked_for_and_neither_title_nor_survey_fields(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    assert [question["content"] for question in server.asked] == ["metadata", "record", "event"]
    records = server.asked[1]
    assert (records["format"], records["type"], records["rawOrLabel"]) == ("json", "flat", "raw")
    assert records["exportDataAccessGroups"] == "True"
    assert "exportSurveyFields" not in records


def test_a_project_without_events_is_not_asked_for_them(server: Server, tmp_path: Path) -> None:
    server.answers["record"] = [{"record_id": "1", "note": "a"}]
    snapshot = fetch(server, tmp_path)
    assert set(snapshot.files) == {"records.csv", "dictionary.csv"}
    assert [question["content"] for question in server.asked] == ["metadata", "record"]


def test_the_same_answers_give_the_same_bytes(server: Server, tmp_path: Path) -> None:
    first = fetch_redcap(server.url, "REDCAP_TOKEN", tmp_path / "a").files
    assert first == fetch_redcap(server.url, "REDCAP_TOKEN", tmp_path / "b").files


def test_a_packed_answer_is_unpacked(server: Server, tmp_path: Path) -> None:
    server.instead["record"] = body(gzip.compress(json.dumps(RECORDS).encode()), Content_Encoding="gzip")
    assert fetch(server, tmp_path).records == 3


def test_a_field_that_some_rows_do_not_have_is_blank_there(server: Server, tmp_path: Path) -> None:
    server.answers["record"] = [{"record_id": "1", "note": "a"}, {"record_id": "2", "sys": "120"}]
    table = read_redcap(fetch(server, tmp_path).folder / "records.csv", "r")
    assert table.cells.to_numpy().tolist() == [["1", "a", ""], ["2", "", "120"]]


def test_only_the_owner_may_read_the_snapshot(server: Server, tmp_path: Path) -> None:
    snapshot = fetch(server, tmp_path)
    assert stat.S_IMODE(snapshot.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in snapshot.folder.iterdir()} == {0o600}


def test_no_log_holds_the_token(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        fetch(server, tmp_path)
        server.instead["record"] = body(b"<html>")
        refusal(lambda: fetch_redcap(server.url, "REDCAP_TOKEN", tmp_path / "b"))
    assert caplog.records
    assert TOKEN not in caplog.text


def test_a_proxy_of_the_house_is_not_asked_for_an_address_on_this_machine(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert fetch(server, tmp_path).records == 3


# token, address, folder


@pytest.mark.parametrize("token", [None, "", "short", "g" * 32, TOKEN + "0", f"{TOKEN[:16]} {TOKEN[17:]}"])
def test_a_token_that_is_none_is_not_sent(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    monkeypatch.delenv("REDCAP_TOKEN") if token is None else monkeypatch.setenv("REDCAP_TOKEN", token)
    with pytest.raises(SourceError, match="REDCAP_TOKEN") as error:
        fetch(server, tmp_path)
    assert error.value.problems[0].code == "token_missing"
    assert not token or token not in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize("name", [OTHER, "a b", "", "a=b"])
def test_a_token_in_place_of_the_name_of_its_variable_is_refused_and_not_told(
    server: Server, tmp_path: Path, name: str
) -> None:
    with pytest.raises(SourceError) as error:
        fetch_redcap(server.url, name, tmp_path / "a")
    assert error.value.problems[0].code == "token_variable"
    assert not name or name not in str(error.value)


@pytest.mark.parametrize(("url", "code"), [
    ("http://redcap.example.org/api/", "address_not_encrypted"), ("http://127.0.0.1.example.org/api/", "address_not_encrypted"),
    ("http://10.0.0.1/api/", "address_not_encrypted"), ("https://redcap.example.org/api", "address"), ("https://redcap.example.org/", "address"),
    ("https://me:secret@redcap.example.org/api/", "address"), ("https://redcap.example.org/api/?token=1", "address"),
    ("https://redcap.example.org/api/#a", "address"), ("ftp://redcap.example.org/api/", "address"), ("file:///etc/api/", "address"),
    ("redcap.example.org/api/", "address"), ("https:///api/", "address"), ("http://[::1/api/", "address"), ("https://a:99999/api/", "address"), ("", "address"),
])  # fmt: skip
def test_an_address_that_is_none_or_not_encrypted_is_refused_before_anything_is_sent(
    tmp_path: Path, url: str, code: str
) -> None:
    assert refusal(lambda: fetch_redcap(url, "REDCAP_TOKEN", tmp_path / "a")) == code


def test_an_older_snapshot_is_never_replaced(server: Server, tmp_path: Path) -> None:
    folder = fetch(server, tmp_path).folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    n_asked = len(server.asked)
    assert refusal(lambda: fetch(server, tmp_path)) == "folder_not_empty"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(server.asked) == n_asked


def test_a_folder_that_cannot_be_written_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(lambda: fetch_redcap(server.url, "REDCAP_TOKEN", tmp_path / "file" / "a")) == "not_written"


# answers that are none


def cut(handler: Handler, _: str) -> None:
    handler.answer(200, json.dumps(RECORDS).encode()[:-40], Content_Length=str(len(json.dumps(RECORDS))))


def cut_chunks(handler: Handler, _: str) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"40\r\n" + b"[" * 10)
    handler.close_connection = True


def silence(handler: Handler, _: str) -> None:
    time.sleep(SLOW_SECONDS * 3)


def drops(handler: Handler, _: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(SLOW_SECONDS / 6)


def hang_up(handler: Handler, _: str) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


ANSWERS: list[tuple[str, Answer, str]] = [
    ("an error with status 200", body(b'{"error": "no"}'), "request_refused"),
    ("a page", body(b"<html><body>Log in</body></html>", kind="text/html"), "answer_not_json"),
    ("nothing", body(b""), "answer_not_json"),
    ("half of JSON", body(json.dumps(RECORDS).encode()[:-9]), "answer_not_json"),
    ("deep JSON", body(b"[" * 100_000), "answer_not_json"),
    ("a long number", body(b'[{"record_id": ' + b"9" * 5000 + b"}]"), "answer_not_json"),
    ("cp1252", body('[{"record_id": "\u00e9"}]'.encode("cp1252")), "answer_not_json"),
    ("half a sign", body(rb'[{"record_id": "\ud800", "field_name": "a", "form_name": "b"}]'), "answer_not_redcap"),
    ("a number alone", body(b"1"), "answer_not_redcap"),
    ("a text alone", body(b'"a"'), "answer_not_redcap"),
    ("rows of lists", body(b"[[1, 2]]"), "answer_not_redcap"),
    ("nested rows", body(b'[{"record_id": {"a": 1}}]'), "answer_not_redcap"),
    ("fractions", body(b'[{"record_id": 1.5}]'), "answer_not_redcap"),
    ("truth", body(b'[{"record_id": true}]'), "answer_not_redcap"),
    ("another host", body(b"", 302, Location="http://127.0.0.2:9/api/"), "sent_elsewhere"),
    ("another host, once more with the token", body(b"", 307, Location="http://127.0.0.2:9/api/"), "sent_elsewhere"),
    ("another place", body(b"", 301, Location="/elsewhere/api/"), "sent_elsewhere"),
    ("no rights", body(b'{"error": "x"}', 403), "token_refused"),
    ("not logged in", body(b"", 401), "token_refused"),
    ("bad request", body(b'{"error": "x"}', 400), "server_error"),
    ("a fault", body(b"oops", 500), "server_error"),
    ("maintenance", body(b"<html>", 503), "server_error"),
    ("a cut answer", cut, "not_reached"),
    ("cut chunks", cut_chunks, "not_reached"),
    ("broken gzip", body(b"no gzip", Content_Encoding="gzip"), "not_reached"),
    ("silence", silence, "too_late"),
    ("drops", drops, "too_late"),
    ("hanging up", hang_up, "not_reached"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "code"), [each[1:] for each in ANSWERS], ids=[each[0] for each in ANSWERS])
@pytest.mark.parametrize("content", ["metadata", "record", "event"])
def test_an_answer_that_is_none_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, content: str, answer: Answer, code: str
) -> None:
    server.instead[content] = answer
    seconds = SLOW_SECONDS if code == "too_late" else ANSWER_SECONDS
    assert refusal(lambda: fetch(server, tmp_path, seconds)) == code
    assert list(tmp_path.iterdir()) == []
    assert all(question["path"] == "/api/" for question in server.asked)


def test_a_wrong_token_is_refused(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDCAP_TOKEN", OTHER)
    assert refusal(lambda: fetch(server, tmp_path)) == "token_refused"


def test_an_address_without_a_project_is_refused(server: Server, tmp_path: Path) -> None:
    url = server.url.replace("/api/", "/redcap/api/")
    assert refusal(lambda: fetch_redcap(url, "REDCAP_TOKEN", tmp_path / "a")) == "address"


def test_a_server_that_is_not_there_is_told(server: Server, tmp_path: Path) -> None:
    server.server_close()
    assert refusal(lambda: fetch(server, tmp_path)) == "not_reached"


def test_a_server_that_speaks_no_tls_gets_no_token(server: Server, tmp_path: Path) -> None:
    code = refusal(lambda: fetch_redcap(server.url.replace("http:", "https:"), "REDCAP_TOKEN", tmp_path / "a"))
    assert code in ("certificate", "not_reached")
    assert server.asked == []


@pytest.fixture
def encrypted(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """The server behind TLS, and the file of its own certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate of the server, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    plain, server.socket = server.socket, context.wrap_socket(server.socket, server_side=True)
    yield server, folder / "cert.pem"
    server.socket.close()
    plain.close()


def test_a_certificate_that_nobody_vouches_for_gets_no_token(encrypted: tuple[Server, Path], tmp_path: Path) -> None:
    url = encrypted[0].url.replace("http:", "https:")
    assert refusal(lambda: fetch_redcap(url, "REDCAP_TOKEN", tmp_path / "a")) == "certificate"
    assert encrypted[0].asked == []


def test_the_certificates_of_a_house_are_named_in_the_environment(
    encrypted: tuple[Server, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(encrypted[1]))
    url = encrypted[0].url.replace("http:", "https:")
    assert fetch_redcap(url, "REDCAP_TOKEN", tmp_path / "a").records == 3


def test_no_records_is_no_snapshot(server: Server, tmp_path: Path) -> None:
    server.answers["record"] = []
    assert refusal(lambda: fetch(server, tmp_path)) == "no_records"


@pytest.mark.parametrize(
    "metadata", [[], [{"a": "b"}], [{"field_name": "a", "form_name": "b"}, {"field_name": "", "form_name": "b"}]]
)
def test_a_dictionary_without_fields_is_refused(server: Server, tmp_path: Path, metadata: list[dict[str, str]]) -> None:
    server.answers["metadata"] = metadata
    assert refusal(lambda: fetch(server, tmp_path)) == "answer_not_redcap"


def test_an_answer_beyond_the_bound_is_not_taken(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redcap_api, "MAX_BYTES", 1 << 20)
    server.instead["record"] = body(gzip.compress(b" " * (1 << 24)), Content_Encoding="gzip")
    assert refusal(lambda: fetch(server, tmp_path)) == "answer_too_large"
