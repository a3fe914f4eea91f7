"""The ledger of releases outlives the output, holds one line for each report, and a broken one stops everything."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from analysis.results import Result, results_table
from pipelines.errors import PipelineError
from pipelines.releasing import FILE, number_release, open_releases, record_release
from reports import gate_results

TIME = datetime(2026, 1, 31, 10, tzinfo=UTC)


def gated(n: int) -> pd.DataFrame:
    row = Result(analysis="flow", statistic="allocated", arm="peer", value=n, n=n)
    return gate_results(results_table([row]), "threshold-10")


def test_what_was_released_is_there_for_the_next_one(tmp_path):
    assert open_releases(tmp_path) == ()
    record_release(tmp_path, gated(80), profile="threshold-10", report=b"first", time=TIME)
    record_release(tmp_path, gated(95), profile="threshold-10", report=b"second", time=TIME)
    first, second = open_releases(tmp_path)
    assert (first.time, first.profile, first.facts[0]["n"]) == ("2026-01-31T10:00:00+00:00", "threshold-10", 80)
    assert first.report != second.report
    assert second.facts[0]["n"] == 95


def test_the_same_again_adds_no_line(tmp_path):
    for report in (b"english", b"french"):
        record_release(tmp_path, gated(80), profile="threshold-10", report=report, time=TIME)
    assert len(open_releases(tmp_path)) == 1


def test_a_release_has_the_next_number_and_the_same_again_has_the_last_one(tmp_path):
    first = number_release(tmp_path, gated(80), profile="threshold-10", time=TIME)
    assert (first.number, first.date) == (1, "2026-01-31")
    record_release(tmp_path, gated(80), profile="threshold-10", report=b"first", time=TIME)
    assert number_release(tmp_path, gated(80), profile="threshold-10") == first
    assert number_release(tmp_path, gated(95), profile="threshold-10").number == 2


@pytest.mark.parametrize("content", [b"{}\n", b"\xff\xfe", b'{"time": 1'])
def test_a_ledger_that_cannot_be_read_stops_the_next_release_with_its_line(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(PipelineError, match=FILE):
        open_releases(tmp_path)
    with pytest.raises(PipelineError):
        record_release(tmp_path, gated(80), profile="threshold-10", report=b"", time=TIME)
    assert (tmp_path / FILE).read_bytes() == content
