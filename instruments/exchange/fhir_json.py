"""JSON as FHIR servers send it: read strictly, held to bounds, and every place in it named without its content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem
from instruments.errors import InstrumentError

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 64
PLAIN_LINK_ID: Final = re.compile(r"[A-Za-z0-9./_-]{1,64}")

Node = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file, the resource counted from 1, and the linkId where there is one."""

    source: str
    resource: int
    link_id: str = ""

    def refuse(self, code: str, message: str, how_to_fix: str) -> InstrumentError:
        """Return the error for what stands here; a linkId that is no plain code is not told."""
        link = f", linkId {self.link_id}" if PLAIN_LINK_ID.fullmatch(self.link_id) else ""
        return InstrumentError(Problem(code, message, how_to_fix, self.source, key=f"resource {self.resource}{link}"))


def load_json(path: Path) -> object:
    """Load a file of JSON in UTF-8, up to 64 MiB; `InstrumentError` where it is none, or a key stands twice."""

    def refuse(code: str, message: str, how_to_fix: str, line: int | None = None) -> InstrumentError:
        return InstrumentError(Problem(code, message, how_to_fix, path.name, line))

    try:
        if path.stat().st_size > MAX_BYTES:
            raise refuse(
                "too_large", f"The file is larger than {MAX_BYTES >> 20} MiB.", "Export it in several bundles."
            )
        text = path.read_bytes().decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except OSError as error:
        raise refuse("unreadable", f"The file cannot be read ({error.strerror}).", "Check the path.") from None
    except UnicodeDecodeError:
        raise refuse("not_utf8", "The file is not encoded in UTF-8.", "Export it as JSON in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise refuse("not_json", f"The file is no JSON ({error.msg}).", "Export it again.", error.lineno) from None
    except (ValueError, RecursionError):
        message = "A key stands twice in one object, a number is none of JSON, or the nesting is too deep."
        raise refuse("not_json", message, "Export it again.") from None


def _children(node: object) -> Iterable[object]:
    return node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> object:
    raise ValueError


def require_shallow(document: object, place: Place) -> None:
    """Refuse a document of more than 64 levels."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
    if level:
        raise place.refuse("too_deep", f"The document has more than {MAX_DEPTH} levels.", "Export it again.")


def find_responses(document: object, start: Place) -> tuple[list[tuple[Place, Node]], bool]:
    """Return every QuestionnaireResponse with its place, and whether further pages follow."""
    kind = document.get("resourceType") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or kind not in ("Bundle", "QuestionnaireResponse"):
        raise start.refuse(
            "not_a_bundle",
            "The document is neither a Bundle nor a QuestionnaireResponse.",
            "Export QuestionnaireResponses as a FHIR R4 Bundle in JSON.",
        )
    if kind == "QuestionnaireResponse":
        return [(start, document)], False
    found: list[tuple[Place, Node]] = []
    for number, entry in enumerate(nodes_of(document, "entry", start), start=1):
        place = Place(start.source, number)
        resource = entry.get("resource", {})
        if not isinstance(resource, Mapping):
            raise place.refuse("not_fhir", "'resource' is no object.", "Export the bundle as FHIR R4 again.")
        if resource.get("resourceType") == "QuestionnaireResponse":
            found.append((place, resource))
    return found, any(link.get("relation") == "next" for link in nodes_of(document, "link", start))


def nodes_of(node: Node, key: str, place: Place) -> list[Node]:
    """Return the JSON objects of a list; none where the key is absent."""
    found = node.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise place.refuse("not_fhir", f"'{key}' is no list of objects.", "Export the response as FHIR R4 again.")
    return found


def text_of(node: Node, key: str, place: Place) -> str:
    """Return a text; empty where the key is absent."""
    found = node.get(key, "")
    if not isinstance(found, str):
        raise place.refuse("not_fhir", f"'{key}' is no text.", "Export the response as FHIR R4 again.")
    return found
