"""Strict YAML documents: read once, validated, every error with its line."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from data_contracts.errors import DataContractError, Problem, choose_from

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Key = str | int
KeyPath = tuple[Key, ...]
Model = TypeVar("Model", bound=BaseModel)

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")


class StrictModel(BaseModel):
    """Base of every document model: closed keys, no coercion, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _text_of_code(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Code = Annotated[str, BeforeValidator(_text_of_code, json_schema_input_type=str | int | float)]
"""A code as it stands in a data file; a bare number in YAML is read as its text."""

Name = Annotated[str, "snake_case or kebab-case name"]
NAME_PATTERN = r"^[a-z][a-z0-9_.-]{0,63}$"


class Finding(NamedTuple):
    """A value that a model validator refuses; `key` is relative to that model."""

    key: KeyPath
    message: str
    how_to_fix: str


class FindingsError(ValueError):
    """Raised inside a pydantic validator to report several findings with their keys."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{finding.message} {finding.how_to_fix}" for finding in findings))


@dataclass(frozen=True, slots=True)
class Document(Generic[Model]):
    """A validated document that still knows its lines.

    Attributes
    ----------
    value : pydantic model
        The validated content.
    path : Path
        Where it was read from.
    text : str
        The document as read; its bytes are what a fingerprint is taken of.
    lines : dict
        Key path -> 1-based line.
    """

    value: Model
    path: Path
    text: str = field(repr=False)
    lines: dict[KeyPath, int] = field(repr=False)

    def problem(self, key: KeyPath, code: str, message: str, how_to_fix: str) -> Problem:
        """Return a `Problem` that points at `key` in this document."""
        return _problem(self.path.name, self.lines, key, code, message, how_to_fix)


def load_document(path: Path, model: type[Model]) -> Document[Model]:
    """Read a YAML document strictly and validate it.

    Parameters
    ----------
    path : Path
        A UTF-8 YAML file of at most 256 KiB and 20 levels; aliases, tags and duplicate keys are refused, and plain
        words stay text (only ``true``, ``false``, ``null`` and numbers are typed). Keys are always text.
    model : type
        The pydantic model of the document, a `StrictModel`.

    Returns
    -------
    Document
        The validated value with its lines.

    Raises
    ------
    DataContractError
        With every problem found: file, line, key, what was found and what is allowed.
    """
    text = _read_text(path)
    data, lines = parse_yaml(text, path.name)
    if not isinstance(data, dict):
        first = next(iter(model.model_fields))
        raise DataContractError(
            Problem(
                "not_a_mapping",
                "The document is not a list of 'key: value' lines.",
                f"Start it with '{first}: ...'." if first != "root" else "Write 'key: value', or remove the file.",
                path.name,
                1,
            )
        )
    try:
        value = model.model_validate(data)
    except ValidationError as error:
        raise DataContractError(_explain(error, model, path.name, lines)) from None
    return Document(value, path, text, lines)


def parse_yaml(text: str, file: str) -> tuple[Any, dict[KeyPath, int]]:
    """Parse YAML text to plain values and the line of every key path."""
    lines: dict[KeyPath, int] = {}
    try:
        loader = _StrictLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        return (None if node is None else _value(node, (), lines)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DataContractError(
            Problem(
                "not_yaml",
                f"{(error.problem or 'cannot be read').capitalize()}.",
                getattr(error, "note", None) or "Correct the YAML at this line.",
                file,
                mark.line + 1 if mark else None,
            )
        ) from None
    except yaml.YAMLError:
        raise DataContractError(
            Problem("not_yaml", "A character is not allowed in YAML.", "Remove control characters.", file)
        ) from None


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataContractError(
            Problem("file_missing", "The file does not exist.", "Create it or correct the path.", str(path))
        ) from None
    except OSError as error:
        raise DataContractError(
            Problem(
                "file_unreadable",
                f"The file cannot be read ({error.strerror}).",
                "Check the path and its rights.",
                str(path),
            )
        ) from None
    if len(raw) > MAX_BYTES:
        raise DataContractError(
            Problem(
                "document_too_large",
                f"The document has {len(raw)} bytes; at most {MAX_BYTES} are read.",
                "Move data into data files.",
                path.name,
            )
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataContractError(
            Problem(
                "not_utf8",
                "The document is not UTF-8 text.",
                "Save it as UTF-8.",
                path.name,
                raw[: error.start].count(b"\n") + 1,
            )
        ) from None


class _StrictLoader(yaml.SafeLoader):
    """Compose nodes only, refusing what makes YAML surprising."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases are not allowed", event, "Write the value out where it is used.")
        if getattr(event, "tag", None) is not None:
            raise _refusal("tags are not allowed", event, "Remove the tag.")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"nested deeper than {MAX_DEPTH} levels", event, "Flatten the document.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refusal(problem: str, at: Any, note: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark, note=note)


