"""A REDCap project through its API, kept as a snapshot: files that `read_redcap` reads, and a manifest of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, Final, cast
from urllib.parse import urlsplit

from data_contracts.errors import Problem
from instruments.exchange.redcap import HEADER
from pipelines.sources.delimited import MAX_BYTES
from pipelines.sources.model import SourceError
from pipelines.sources.redcap import EVENT

RECORDS: Final = "records.csv"
DICTIONARY: Final = "dictionary.csv"
EVENTS: Final = "events.csv"
MANIFEST: Final = "manifest.json"
CONNECT_SECONDS: Final = 10.0
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{32}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HALF_A_SIGN: Final = re.compile("[\ud800-\udfff]")
_CHUNK: Final = 1 << 16
_TOO_LATE: Final = Problem("too_late", "The server did not answer in time.", "Try again, or give it more time.")
_BROKEN: Final = Problem(
    "not_reached", "The server cannot be reached, or it broke the connection.", "Check the address and the network."
)
_ASK_AGAIN: Final = "Try again later; if it stays so, ask who runs the REDCap server."

Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was fetched.

    Attributes
    ----------
    folder : Path
        Holds `files` and the manifest; only its owner may read it.
    files : mapping
        Name -> SHA-256.
    records : int
        Rows of `RECORDS`.
    """

    folder: Path
    files: Mapping[str, str]
    records: int


def fetch_redcap(url: str, token_variable: str, folder: Path, *, seconds: float = 300.0) -> Snapshot:
    """Download records (flat, raw codes, with data access groups), data dictionary and events of a REDCap project.

    The token is taken from the environment and stands in no file, message or log. The project's title is not asked for,
    nor are survey identifiers and times. The snapshot is whole or not there.

    Parameters
    ----------
    url : str
        Address of the API, ending in ``/api/``; ``https``, or ``http`` on this machine alone.
    token_variable : str
        Name of the environment variable that holds the token.
    folder : Path
        Where the snapshot is put: a folder that is not there yet, or is empty. An older snapshot is never replaced.
    seconds : float
        How long an answer may take until its first byte, and from there to its last.

    Returns
    -------
    Snapshot
        With ``records.csv``, ``dictionary.csv`` (with the headers of REDCap's API), ``events.csv`` where the project
        has events, and ``manifest.json``: address, time of the fetch (UTC), SHA-256 and rows of each file.

    Raises
    ------
    SourceError
        Address or token are not as they must be, the server refuses, sends elsewhere, answers no JSON, too much or too
        late, the project has no records, or the folder holds something.
    """
    token = _read_token(token_variable)
    _check_address(url)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SourceError(
            Problem("folder_not_empty", "The folder of the snapshot holds something already.",
                    "Name a new folder; snapshots are kept.", folder.name)
        )  # fmt: skip
    tables = _download(url, token, seconds)
    return _write(tables, url, folder)


def _read_token(variable: str) -> str:
    if not _VARIABLE.fullmatch(variable) or _TOKEN.fullmatch(variable):
        message = "The name of the token's environment variable is no such name."
        raise SourceError(
            Problem("token_variable", message, "Give the name of a variable, for example REDCAP_TOKEN, not the token.")
        )
    token = os.environ.get(variable, "").strip()
    if not _TOKEN.fullmatch(token):
        what = "holds no REDCap token (32 letters and digits)" if token else "is not set"
        advice = "Set it to the token that REDCap shows on the page 'API' of the project."
        raise SourceError(Problem("token_missing", f"The environment variable {variable} {what}.", advice))
    return token


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.scheme not in ("https", "http") or "@" in parts.netloc or parts.query or parts.fragment:
        advice = "Write it as https://redcap.example.org/api/, without user, token or question mark."
        raise SourceError(Problem("address", "This is no address of a REDCap API.", advice))
    if not parts.path.endswith("/api/"):
        raise SourceError(Problem("address", "The address does not end in /api/.", "Add it, with the last slash."))
    if parts.scheme == "http" and host not in _LOOPBACK:
        message = "The address is not encrypted (http): token and answers could be read on their way."
        raise SourceError(Problem("address_not_encrypted", message, "Use https."))


def _download(url: str, token: str, seconds: float) -> dict[str, Rows]:
    """Return the tables of the project by file name."""
    from redcap.project import Project

    direct = dict.fromkeys(("http", "https", "all")) if urlsplit(url).scheme == "http" else None
    project = Project(
        url, token, timeout=(CONNECT_SECONDS, seconds), allow_redirects=False, stream=True, proxies=direct,
        hooks={"response": _Receiver(seconds).receive},
    )  # fmt: skip
    fields = _ask(lambda: project.metadata, "data dictionary")
    if not fields or not all(row.get("field_name") and row.get("form_name") for row in fields):
        raise _not_as_documented("data dictionary", "has no fields, or one without a name")
    records = _ask(lambda: project.export_records(format_type="json", export_data_access_groups=True), "records")
    if not records:
        message = "The project has no records that this token may export."
        raise SourceError(Problem("no_records", message, "Check the project, and the rights of the token's user."))
    tables = {RECORDS: records, DICTIONARY: [{name: row.get(name, "") for name in HEADER} for row in fields]}
    if EVENT in records[0]:
        tables[EVENTS] = _ask(lambda: project.export_events(format_type="json"), "events")
    return tables


