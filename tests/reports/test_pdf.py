"""Pages on paper: tagged, whole, and without asking for anything from outside."""

import contextlib
import re
import shutil
import socket
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reports import ReportContent, prepare_report, render_page
from reports.errors import ReportError
from reports.language import LANGUAGES, open_language
from reports.pdf import print_pdf
from reports.summarise import DRAFT, SYNTHETIC
from reports.summary import render_summary

Build = Callable[..., ReportContent]
needs_pdftotext = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="no pdftotext: install Debian's poppler-utils"
)
PAGE = "<!doctype html><html lang=en><title>t</title><h1>t</h1>{}</html>"


@pytest.fixture(scope="module")
def pages(build: Build) -> tuple[str, str]:
    report = prepare_report(build(synthetic=True))
    return render_page(report), render_summary(report)


@pytest.fixture(scope="module")
def printed(pages: tuple[str, str]) -> bytes:
    return print_pdf(pages[0])


def pages_of(written: bytes, folder: Path) -> list[str]:
    """Return the text of each page of a PDF, as it is laid out."""
    path = folder / "printed.pdf"
    path.write_bytes(written)
    found = subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True)
    return found.stdout.split("\f")[:-1]


def unpacked(written: bytes) -> bytes:
    packed = re.findall(rb"stream\n(.*?)\nendstream", written, re.DOTALL)
    return written + b"".join(zlib.decompress(part) for part in packed if part.startswith(b"x\xda"))


def test_a_pdf_says_that_it_is_tagged_and_in_which_language(printed: bytes) -> None:
    told = unpacked(printed)
    assert b"pdfuaid:part" in told
    assert b"/MarkInfo" in told
    assert b"/Lang (en)" in told
    assert b"/Outlines" in told


def test_every_drawing_is_told_to_who_cannot_see_it(pages: tuple[str, str], printed: bytes) -> None:
    drawings = pages[0].count('<div class="still">')
    assert drawings > 3
    assert unpacked(printed).count(b"/Alt ") == drawings


@needs_pdftotext
def test_page_one_stands_alone_on_the_first_page(printed: bytes, tmp_path: Path) -> None:
    first, second, *_ = pages_of(printed, tmp_path)
    assert "In short" in first
    begun, ended = "Read the card of each outcome", "number from it."  # the end of its second column
    assert first.index(begun) < first.index(ended)
    assert re.search(r"^ *Contents$", second, re.MULTILINE)


@needs_pdftotext
def test_the_contents_name_the_page_that_a_section_begins_on(printed: bytes, tmp_path: Path) -> None:
    sheets = pages_of(printed, tmp_path)
    listed = re.findall(r"^ *(\S.*?) ?\.{3,} +([0-9]+)$", sheets[1], re.MULTILINE)
    assert {"In short", "Outcomes", "Felt stigma", "Method annex"} <= {title for title, _ in listed}
    for title, page in listed:
        assert re.search(rf"^ *{re.escape(title)}\b", sheets[int(page) - 1], re.MULTILINE), title


@needs_pdftotext
def test_every_page_is_numbered_and_bears_the_marks_and_all_but_the_first_the_title(
    build: Build, printed: bytes, tmp_path: Path
) -> None:
    sheets = pages_of(printed, tmp_path)
    for number, sheet in enumerate(sheets, 1):
        assert sheet.rstrip().endswith(f"{number} of {len(sheets)}")
        assert SYNTHETIC in sheet
        assert DRAFT in sheet
        assert number == 1 or build().title in sheet.split("\n")[0]


def test_the_same_page_gives_the_same_bytes(pages: tuple[str, str]) -> None:
    assert print_pdf(pages[1]) == print_pdf(pages[1])


@needs_pdftotext
@pytest.mark.parametrize("tag", sorted(LANGUAGES))
def test_a_summary_is_one_sheet_with_the_first_claim_and_its_drawing(tag: str, build: Build, tmp_path: Path) -> None:
    report = prepare_report(build(language=open_language(tag), programme="Groups that meet every week. " * 9))
    page = render_summary(report)
    sheets = pages_of(print_pdf(page), tmp_path)
    assert len(sheets) == 1
    assert page.count("<svg") == 1
    if tag != "ar":  # pdftotext turns what runs from right to left
        assert re.sub(r"\s", "", report.view.headline.claims[0].sentence)[:40] in re.sub(r"\s", "", sheets[0])


@needs_pdftotext
@pytest.mark.parametrize("change", [{"verdict": "refused:too_few"}, {"kind": "single_group"}])
def test_a_summary_without_an_answer_or_without_a_comparison_is_one_sheet_too(
    change: dict[str, str], build: Build, tmp_path: Path
) -> None:
    assert len(pages_of(print_pdf(render_summary(prepare_report(build(**change)))), tmp_path)) == 1


@needs_pdftotext
def test_a_summary_is_one_sheet_because_sheets_were_counted(pages: tuple[str, str], tmp_path: Path) -> None:
    wrongly_reckoned = re.sub("--page-one: [0-9.]+pt", "--page-one: 20pt", pages[1])
    assert wrongly_reckoned != pages[1]
    assert len(pages_of(print_pdf(wrongly_reckoned), tmp_path)) == 1


ASKING = (
    '<img alt="" src="{address}">',
    '<link rel="stylesheet" href="{address}">',
    "<style>@import url({address});</style>",
    '<p style="background: url({address})">x</p>',
    '<p style="list-style: url({address}); display: list-item">x</p>',
    '<object data="{address}"></object>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}" width="9" height="9"/></svg>',
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


@pytest.mark.parametrize("asking", ASKING)
def test_nothing_is_fetched_for_a_page(asking: str, listener: socket.socket) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/seen"
    with contextlib.suppress(ReportError):
        print_pdf(PAGE.format(asking.format(address=address)))
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_page_that_asks_for_a_file_is_refused() -> None:
    with pytest.raises(ReportError, match="cannot be printed"):
        print_pdf(PAGE.format('<img alt="" src="file:///etc/hostname">'))
