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
from reports.pdf import print_pdf
from reports.summary import render_summary

Build = Callable[..., ReportContent]
PAGE = "<!doctype html><html lang=en><title>t</title><h1>t</h1>{}</html>"


@pytest.fixture(scope="module")
def pages(build: Build) -> tuple[str, str]:
    report = prepare_report(build())
    return render_page(report), render_summary(report)


def test_a_pdf_says_that_it_is_tagged_and_in_which_language(pages: tuple[str, str]) -> None:
    written = print_pdf(pages[0])
    packed = re.findall(rb"stream\n(.*?)\nendstream", written, re.DOTALL)
    told = written + b"".join(zlib.decompress(part) for part in packed if part.startswith(b"x\xda"))
    assert b"pdfuaid:part" in told
    assert b"/MarkInfo" in told
    assert b"/Lang (en)" in told


def test_the_same_page_gives_the_same_bytes(pages: tuple[str, str]) -> None:
    assert print_pdf(pages[1]) == print_pdf(pages[1])


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext: install Debian's poppler-utils")
def test_a_summary_is_one_sheet_and_holds_the_first_claim(pages: tuple[str, str], build: Build, tmp_path: Path) -> None:
    path = tmp_path / "summary.pdf"
    path.write_bytes(print_pdf(pages[1]))
    text = subprocess.run(["pdftotext", str(path), "-"], check=True, capture_output=True, text=True).stdout
    assert text.count("\f") == 1
    claim = prepare_report(build()).view.headline.claims[0].sentence
    assert re.sub(r"\s", "", claim) in re.sub(r"\s", "", text)


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
