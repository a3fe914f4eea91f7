"""What the parts of an evaluation say: every sentence that is written down can be said in other languages, too."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from analysis.telling import Told

from .said_again import find_unsayable

PARTS = (
    "balance_part", "change_counts_part", "deviations", "harms_part", "leavers", "mediation_part", "sensitivity.imputed",
    "sensitivity.judgement", "sensitivity.refits", "sensitivity.rows", "sites_part", "size_part", "subgroups_part",
)  # fmt: skip


def told_in(value: Any) -> Iterator[str]:
    """Every sentence of a constant: itself, or keys and values of a mapping."""
    if isinstance(value, Told):
        yield value
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from told_in(each)


@pytest.mark.parametrize("part", PARTS)
def test_what_a_part_may_say_can_be_said_in_other_languages(part: str) -> None:
    constants = vars(import_module(f"analysis.{part}"))
    said = [sentence for value in constants.values() for sentence in told_in(value)]
    assert said
    assert [problem for sentence in said for problem in find_unsayable(sentence, set())] == []


@pytest.mark.parametrize("part", PARTS)
def test_no_part_writes_down_a_sentence_that_is_only_text(part: str) -> None:
    constants = vars(import_module(f"analysis.{part}"))
    texts = [text for name, value in constants.items() if not name.startswith("__") for text in texts_in(value)]
    assert [text for text in texts if text.rstrip().endswith(".") or text.count(" ") >= 4] == []


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a constant that is no `Told`."""
    if isinstance(value, str) and not isinstance(value, Told):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts_in(each)
