"""Texts of a study that attack: every place where a text may stand, every attack, every published format."""

import csv
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from playwright.sync_api import Browser

from instruments import load_library
from pipelines.folder import open_folder
from pipelines.reporting import FORMATS, load_content, write_portfolio, write_reports
from reports.disclosure import gate_results

from .opening import draw_all

pytestmark = pytest.mark.browser

FILES = ("study.yaml", "sap.yaml", "wording/phq-9.en.yaml", "theme.yaml")
SINKS: dict[str, tuple[str, ...]] = {
    "title": ("study.yaml", "title"),
    "question": ("study.yaml", "question"),
    "programme": ("study.yaml", "programme"),
    "sponsor": ("study.yaml", "sponsor"),
    "evaluator": ("study.yaml", "evaluator"),
    "first timepoint": ("study.yaml", "timepoints", "0", "label"),
    "second timepoint": ("study.yaml", "timepoints", "1", "label"),
    "last timepoint": ("study.yaml", "timepoints", "2", "label"),
    "first arm": ("study.yaml", "arms", "0", "label"),
    "second arm": ("study.yaml", "arms", "1", "label"),
    "covariate": ("study.yaml", "covariates", "0", "label"),
    "category": ("study.yaml", "covariates", "1", "label"),
    "event": ("study.yaml", "event_kinds", "1", "label"),
    "source of the smallest change": ("sap.yaml", "outcomes", "0", "smallest_meaningful_change", "source"),
    "source of the reliable change": ("sap.yaml", "outcomes", "1", "reliable_change", "source"),
    "harm": ("sap.yaml", "harms", "1", "label"),
    "source of the margin": ("sap.yaml", "formats", "0", "margin", "source"),
    "holder of the wording": ("wording/phq-9.en.yaml", "holder"),
    "question of an instrument": ("wording/phq-9.en.yaml", "items", "1"),
    "logo": ("theme.yaml", "logo_text"),
    "another event": ("study.yaml", "event_kinds", "0", "label"),
}
"""Where a study brings a text along -> file and key; more than twenty."""

PAYLOADS = (
    '<img src="{url}">', '<img src=x onerror="window.attacked=1">', "<script>window.attacked=1</script>",
    "</script><script>window.attacked=1</script>", '<script src="{url}"></script>', "</style><script>window.attacked=1</script>",
    '<style>@import url("{url}");</style>', "<style>*{{background:url({url})}}</style>", '<link rel="stylesheet" href="{url}">',
    '<link rel="prefetch" href="{url}">', '<a href="javascript:window.attacked=1">press</a>', '<a href="{url}" ping="{url}">press</a>',
    '<svg onload="window.attacked=1">', '<svg><image href="{url}"/></svg>', '<svg><use href="{url}#x"/></svg>',
    "<svg><style>@import'{url}'</style></svg>", '<iframe src="{url}"></iframe>', "<iframe srcdoc=\"<script>parent.attacked=1</script>\"></iframe>",
    '<object data="{url}"></object>', '<embed src="{url}">', '<video src="{url}" autoplay></video>', '<audio src="{url}" autoplay></audio>',
    '<meta http-equiv="refresh" content="0;url={url}">', '<base href="{url}">', '<form action="{url}"><input autofocus onfocus="window.attacked=1"></form>',
    '<b style="background:url({url})">bold</b>', '<span style="mask-image:url({url})">x</span>', '<details open ontoggle="window.attacked=1">x</details>',
    '" onmouseover="window.attacked=1" x="', "' autofocus onfocus='window.attacked=1' x='", "&lt;img src={url}&gt;", "&#60;img src={url}&#62;",
    "]]><img src={url}>", "<!--<img src={url}>-->", "{{{{ 7 * 191 }}}}", "{{% for x in ().__class__.__base__.__subclasses__() %}}x{{% endfor %}}", "${{window.attacked=1}}",
    '=HYPERLINK("{url}","press")', "+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|'{url}'!A0",
)  # fmt: skip
TURNS = len(PAYLOADS) // 2
"""Two attacks stand in one text, the later half before the earlier: a formula is one at the start of a cell alone."""


def test_there_are_twenty_places_and_forty_attacks() -> None:
    assert len(SINKS) >= 20
    assert len(set(PAYLOADS)) == 40


