"""Somebody with nothing but the files of a report recovers no small number of people; 2,000 studies: benchmarks."""

import io
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis.profiles import PROFILES
from reports import ReportError, prepare_report

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of what is installed
disclosure_attack = import_module("benchmarks.disclosure_attack")
files_of_reports = import_module("benchmarks.attacker.files")
fits = import_module("benchmarks.attacker.fits")
small_studies = import_module("benchmarks.small_studies")

EACH = 6
"""Studies by each of the four protecting profiles."""
RULE = PROFILES["threshold-10"]


def study_of(seed):
    return small_studies.draw_richer_study(np.random.default_rng([4, seed]))


def found_in(files, study):
    found = disclosure_attack.recovered(files, study, RULE)
    return [each.sentence for each in found if not each.only_few]


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.protects])
def test_no_small_number_of_people_is_recovered_from_the_files_of_a_report(name):
    reported = 0
    for seed in range(EACH):
        try:
            found = disclosure_attack.attack(study_of(seed), PROFILES[name])
        except ReportError:  # nothing leaves where something would follow
            continue
        assert [each.sentence for each in found if not each.only_few] == []
        reported += 1
    assert reported > EACH / 2


@pytest.fixture(scope="module")
def leaky():
    """A study in which 3 of 29 people of an arm did not answer, and its files as they may leave."""
    arm = np.repeat(["peer", "usual"], [29, 40])
    rng = np.random.default_rng(3)
    scores = np.clip(np.round(rng.normal(15, 5, (69, 2))), 0, 30)
    scores[:3, 1] = np.nan
    study = small_studies.SmallStudy(arm, {"loneliness": scores}, np.zeros(69, dtype=bool), 90)
    return study, files_of_reports.write_files(prepare_report(small_studies.content_of(study, RULE.name)))


def test_the_attacker_finds_nothing_before_anything_is_planted(leaky):
    study, files = leaky
    assert found_in(files, study) == []


def with_cell(content: bytes) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    cell = next(c for sheet in book for row in sheet.iter_rows() for c in row if str(c.value).startswith("at least 20"))
    cell.value, written = "26 (90 %)", io.BytesIO()
    book.save(written)
    return written.getvalue()


def with_row(table: pd.DataFrame) -> pd.DataFrame:
    hit = (table["statistic"] == "observed") & (table["arm"] == "peer") & (table["timepoint"] == "end")
    table.loc[hit, ["value", "n", "hidden"]] = [26, 26, False]
    return table


def with_parquet(content: bytes) -> bytes:
    written = io.BytesIO()
    with_row(pd.read_parquet(io.BytesIO(content))).to_parquet(written)
    return written.getvalue()


def replaced(old: str, new: str):
    def plant(content: bytes) -> bytes:
        assert old in content.decode()
        return content.decode().replace(old, new, 1).encode()

    return plant


TOLD = "26 of 29 in Peer support answered."
LEAKS = {
    "a cell of a table of the page": ("report.html", replaced("at least 20", "26")),
    "a sentence of the page": ("report.html", replaced("</main>", f"<p>{TOLD}</p></main>")),
    "the title of a drawing": ("report.html", replaced("</title><desc", f" {TOLD}</title><desc")),
    "a comment in the page": ("report.html", replaced("</main>", f"<!-- {TOLD} --></main>")),
    "a text of a figure": ("report.html", replaced('"hovertext":["', f'"hovertext":["{TOLD} ')),
    "a height in a figure": ("report.html", replaced("68.9655", "89.6552")),
    "a sentence of the summary": ("summary.html", replaced("</body>", f"<p>{TOLD}</p></body>")),
    "a cell of a sheet": ("tables.xlsx", with_cell),
    "a row of the results": (
        "results.csv", lambda content: with_row(pd.read_csv(io.BytesIO(content))).to_csv(index=False).encode()
    ),
    "a row of the results for programs": ("results.parquet", with_parquet),
    "a line of the codebook": ("codebook.csv", lambda content: content + f"note,x,string,{TOLD}\n".encode()),
    "a line of the provenance": ("provenance.json", lambda content: content + TOLD.encode()),
}  # fmt: skip


@pytest.mark.parametrize("where", LEAKS)
def test_the_attacker_finds_a_leak_that_is_planted_in_any_file(leaky, where):
    study, files = leaky
    name, plant = LEAKS[where]
    assert found_in({**files, name: plant(files[name])}, study)


def test_the_attacker_finds_a_leak_in_the_text_of_a_pdf(leaky):
    study, files = leaky
    pdf = import_module("reports.pdf").print_pdf(f"<html lang='en'><title>x</title><body><p>{TOLD}</p></body></html>")
    assert found_in({**files, "report.pdf": pdf}, study)


def test_the_attacker_recovers_small_numbers_where_nothing_is_protected():
    found = 0
    for seed in range(2):
        study = study_of(seed)
        files = files_of_reports.write_files(prepare_report(small_studies.content_of(study, "none")))
        found += len(found_in(files, study))
    assert found > 5


def test_an_exact_interval_of_a_share_gives_both_numbers_away():
    part, whole = np.arange(60)[:, None], np.arange(20, 60)[None, :]
    low, high = fits._interval(np.array(7), np.array(29), "wilson")
    agree = fits.fit_share(part, whole, fits.Share(7 / 29, float(low), float(high), method="wilson"))
    assert list(zip(*np.nonzero(agree), strict=True)) == [(7, 29 - 20)]


def test_a_rounded_share_agrees_with_many_numbers():
    part, whole = np.arange(60)[:, None], np.arange(20, 60)[None, :]
    assert fits.fit_share(part, whole, fits.Share(0.25, 0.1, 0.45, unit=0.05, method="wilson")).sum() > 20


def test_a_mean_with_all_its_digits_gives_the_number_of_people_away_and_a_rounded_one_does_not():
    scores = np.array([3, 7, 7, 11, 14, 2, 9, 20, 5, 5, 8, 13, 4])
    people = np.arange(5, 30)
    exact = fits.Statistics(scores.mean(), sd=scores.std(ddof=1))
    assert list(people[fits.fit_mean(people, exact)]) == [13]
    assert len(people[fits.fit_mean(people, fits.Statistics(8.3, unit=0.1))]) > 15


def test_means_of_nested_people_tell_the_mean_of_those_who_left():
    first = fits.Statistics(10.5)  # 20 people, sum 210
    later, change = fits.Statistics(12.0), fits.Statistics(2.0)  # 18 people, sum 216: at baseline 180
    found = fits.fit_nested(fits.Nested(first, later, change, ((20, 20), (18, 18), (18, 18)), 20, 0, 30))
    assert found == [(20, 18, 18, 15.0, 15.0)]
