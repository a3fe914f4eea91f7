"""Words of YAML: text, lists and mappings on one line, as they are read back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from pipelines.declarations import Items

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS_OF_YAML: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def write_items(items: Items | Mapping[str, Items]) -> str:
    """Return items as study.yaml takes them: a pattern, a list, or one of these for each timepoint."""
    if isinstance(items, str):
        return write_text(items)
    if isinstance(items, list):
        return f"[{', '.join('null' if name is None else write_text(name) for name in items)}]"
    return "{" + ", ".join(f"{name}: {write_items(each)}" for name, each in items.items()) + "}"


def write_mapping(values: Mapping[str, object]) -> str:
    """Return a mapping on one line."""
    return "{" + ", ".join(f"{write_text(key)}: {write_value(value)}" for key, value in values.items()) + "}"


def write_value(value: object) -> str:
    """Return a text, number or truth value, or what holds them."""
    if isinstance(value, Mapping):
        return write_mapping(value)
    return write_text(value) if isinstance(value, str) else json.dumps(value)


def write_text(text: str) -> str:
    """Return text as YAML reads it back: bare where nothing in it could mean something else."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def write_comment(text: str) -> str:
    """Return text that may follow a # on one line."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