@pytest.fixture(scope="module")
def harbour(ran_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example after a run, with a wording and a house style."""
    folder = tmp_path_factory.mktemp("studies") / "harbour"
    shutil.copytree(ran_example, folder)
    items = {item.id: f"Question {item.id}" for item in load_library()["phq-9"].items}
    documents: dict[str, Any] = {
        FILES[2]: {"instrument": "phq-9", "language": "en", "holder": "A holder", "items": items},
        FILES[3]: {"logo": "logo.svg", "logo_text": "A logo"},
    }  # fmt: skip
    for name, document in documents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(document))
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    return folder


@pytest.fixture(scope="module", autouse=True)
def _gated_once(harbour: Path) -> Iterator[None]:
    """Texts change nothing of what is gated, and gating takes as long as putting it into words."""
    content = load_content(open_folder(harbour))
    gated = gate_results(content.results, content.plan.small_numbers.profile, content.earlier)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.render.gate_results", lambda *_: gated.copy())
        yield


@pytest.fixture(scope="module")
def hits() -> Iterator[tuple[int, list[str]]]:
    """A listener on this machine: its port, and the first line of whatever asked it for anything."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(200).decode("latin-1").partition("\r\n")[0])

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], asked


@contextmanager
def _attacked(harbour: Path, texts: dict[str, str]) -> Iterator[Path]:
    """Put texts into a study that has run, and take them out again; nothing is fitted anew."""
    before = {name: (harbour / name).read_text() for name in FILES}
    documents = {name: yaml.safe_load(text) for name, text in before.items()}
    for sink, text in texts.items():
        name, *keys = SINKS[sink]
        place = documents[name]
        for key in keys[:-1]:
            place = place[int(key) if isinstance(place, list) else key]
        place[keys[-1]] = text
    try:
        for name, document in documents.items():
            (harbour / name).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
        yield harbour
    finally:
        for name, text in before.items():
            (harbour / name).write_text(text)


def test_a_harmless_text_from_every_place_is_in_the_report(harbour: Path) -> None:
    texts = {sink: f"Zq{number}zq" for number, sink in enumerate(SINKS)}
    with _attacked(harbour, texts):
        (page,) = write_reports(open_folder(harbour))
        told = page.read_text()
    assert [sink for sink, text in texts.items() if text not in told] == []


def _attack(turn: int, number: int, url: str) -> str:
    """Return two attacks, those that must stand first before those that may stand anywhere."""
    pair = (PAYLOADS[(turn + number) % TURNS + TURNS], PAYLOADS[(turn + number) % TURNS])
    return " ".join(payload.format(url=url) for payload in pair)


def test_every_attack_stands_in_every_place() -> None:
    for number in range(len(SINKS)):
        stood = {_attack(turn, number, "{url}") for turn in range(TURNS)}
        assert all(any(payload.format(url="{url}") in text for text in stood) for payload in PAYLOADS)


@pytest.mark.parametrize("turn", range(TURNS))
def test_nothing_is_asked_for_and_nothing_runs(
    harbour: Path, browser: Browser, hits: tuple[int, list[str]], turn: int
) -> None:
    port, asked = hits
    texts = {
        sink: _attack(turn, number, f"http://127.0.0.1:{port}/{turn}-{number}") for number, sink in enumerate(SINKS)
    }
    with _attacked(harbour, texts):
        folder = open_folder(harbour)
        # what takes seconds, or holds hardly any text of a study, is written every eighth turn
        formats = ("html", "summary", "xlsx") if turn % 8 else tuple(FORMATS)
        written = {path.name: path for path in write_reports(folder, formats=formats)}
        if turn % 8 == 0:
            written["index.html"] = write_portfolio([folder], harbour / "output" / "portfolio")
    context = browser.new_context(reduced_motion="reduce")
    said: list[str] = []
    for name in (name for name in written if name.endswith(".html")):
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(written[name].as_uri())
        if name == "report.html":
            draw_all(page)
            for kind in ("focusin", "mouseover", "toggle"):
                page.evaluate(
                    "kind => document.querySelectorAll('*').forEach(e => e.dispatchEvent(new Event(kind)))", kind
                )
        assert page.evaluate("window.attacked === undefined")
        assert "1337" not in page.inner_text("h1")
        page.close()
    context.close()
    assert said == []
    assert asked == []
    book = openpyxl.load_workbook(written["tables.xlsx"])
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert [cell.coordinate for cell in cells if cell.hyperlink and cell.hyperlink.target] == []
    for name in (name for name in written if name.endswith(".csv")):
        with written[name].open(encoding="utf-8-sig", newline="") as file:
            texts_told = [cell for row in csv.reader(file) for cell in row]
        risky = [cell for cell in texts_told if re.match(r"[=+@\t\r]|-(?![0-9.])", cell)]
        assert risky == []