def _ask(question: Callable[[], object], what: str) -> Rows:
    """Return an answer; errors are told anew, because those of the libraries hold the request, and it the token."""
    from redcap.request import RedcapError

    try:
        return _rows_of(question(), what)
    except SourceError as error:
        problems = error.problems
    except (RedcapError, ValueError, RecursionError) as error:
        problems = (_explain(error),)
    raise SourceError(problems)


def _explain(error: Exception) -> Problem:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "Timeout" in names:
        return _TOO_LATE
    if "SSLError" in names:
        advice = "Check the address; behind a proxy of your house, name its certificates in REQUESTS_CA_BUNDLE."
        return Problem("certificate", "The server's certificate is not trusted.", advice)
    if "ConnectionError" in names:
        return _BROKEN
    if names & {"ValueError", "RecursionError"}:
        return Problem("answer_not_json", "The server answered something that is no JSON.", "Check the address.")
    return Problem("request_refused", "The server refused the request.", "Check the token and the rights of its user.")


@dataclass(frozen=True, slots=True)
class _Receiver:
    """Takes every answer before anything else looks at it, and holds it to its bounds."""

    seconds: float

    def receive(self, response: Any, **options: Any) -> None:
        """Read the body; `SourceError` for an answer that is none."""
        problem = _status_problem(response.status_code)
        body = bytearray()
        try:
            problem = problem or self._fill(body, response.raw)
        finally:
            response.close()
        if problem:
            raise SourceError(problem)
        response._content, response.encoding = bytes(body), "utf-8"

    def _fill(self, body: bytearray, stream: Any) -> Problem | None:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        until = time.monotonic() + self.seconds
        try:
            while part := stream.read1(_CHUNK, decode_content=True):
                body += part
                if len(body) > MAX_BYTES:
                    message = f"The answer is larger than {MAX_BYTES >> 20} MiB."
                    return Problem("answer_too_large", message, "Export the project in parts, by REDCap's pages.")
                if time.monotonic() > until:
                    return _TOO_LATE
            body.decode()
        except ReadTimeoutError:
            return _TOO_LATE
        except (HTTPError, OSError):
            return _BROKEN
        except UnicodeDecodeError:
            return Problem("answer_not_json", "The answer is not text in UTF-8.", "Check the address.")
        return None


def _status_problem(status: int) -> Problem | None:
    if status == 200:
        return None
    if 300 <= status < 400:
        message = "The server sends to another address; the token is not sent there."
        return Problem("sent_elsewhere", message, "Give the address that the server's API has now.")
    if status in (401, 403):
        advice = "Check the token in the environment, and that its user may export through the API."
        return Problem("token_refused", f"The server refuses the token (HTTP status {status}).", advice)
    if status == 404:
        return Problem("address", "The server has nothing at this address (HTTP status 404).", "Check the address.")
    return Problem("server_error", f"The server answered with HTTP status {status}.", _ASK_AGAIN)


def _not_as_documented(what: str, how: str) -> SourceError:
    return SourceError(Problem("answer_not_redcap", f"The answer for the {what} {how}.", "Check the address."))


def _rows_of(answer: object, what: str) -> Rows:
    """Return a flat JSON answer as rows of text; a key that a row does not have is blank."""
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise _not_as_documented(what, "is no list of rows")
    answers = cast("list[dict[str, object]]", answer)
    names = list(dict.fromkeys(name for row in answers for name in row))
    if not all(type(value) in (str, int, NoneType) for row in answers for value in row.values()):
        raise _not_as_documented(what, "holds something else than text")
    rows = [{name: _text(row.get(name)) for name in names} for row in answers]
    if any(_HALF_A_SIGN.search(text) for row in rows for text in (*row, *row.values())):
        raise _not_as_documented(what, "holds characters that are none")
    return rows


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _write(tables: Mapping[str, Rows], url: str, folder: Path) -> Snapshot:
    """Write the snapshot beside its folder, and put it there in one step."""
    contents = {name: _csv(rows).encode() for name, rows in tables.items()}
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = {
        "source": "redcap", "url": url, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {name: {"sha256": files[name], "rows": len(rows)} for name, rows in tables.items()},
    }  # fmt: skip
    contents[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    try:
        _put(contents, folder)
    except OSError as error:
        message = f"The snapshot cannot be written ({error.strerror})."
        raise SourceError(Problem("not_written", message, "Check the disk, and the rights of the folder.")) from None
    return Snapshot(folder, files, len(tables[RECORDS]))


def _put(contents: Mapping[str, bytes], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as unfinished:
        ready = Path(unfinished) / "snapshot"
        ready.mkdir(mode=0o700)
        for name, content in contents.items():
            with os.fdopen(os.open(ready / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        ready.replace(folder)


def _csv(rows: Rows) -> str:
    """Return rows as CSV with all fields in quotes: line breaks of any kind stay inside."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
