"""ReproSchema activities: files that lead to each other, valid by its own models, with JavaScript that gives our scores."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from instruments import InstrumentError, apply_variants, load_library
from instruments.exchange.fields import LABEL_ONLY, name_fields
from instruments.exchange.reproschema import write_reproschema
from instruments.scoring import score_matrix
from instruments.wording import Wording

LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.items}
FORMS = [(name, variant) for name, one in SCORED.items() for variant in [None, *(each.id for each in one.variants)]]
ROUNDED = 0.0051  # examples are given to two decimals
SAME = 1e-9  # our engine and the expression divide and multiply in another order
N_DRAWN = 6  # answers drawn for each form; the same writer of calculations is drawn from more often for REDCap

RUN = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(({names, values, expression}) => new Function(...names, `return ${expression}`)(...values))));
"""
SUBSTITUTE = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(({names, values, expression}) => {
  names.forEach((name, place) => { expression = expression.replace(new RegExp(`\\\\b${name}\\\\b`), values[place]); });
  return eval(expression);
})));
"""
VALIDATE = """
import json, pathlib, sys
from reproschema.models import Activity, Item
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*_*")):
    if path.is_file():
        document = json.loads(path.read_text())
        assert document.pop("@context").endswith("/reproschema")
        model = Activity if document["category"] == "reproschema:Activity" else Item
        model(**document)
        print(path.name)
"""


@pytest.fixture(scope="module")
def javascript():
    """Runs expressions in Node.js, all of them at once."""
    node = shutil.which("node")
    if node is None:
        driver = pytest.importorskip(
            "playwright._impl._driver", reason="neither Node.js nor Playwright, which brings it"
        )
        node = driver.compute_driver_executable()[0]

    def run(cases, program=RUN):
        done = subprocess.run(
            [node, "-e", program], input=json.dumps(cases), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    return run


def read(folder):
    """Return the activity, and its items by file name."""
    (activity,) = folder.glob("*_schema")
    return json.loads(activity.read_text()), {
        path.name: json.loads(path.read_text()) for path in (folder / "items").iterdir()
    }


def write_cases(form, people, folder):
    """Return each expression of a form with each person's answers, and the measures in the same order."""
    write_reproschema(form, folder)
    activity, _ = read(folder)
    names = name_fields(form)
    measures = {field: measure for measure, field in names.measures.items()}
    cases, asked = [], []
    for person, answers in enumerate(people):
        values = [None if one is None or math.isnan(one) else one for one in answers]
        for each in activity["compute"]:
            cases.append({"names": list(names.items.values()), "values": values, "expression": each["jsExpression"]})
            asked.append((person, measures[each["variableName"]]))
    return cases, asked


def test_expressions_give_the_scores_of_the_engine_whatever_is_missing(tmp_path, javascript):
    cases, expected = [], []
    for name, variant in FORMS:
        form = apply_variants(SCORED[name], [variant] if variant else [])
        rng = np.random.default_rng(len(name))
        people = np.array([draw_answers(form, rng) for _ in range(N_DRAWN)])
        scores = score_matrix(people, form)
        own, asked = write_cases(form, people, tmp_path / f"{name}_{variant}")
        cases += own
        expected += [(name, variant, scores[measure].score[person]) for person, measure in asked]
    for found, (name, variant, score) in zip(javascript(cases), expected, strict=True):
        assert (math.nan if found is None else found) == pytest.approx(score, abs=SAME, nan_ok=True), (name, variant)


def test_expressions_give_the_scores_of_the_worked_examples(tmp_path, javascript):
    cases, expected = [], []
    for name, place, example in ((name, *pair) for name, one in SCORED.items() for pair in enumerate(one.examples)):
        own, asked = write_cases(
            apply_variants(SCORED[name], example.variants), [example.answers], tmp_path / f"{name}_{place}"
        )
        cases += own
        expected += [(name, place, example.scores.get(measure, "unknown")) for _, measure in asked]
    for found, (name, place, score) in zip(javascript(cases), expected, strict=True):
        if score != "unknown":
            assert found == (None if score is None else pytest.approx(score, abs=ROUNDED)), (name, place)


def test_an_expression_names_each_variable_once_because_the_user_interface_replaces_only_the_first(
    tmp_path, javascript
):
    form = SCORED["phq-9"]
    (case, *_), _ = write_cases(form, [[3, 0, 1, 2, 0, 0, 1, 0, 3]], tmp_path)
    for name in case["names"]:
        assert len(re.findall(rf"\b{name}\b", case["expression"])) == 1
    assert javascript([case], SUBSTITUTE) == [10]
    quoted = case | {"values": [f"'{one}'" for one in case["values"]]}  # as it writes answers that are texts
    assert javascript([quoted], SUBSTITUTE) == [10]


