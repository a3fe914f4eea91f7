"""The library as pages: complete, escaped, the same bytes each time."""

import html
import json
import re
from pathlib import Path

import pytest

from instruments import Instrument, explain_scoring, load_library
from instruments.exchange.formats import FORMATS
from reports.catalogue import write_catalogue

CHOSEN = ("epds", "mmas-8", "phq-9", "promis-global-10", "rses-10")


@pytest.fixture(scope="module")
def chosen() -> dict[str, Instrument]:
    library = load_library()
    return {name: library[name] for name in CHOSEN}


@pytest.fixture(scope="module")
def catalogue(chosen, tmp_path_factory) -> Path:
    return write_catalogue(chosen, tmp_path_factory.mktemp("catalogue"))[0].parent


def text_of(path: Path) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", path.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_the_index_lists_every_instrument_with_domain_licence_and_status(catalogue, chosen):
    page = (catalogue / "index.html").read_text()
    for name, instrument in chosen.items():
        assert f'href="{name}.html"' in page
        assert instrument.name in text_of(catalogue / "index.html")
    assert page.count("data-domain=") == len(chosen)


def test_a_page_tells_scoring_licence_citation_sources_and_examples(catalogue, chosen):
    for name, instrument in chosen.items():
        told = text_of(catalogue / f"{name}.html")
        for paragraph in explain_scoring(instrument).split("\n\n"):
            assert " ".join(paragraph.split()) in told
        for words in (instrument.licence.terms, instrument.citation.text, instrument.version):
            assert " ".join(words.split()) in told
        for fact in instrument.facts.values():
            assert " ".join(fact.source.split()) in told
        for example in instrument.examples:
            assert ", ".join("missing" if value is None else f"{value:g}" for value in example.answers) in told
        for variant in instrument.variants:
            assert variant.label in told


def test_every_link_leads_to_a_file_and_every_export_is_linked(catalogue, chosen):
    for path in catalogue.glob("*.html"):
        for target in re.findall(r'href="([^"#]+)"', path.read_text()):
            assert target.startswith("https://doi.org/") or (catalogue / target).is_file(), target
    assert sum(
        "files/phq-9/" in target for target in re.findall(r'href="([^"]+)"', (catalogue / "phq-9.html").read_text())
    ) == len(FORMATS)
    stub = re.findall(r'href="(files/[^"]+)"', (catalogue / "mmas-8.html").read_text())
    assert stub == ["files/mmas-8/mmas-8.json"]
    exported = json.loads((catalogue / "files/epds/epds.json").read_text())
    assert Instrument.model_validate(exported) == chosen["epds"]


def test_the_same_library_gives_the_same_bytes(catalogue, chosen, tmp_path):
    write_catalogue(chosen, tmp_path)
    names = sorted(path.relative_to(catalogue) for path in catalogue.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((catalogue / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_what_a_definition_says_stays_text(chosen, tmp_path):
    hostile = chosen["phq-9"].model_copy(update={"name": "<script>alert(1)</script>", "notes": ['"><img src=x>']})
    for path in write_catalogue({"phq-9": hostile}, tmp_path):
        assert "<script>alert" not in path.read_text()
        assert "<img" not in path.read_text()
