"""Reports of a study that has run: audiences, languages, formats, house style, portfolio."""

import io
import json
import re
import shutil
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from data_contracts import PeerimpactError
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.locking import lock_output
from pipelines.releasing import open_releases
from pipelines.reporting import FORMATS, load_content, write_reports
from pipelines.run import run_study

NOT_FOR_RELEASE = "Not for release"
DRAFT = "Draft: not yet released"


@pytest.fixture(scope="module")
def harbour(ran_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example after a run, for this module alone."""
    return Path(shutil.copytree(ran_example, tmp_path_factory.mktemp("studies") / "harbour"))


def test_every_format_writes_its_file_and_the_same_bytes_again(harbour: Path) -> None:
    written = write_reports(open_folder(harbour), formats=tuple(FORMATS))
    assert [path.name for path in written] == [file for file, _ in FORMATS.values()]
    first = {path.name: path.read_bytes() for path in written}
    again = {path.name: path.read_bytes() for path in write_reports(open_folder(harbour), formats=tuple(FORMATS))}
    assert first == again
    assert first["report.pdf"].startswith(b"%PDF-1.7")


def test_a_run_and_the_command_write_the_same_report(harbour: Path) -> None:
    of_run = (harbour / "output" / "report.html").read_bytes()
    done = CliRunner().invoke(app, ["report", str(harbour)])
    assert done.exit_code == 0, done.output
    assert (harbour / "output" / "report.html").read_bytes() == of_run


def test_an_internal_report_has_a_name_and_a_mark_of_its_own(harbour: Path) -> None:
    (path,) = write_reports(open_folder(harbour), audience="internal")
    assert path.name == "report.internal.html"
    assert NOT_FOR_RELEASE in path.read_text()
    assert DRAFT not in path.read_text()
    assert NOT_FOR_RELEASE not in (harbour / "output" / "report.html").read_text()


def test_a_spreadsheet_holds_every_table_and_no_formula(harbour: Path) -> None:
    (path,) = write_reports(open_folder(harbour), formats=("xlsx",))
    book = openpyxl.load_workbook(path)
    listed = [
        row for row in book.worksheets[0].iter_rows(values_only=True) if row[0] and re.match("[0-9]+ ", str(row[0]))
    ]
    assert len(listed) == len(book.worksheets) - 1 > 30
    for (name, caption, *_), sheet in zip(listed, book.worksheets[1:], strict=True):
        assert (sheet.title, sheet["A1"].value) == (name, caption)
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_the_codebook_names_every_column_and_every_analysis_of_the_results(harbour: Path) -> None:
    write_reports(open_folder(harbour), formats=("csv", "codebook", "parquet"))
    results = pd.read_csv(harbour / "output" / "results.csv", encoding="utf-8-sig", keep_default_na=False)
    codebook = pd.read_csv(harbour / "output" / "codebook.csv", encoding="utf-8-sig", keep_default_na=False)
    named = codebook.groupby("part")["name"].apply(list)
    assert named["column"] == list(results.columns)
    assert set(named["analysis"]) == set(results["analysis"])
    assert (codebook["meaning"] != "").all()
    assert not {"words", "classes", "fewest"} & set(results.columns)
    assert list(pd.read_parquet(harbour / "output" / "results.parquet").columns) == list(results.columns)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "docx"], "There is no format 'docx'."),
        (["--audience", "press"], "There is no audience 'press'."),
        (["--language", "tlh"], "Reports do not speak 'tlh'."),
    ],
)
def test_what_is_not_known_is_told_with_what_is(harbour: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["report", str(harbour), *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert "Allowed: " in done.output or "Did you mean" in done.output


def test_a_study_that_has_not_run_has_no_report(harbour: Path, tmp_path: Path) -> None:
    shutil.copytree(harbour, tmp_path / "fresh", ignore=shutil.ignore_patterns("output"))
    done = CliRunner().invoke(app, ["report", str(tmp_path / "fresh")])
    assert done.exit_code == 2
    assert "has not run" in done.output
    assert "peerimpact run" in done.output


@pytest.mark.parametrize("tag", ["es", "fr", "ar"])
def test_the_example_speaks_every_language_and_brings_all_of_its_texts(harbour: Path, tag: str) -> None:
    done = CliRunner().invoke(app, ["report", str(harbour), "--language", tag, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["without_wording"] == []
    page = (harbour / "output" / f"report.{tag}.html").read_text()
    assert f'<html lang="{tag}" dir="{"rtl" if tag == "ar" else "ltr"}">' in page
    assert len(page.encode()) < 2_500_000


def test_texts_that_a_study_does_not_bring_in_a_language_are_listed(harbour: Path, tmp_path: Path) -> None:
    shutil.copytree(harbour, tmp_path / "study")
    words = (tmp_path / "study" / "languages" / "es.yaml").read_text()
    (tmp_path / "study" / "languages" / "es.yaml").write_text(words.replace("Peer support: Apoyo entre pares\n", ""))
    done = CliRunner().invoke(app, ["report", str(tmp_path / "study"), "--language", "es"])
    assert done.exit_code == 0
    assert '"Peer support": ' in done.output
    assert "Peer support" in (tmp_path / "study" / "output" / "report.es.html").read_text()


def test_reports_are_written_at_the_same_time_but_not_beside_a_run_or_a_release(
    harbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_folder(harbour)
    monkeypatch.setattr("pipelines.reporting._make_files", lambda *_, **__: {})
    with lock_output(folder, is_shared=True):
        assert write_reports(folder, formats=("csv",)) == []
        with pytest.raises(PeerimpactError, match=r"under way\. Wait"):
            write_reports(folder, formats=("csv",), is_release=True)
    with lock_output(folder), pytest.raises(PeerimpactError, match=r"under way\. Wait"):
        write_reports(folder, formats=("csv",))


def test_what_a_run_read_that_did_not_come_to_its_end_is_not_told_beside_earlier_numbers(
    harbour: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(harbour, tmp_path / "harbour"))
    with duckdb.connect(str(folder / "output" / "store.duckdb")) as store:
        store.execute("update reconciliation set sha256 = 'other'")
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 2
    assert "did not come to its end" in " ".join(done.output.split())


def test_a_house_style_reaches_the_page_and_its_charts(harbour: Path, tmp_path: Path) -> None:
    folder = tmp_path / "styled"
    shutil.copytree(harbour, folder)
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (folder / "theme.yaml").write_text(
        'colours: ["#5a1e6b", "#8a3d00"]\nfont: Verdana\nlogo: logo.svg\nlogo_text: A foundation\n'
    )
    (path,) = write_reports(open_folder(folder))
    page = path.read_text()
    assert "--accent: #5a1e6b" in page
    assert "font-family: 'Verdana', system-ui" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert 'alt="A foundation"' in page
    assert page.count("#8a3d00") > 3
    assert "#0b5a97" not in page.partition("</style>")[2].partition('id="plotly-packed"')[0]


@pytest.mark.parametrize(
    ("theme", "said"),
    [
        ('colours: ["#ffcc00", "#000000"]\n', "too pale to read"),
        ('colours: ["red", "#000000"]\n', "is not a colour"),
        ('font: "x; } body { display: none"\n', "is not the name of a font"),
        ("logo: ../outside.png\nlogo_text: x\n", "There is no picture"),
        ("logo: study.yaml\nlogo_text: x\n", "is no PNG, JPEG or SVG"),
        ("colors: []\n", "colours"),
    ],
)
def test_a_house_style_that_cannot_be_used_is_refused_with_its_key(
    harbour: Path, tmp_path: Path, theme: str, said: str
) -> None:
    folder = tmp_path / "styled"
    shutil.copytree(harbour, folder)
    (tmp_path / "outside.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "theme.yaml").write_text(theme)
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 2
    assert "theme.yaml" in done.output
    assert said in done.output


def test_a_portfolio_tells_each_study_and_links_to_its_report(harbour: Path, small_study: Path, tmp_path: Path) -> None:
    run_study(open_folder(small_study))
    done = CliRunner().invoke(app, ["portfolio", str(harbour), str(small_study), "--into", str(tmp_path / "all")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "all" / "index.html").read_text()
    for folder in (harbour, small_study):
        content = load_content(open_folder(folder))
        link = f"{open_folder(folder).study.value.study}.html"
        assert f'<a href="{link}">{content.title}</a>' in page
        assert (tmp_path / "all" / link).read_text().startswith("<!doctype html>")
    done = CliRunner().invoke(app, ["portfolio", str(harbour), str(harbour), "--into", str(tmp_path / "twice")])
    assert done.exit_code == 2
    assert "Two studies are called" in done.output


def _release(study: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["report", str(study), "--release", *more])
    return done.exit_code, done.output


def test_a_release_is_recorded_and_the_next_one_is_held_against_it(small_study: Path) -> None:
    run_study(open_folder(small_study))
    assert not (small_study / "releases.jsonl").exists()
    assert _release(small_study)[0] == 0
    ledger = (small_study / "releases.jsonl").read_text()
    assert _release(small_study, "--format", "summary")[0] == 0
    assert (small_study / "releases.jsonl").read_text() == ledger  # it told the same
    lines = (small_study / "answers.csv").read_text().splitlines()
    (small_study / "answers.csv").write_text("\n".join([line for line in lines if not line.startswith("P03,")]) + "\n")
    output = small_study / "output"
    published = {path.name: path.read_bytes() for path in output.iterdir() if path.name in ("report.html", "drift.csv")}
    (output / "report.es.internal.pdf").write_bytes(b"of an earlier run")
    done = CliRunner().invoke(app, ["run", str(small_study)])
    assert done.exit_code == 2
    assert "Since the report released on" in done.output
    assert "now in output/earlier-1" in " ".join(done.output.split())
    assert {path.name for path in output.iterdir()} == {".lock", "earlier-1", "runs.jsonl", "store.duckdb"}
    assert {name: (output / "earlier-1" / name).read_bytes() for name in published} == published
    assert _release(small_study)[0] == 2
    assert (small_study / "releases.jsonl").read_text() == ledger
    done = CliRunner().invoke(app, ["report", str(small_study), "--audience", "internal"])
    assert done.exit_code == 0, done.output
    (output / "report.html").write_bytes(b"of an earlier run")
    assert "now in output/earlier-2" in " ".join(_release(small_study)[1].split())
    assert sorted(path.name for path in output.glob("report.*")) == ["report.internal.html"]


def test_what_is_not_released_is_marked_as_a_draft_and_a_release_bears_its_number(small_study: Path) -> None:
    run_study(open_folder(small_study))
    formats = ("html", "summary", "xlsx")

    def told(path: Path) -> str:
        if path.suffix == ".html":
            return path.read_text()
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
        return str([row for sheet in book for row in sheet.iter_rows(values_only=True)])

    def write(*, is_release: bool) -> list[str]:
        return [told(path) for path in write_reports(open_folder(small_study), formats=formats, is_release=is_release)]

    assert DRAFT in (small_study / "output" / "report.html").read_text()
    assert all(DRAFT in text for text in write(is_release=False))
    released = write(is_release=True)
    (release,) = open_releases(small_study)
    assert all(DRAFT not in text for text in released)
    assert all(f"Release 1, {release.time[:10]}" in text for text in released)
    assert write(is_release=True) == released  # it tells the same, so it is the same release
    assert all(DRAFT in text for text in write(is_release=False))


def test_what_is_not_protected_is_not_released(small_study: Path) -> None:
    run_study(open_folder(small_study))
    code, said = _release(small_study, "--audience", "internal")
    assert code == 2
    assert "cannot be released" in said
    with (small_study / "sap.yaml").open("a") as file:
        file.write("small_numbers: {profile: none}\n")
    code, said = _release(small_study)
    assert code == 2
    assert "protects no small numbers" in said
    assert not (small_study / "releases.jsonl").exists()


def test_numbers_of_a_run_are_not_reported_under_another_plan(harbour: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(harbour, tmp_path / "harbour"))
    plan = (folder / "sap.yaml").read_text()
    for before, after in (("value: 2, source", "value: 1, source"), ("at_least: 10", "at_least: 15")):
        assert before in plan
        (folder / "sap.yaml").write_text(plan.replace(before, after))
        done = CliRunner().invoke(app, ["report", str(folder)])
        assert done.exit_code == 2
        assert "changed after the last run" in done.output
    (folder / "sap.yaml").write_text(plan.replace("declared for this invented example", "declared elsewhere"))
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 0, done.output


def test_results_of_another_version_are_told_as_such(harbour: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(harbour, tmp_path / "harbour"))
    with duckdb.connect(str(folder / "output" / "store.duckdb")) as store:
        store.execute("alter table results drop column verdict")
    done = CliRunner().invoke(app, ["report", str(folder)])
    assert done.exit_code == 2
    assert "another version of peerimpact" in " ".join(done.output.split())