def draw_answers(form, rng):
    allowed = [form.allowed_values(item.id) for item in form.items]
    answers = [
        rng.choice(one.options) if one.options else round(rng.uniform(one.minimum, one.maximum), 2) for one in allowed
    ]
    gaps = rng.permutation(len(answers))[: rng.integers(0, min(len(answers), 6) + 1)]
    return [math.nan if place in gaps else float(one) for place, one in enumerate(answers)]


@pytest.mark.parametrize("name", SCORED)
def test_an_activity_leads_to_all_its_items_and_scores_in_order(name, tmp_path):
    form = SCORED[name]
    write_reproschema(form, tmp_path)
    activity, items = read(tmp_path)
    names = name_fields(form)
    fields = [*names.items.values(), *names.measures.values()]
    assert activity["ui"]["order"] == [f"items/{field}" for field in fields]
    assert {one["isAbout"]: one["isVis"] for one in activity["ui"]["addProperties"]} == {
        f"items/{field}": field in names.items.values() for field in fields
    }
    assert sorted(items) == sorted(fields)
    assert all(document["id"] == field for field, document in items.items())
    for item in form.items:
        responses = items[names.items[item.id]]["responseOptions"]
        allowed = form.allowed_values(item.id)
        assert [one["value"] for one in responses.get("choices", [])] == list(allowed.options)
        assert (responses["minValue"], responses["maxValue"]) == (allowed.minimum, allowed.maximum)
        assert LABEL_ONLY in items[names.items[item.id]]["description"]["en"]
    owned = form.licence.status in ("registration_required", "permission_needed", "restricted")
    assert activity["isProprietary"] is owned


def test_wording_stands_in_its_language_and_safety_notes_in_the_description(instrument, tmp_path):
    items = {"1": "Um?", "2": "Dois?", "3": "Três?", "4": "Quatro?", "5": "Cinco?"}
    wording = Wording(
        instrument="tiny",
        language="pt-BR",
        holder="Test press",
        instructions="Pense.",
        items=items,
        options={"agreement": {"1": "não"}},
    )
    write_reproschema(instrument, tmp_path, wording=wording)
    activity, items = read(tmp_path)
    assert activity["preamble"] == {"pt-BR": "Pense."}
    assert "Wording by Test press." in activity["description"]["en"]
    assert items["tiny_3"]["question"] == {"pt-BR": "Três?"}
    assert items["tiny_3"]["responseOptions"]["choices"][0] == {"name": {"pt-BR": "não"}, "value": 1}
    assert items["tiny_3"]["description"]["en"] == "tiny 1.0.0, item 3: hope. Safety, answers 3: Call."


def test_the_same_instrument_gives_the_same_files_and_one_without_items_is_refused(instrument, tmp_path):
    for folder in ("one", "two"):
        write_reproschema(instrument, tmp_path / folder)
    one, two = (
        {path.relative_to(tmp_path / folder): path.read_bytes() for path in (tmp_path / folder).rglob("*_*")}
        for folder in ("one", "two")
    )
    assert len(one) == 8
    assert one == two
    stub = next(each for each in LIBRARY.values() if not each.items)
    with pytest.raises(InstrumentError, match="has no items here"):
        write_reproschema(stub, tmp_path / "stub")


@pytest.mark.skipif(find_spec("reproschema") is None, reason="the package reproschema is not installed")
def test_its_own_models_accept_every_file_and_no_other_key(instrument, tmp_path):
    for name, form in SCORED.items():
        write_reproschema(form, tmp_path / "all" / name)
    command, quiet = [sys.executable, "-c", VALIDATE], os.environ | {"NO_ET": "1"}
    done = subprocess.run([*command, tmp_path / "all"], env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == sum(
        1 + len(one.items) + len(one.scored_measures) for one in SCORED.values()
    )
    write_reproschema(instrument, tmp_path / "spoilt")
    path = tmp_path / "spoilt" / "tiny_schema"
    path.write_text(path.read_text().replace('"isProprietary"', '"isOwned"'))
    done = subprocess.run([*command, tmp_path / "spoilt"], env=quiet, capture_output=True, text=True, check=False)
    assert "isOwned" in done.stderr
