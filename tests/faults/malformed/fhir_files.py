"""FHIR: JSON that is none, bundles that are not whole, and responses that say too little, too much or two things."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instruments.exchange.fhir_json import MAX_BYTES

from .cases import Case, Damage, Line, Refusal, content, refused, set_aside, swap
from .layouts import CANARY, Layout, bundle, responses, sound_table

NAME = "fhir"
Resource = dict[str, Any]


def list_cases() -> list[Case]:
    """Return the cases of FHIR."""
    return [*_of_json(), *_of_bundles(), *_of_responses(), *_of_lines(), *_of_arms()]


def document(change: Callable[[list[Resource]], object], **more: object) -> Damage:
    """Return damage done to the responses, or to the bundle around them."""

    def damage(folder: Path, layout: Layout) -> None:
        found = responses(sound_table())
        change(found)
        whole = json.loads(bundle(found)) | more
        (folder / layout.path).write_text(json.dumps(whole, indent=1))

    return damage


def in_lines(change: Callable[[list[str]], object]) -> Damage:
    """Return damage done to a file with one resource to a line."""

    def damage(folder: Path, layout: Layout) -> None:
        lines = [json.dumps(one) for one in responses(sound_table())]
        change(lines)
        (folder / layout.path).write_text("\n".join(lines) + "\n")

    return damage


def nothing(_: object) -> None:
    """Change nothing."""


def _of_json() -> list[Case]:
    """Return cases of files that are no JSON in UTF-8."""

    def case(name: str, kind: str, damage: Damage, code: str, line: int | None = None, at: str = "") -> Case:
        return refused(name, NAME, kind, damage, Refusal(code, line, at))

    return [
        case("nothing in the file", "truncated", content(lambda _: b""), "file_empty"),
        case("the end is lost", "truncated", content(lambda data: data[: data.index(b'"linkId"')]), "not_json", 16),
        case("letters in another encoding", "encoding", content(swap(b"zq81", b"zq81\xe9")), "wrong_encoding"),
        case("UTF-16", "encoding", content(lambda data: data.decode().encode("utf-16")), "wrong_encoding"),
        case("a NUL byte", "nul", content(swap(b"zq81", b"zq\x0081")), "not_json", 11),
        case("larger than any export", "oversize",
             lambda folder, layout: os.truncate(folder / layout.path, MAX_BYTES + 1), "file_too_large"),
        case("XML with entities", "entities",
             content(lambda _: f'<!DOCTYPE a [<!ENTITY b "{CANARY}">]><Bundle>&b;</Bundle>'.encode()), "not_json", 1),
        case("a key that stands twice", "silent", content(swap(b'"status": "completed"',
             b'"status": "completed", "status": "amended"')), "not_json"),
        case("a number that JSON does not have", "silent", content(swap(b'"valueInteger": 3', b'"valueInteger": NaN')),
             "not_json"),
        case("nesting without end", "entities", content(lambda _: b"[" * 100_000 + b"]" * 100_000), "not_json"),
        case("a list", "container", content(lambda data: b"[" + data + b"]"), "not_a_bundle", None, "resource 1"),
    ]  # fmt: skip


def _of_bundles() -> list[Case]:
    """Return cases of bundles that do not hold what a study needs."""
    more = {"link": [{"relation": "next", "url": f"http://example.org/{CANARY}"}]}
    return [
        refused("a page of more", NAME, "truncated", document(nothing, **more), Refusal("more_pages")),
        refused("no response in it", NAME, "truncated", document(lambda found: found.clear()), Refusal("no_rows")),
        refused("an entry that is no resource", NAME, "container", document(nothing, entry=[{"resource": CANARY}]),
                Refusal("not_fhir", None, "resource 1")),
        refused("all in progress", NAME, "row",
                document(lambda found: [one.update(status="in-progress") for one in found]), Refusal("no_rows")),
    ]  # fmt: skip


def _of_responses() -> list[Case]:
    """Return cases of one response that cannot be read, or does not count."""

    def case(name: str, kind: str, change: Callable[[Resource], object], rule: str, severity: str = "row") -> Case:
        return set_aside(
            name, NAME, kind, document(lambda found: change(found[4])), Line(6, "", rule, severity), lost=7
        )

    def answer(**told: object) -> Callable[[Resource], object]:
        return lambda one: one["item"][2].update(answer=[told])

    def tell(**told: object) -> Callable[[Resource], object]:
        return lambda one: one.update(told)

    def again(found: list[Resource], **told: object) -> None:
        found.append(found[4] | told)

    other = responses(sound_table())[5]["item"]
    return [
        case("an answer that is none", "cell", answer(valueInteger=8), "value_not_allowed"),
        case("a word as answer", "cell", answer(valueString=CANARY), "value_kind"),
        case("a fraction as answer", "decimal comma", answer(valueDecimal=1.5), "value_not_allowed"),
        case("a number with a decimal comma", "decimal comma", answer(valueString="1,5"), "value_kind"),
        case("two answers to an item", "silent",
             lambda one: one["item"][2].update(answer=[{"valueInteger": 1}, {"valueInteger": 2}]), "several_answers"),
        case("an item answered twice", "silent", lambda one: one["item"].append(one["item"][0]), "answered_twice"),
        case("an item of another questionnaire", "cell", lambda one: one["item"][2].update(linkId=f"{CANARY} 99"),
             "unknown_item"),
        case("a questionnaire that nobody knows", "row", tell(questionnaire=f"http://example.org/{CANARY}"),
             "unknown_questionnaire"),
        case("a status that nobody knows", "row", tell(status=CANARY), "unknown_status"),
        case("nobody who answered", "row", lambda one: one.pop("subject"), "no_subject"),
        case("no day", "row", lambda one: one.pop("authored"), "no_timepoint"),
        case("a day in another order", "day and month", tell(authored="13/04/2025"), "not_a_date"),
        case("a day that no month has", "day and month", tell(authored="2025-02-30"), "not_a_date"),
        case("the number of a day in a spreadsheet", "serial date", tell(authored="45000"), "not_a_date"),
        case("a response in progress", "row", tell(status="in-progress"), "in_progress", "excluded"),
        case("a response entered in error", "row", tell(status="entered-in-error"), "entered_in_error", "excluded"),
        set_aside("a response that repeats another", NAME, "silent", document(again),
                  Line(14, "", "repeated", "excluded")),
        set_aside("a response that contradicts another", NAME, "silent", document(lambda found: again(found, item=other)),
                  Line(6, "", "answered_twice", "row"), Line(14, "", "answered_twice", "row"), lost=7),
        set_aside("another resource", NAME, "row", document(lambda found: found.append({"resourceType": "Patient"}))),
    ]  # fmt: skip


def _of_lines() -> list[Case]:
    """Return cases of NDJSON, where one broken line is one broken record."""

    def replace(at: int, line: str) -> Callable[[list[str]], object]:
        return lambda lines: lines.__setitem__(at, line)

    def cut(lines: list[str]) -> None:
        lines[-1] = lines[-1][:-9]

    return [
        set_aside("a line that is no JSON", NAME, "ragged", in_lines(replace(4, f'{{"{CANARY}": ')),
                  Line(6, "", "not_fhir", "row")),
        set_aside("a whole bundle in a line", NAME, "ragged", in_lines(replace(4, '{"resourceType": "Bundle"}')),
                  Line(6, "", "not_fhir", "row")),
        set_aside("the end of the last line is lost", NAME, "truncated", in_lines(cut), Line(13, "", "not_fhir", "row")),
    ]  # fmt: skip


def _of_arms() -> list[Case]:
    """Return cases of a file beside the answers that tells the arms."""

    def arms(change: Callable[[bytes], bytes]) -> Damage:
        def damage(folder: Path, _: Layout) -> None:
            path = folder / "arms.csv"
            path.write_bytes(change(path.read_bytes()))

        return damage

    return [
        set_aside("a participant without an arm", NAME, "row",
                  arms(lambda data: data.replace(f"{CANARY}-3,usual,41\n".encode(), b"")),
                  *(Line(row, "", "one_arm_per_participant", "row") for row in (6, 7))),
        refused("no file of the arms", NAME, "container", lambda folder, _: (folder / "arms.csv").unlink(),
                Refusal("file_missing", file="arms.csv")),
    ]  # fmt: skip