def _value(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refusal("a key must be a single word", key_node, "Use 'key: value'.")
            key = key_node.value
            if key in result:
                raise _refusal(f"the key '{key}' stands twice", key_node, "Keep one of the two.")
            result[key] = _value(value_node, (*path, key), lines)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), lines) for index, child in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    text: str = node.value
    if getattr(node, "style", None) is not None:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _problem(file: str, lines: dict[KeyPath, int], key: KeyPath, code: str, message: str, how_to_fix: str) -> Problem:
    at = key
    while at and at not in lines:
        at = at[:-1]
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return Problem(code, message, how_to_fix, file, lines.get(at, 1), dotted)


def _explain(error: ValidationError, model: type[BaseModel], file: str, lines: dict[KeyPath, int]) -> list[Problem]:
    problems: list[Problem] = []
    for entry in error.errors():
        path = tuple(part for part in entry["loc"] if not (isinstance(part, str) and part.startswith("[")))
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, FindingsError):
            problems += [
                _problem(file, lines, (*path, *finding.key), "invalid_value", finding.message, finding.how_to_fix)
                for finding in cause.findings
            ]
            continue
        problems.append(_problem(file, lines, path, entry["type"], *_wording(entry, path, model)))
    return problems


def _wording(entry: Any, path: KeyPath, model: type[BaseModel]) -> tuple[str, str]:
    kind, found = entry["type"], entry["input"]
    if kind == "extra_forbidden":
        owner = _model_at(model, path[:-1])
        return f"Unknown key '{path[-1]}'.", choose_from(str(path[-1]), list(owner.model_fields) if owner else [])
    if kind == "missing":
        return f"The key '{path[-1]}' is missing.", "Add it."
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", entry["ctx"]["expected"])
        return f"Found {_show(found)}, which is not allowed here.", choose_from(str(found), allowed)
    if kind in _EXPECTED:
        return f"Found {_show(found)}.", f"Write {_EXPECTED[kind]}."
    if kind == "string_pattern_mismatch":
        return (
            f"Found {_show(found)}.",
            "Write a name of lower-case letters, digits, '_', '-' or '.', starting with a letter (at most 64).",
        )
    message = entry["msg"].removeprefix("Value error, ")
    return f"Found {_show(found)}: {message[0].lower()}{message[1:]}.".replace("..", "."), "Correct the value."


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list: [a, b]",
    "tuple_type": "a list: [a, b]",
    "dict_type": "keys and values: {a: b}",
    "model_type": "keys and values: {a: b}",
}


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and current is not None and part in current.model_fields:
            current = _model_in(current.model_fields[part].annotation)
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if (
        isinstance(annotation, type)
        and not isinstance(annotation, types.GenericAlias)
        and issubclass(annotation, BaseModel)
    ):
        return annotation
    return next(filter(None, (_model_in(argument) for argument in typing.get_args(annotation))), None)
