"""The message catalogues: what the code says, found in its source, and whether each language has it.

``python -m reports.messages update`` takes new messages into ``reports/locales/*.po`` and drops those that are gone;
``python -m reports.messages check`` lists what is missing, fuzzy or has other values in braces.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any, Final

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from data_contracts.model import load_contract
from instruments import load_instrument
from reports.own_words import texts_of, texts_of_columns, texts_of_contract

ROOT: Final = Path(__file__).parent.parent
LOCALES: Final = ROOT / "reports" / "locales"
ROOMS: Final = ("data_contracts", "instruments", "analysis", "reports")
IN_CONTEXT: Final = "say_as"
KEYWORDS: Final[dict[str, tuple[int, ...]]] = {
    "mark": (0,),
    "say": (0,),
    IN_CONTEXT: (0, 1),
    "say_many": (0, 1),
    "tell": (0,),
    "tell_many": (0, 1),
}
"""Function -> places of its literals: a message, its two forms, or its context and the message."""
COMMENT: Final = "# i18n:"
DESCRIBED: Final = "results"
"""Table whose columns a codebook describes in the language of the report."""


def extract_messages() -> Catalog:
    """Return every message of the code, the templates, our definitions and our contracts, without translations."""
    catalogue = Catalog(project="peerimpact", charset="utf-8")
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*")):
        for _, message, comments, context in _messages_of(path):
            place = [(path.relative_to(ROOT).as_posix(), 0)]
            catalogue.add(message, locations=place, auto_comments=comments, context=context)
    return catalogue


def update_catalogue(tag: str, template: Catalog) -> None:
    """Take the messages of a template into the catalogue of a language; a translation is never guessed."""
    path = LOCALES / f"{tag}.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=tag)
    catalogue.update(template, no_fuzzy_matching=True, keep_user_comments=True)
    catalogue.obsolete.clear()
    written = BytesIO()
    write_po(written, catalogue, width=120, no_location=True)
    path.write_bytes(written.getvalue())


def find_faults(tag: str, template: Catalog) -> Iterator[str]:
    """Yield what is wrong with the catalogue of a language, a line each."""
    with (LOCALES / f"{tag}.po").open("rb") as file:
        catalogue = read_po(file, locale=tag)
    known = {(message.context, message.id): message for message in catalogue if message.id}
    wanted = {(message.context, message.id) for message in template if message.id}
    for key in sorted(wanted - set(known), key=str):
        yield f"{tag}: not there: {key[1]}"
    for key in sorted(set(known) - wanted, key=str):
        yield f"{tag}: no longer said: {key[1]}"
    for key in sorted(wanted & set(known), key=str):
        message = known[key]
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
        if message.fuzzy or not all(forms):
            yield f"{tag}: not translated: {key[1]}"
            continue
        allowed = {frozenset(_fields(source)) for source in sources}
        if any(frozenset(_fields(form or "")) not in allowed for form in forms):
            yield f"{tag}: other values in braces: {key[1]}"


def _messages_of(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    if path.suffix == ".py":
        yield from _messages_of_code(path.read_text(encoding="utf-8"))
    elif path.suffix == ".html":
        with path.open("rb") as file:
            for line, _, found, comments in babel_extract(file, ("say",), (), {"silent": "false"}):
                messages = [found] if isinstance(found, str) else [part for part in found or () if part]
                yield from ((line, message, comments, None) for message in messages[:1])
    elif path.suffix == ".yaml" and path.parent.name == "definitions":
        yield from ((0, text, [], None) for text in texts_of(load_instrument(path)))
    elif path.suffix == ".yaml" and path.parent.name == "contracts":
        contract = load_contract(path)
        yield from ((0, text, [], None) for text in texts_of_contract(contract))
        if contract.id == DESCRIBED:
            yield from ((0, text, [], None) for text in texts_of_columns(contract))


def _messages_of_code(source: str) -> Iterator[tuple[int, Any, list[str], str | None]]:
    """Yield the literals that are said: line, message or its two forms, comments for translators, context."""
    lines = source.splitlines()
    for call, starts in _calls(ast.parse(source), ()):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        literals = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        places = KEYWORDS.get(name, ())
        if not places or len(literals) < len(places):
            continue
        context = literals[0] if name == IN_CONTEXT else None
        message = tuple(literals[place] for place in places[bool(context) :])
        above = (lines[start - 2].strip() for start in starts if start > 1)
        comments = [line.removeprefix(COMMENT).strip() for line in above if line.startswith(COMMENT)]
        yield call.lineno, message if len(message) > 1 else message[0], comments, context


def _calls(node: ast.AST, starts: tuple[int, ...]) -> Iterator[tuple[ast.Call, tuple[int, ...]]]:
    """Yield calls in the order of the source, each with the lines where it and what holds it in its statement begin."""
    line = getattr(node, "lineno", 0)
    starts = (line,) if isinstance(node, ast.stmt) else tuple(dict.fromkeys((*starts, line)))
    if isinstance(node, ast.Call):
        yield node, starts
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, starts)


def _fields(text: str) -> Iterator[str]:
    return (name for _, name, _, _ in Formatter().parse(text) if name is not None)


def main(arguments: list[str]) -> int:
    """Update or check the catalogues; return how many faults there are, at most 1."""
    template, tags = extract_messages(), sorted(path.stem for path in LOCALES.glob("*.po"))
    if arguments == ["update"]:
        for tag in tags:
            update_catalogue(tag, template)
    faults = [fault for tag in tags for fault in find_faults(tag, template)]
    print("\n".join(faults[:50]) or f"{len(template)} messages, each in {len(tags)} languages.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
