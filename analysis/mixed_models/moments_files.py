"""Moments on disk: JSON for reading, Parquet for size; versioned, and nothing in them is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Codes
from analysis.mixed_models.moments import GroupSums, Moments
from analysis.mixed_models.recognise import Roles
from analysis.mixed_models.terms import Design, Variable
from data_contracts.errors import Problem

VERSION: Final = 1
FORMAT: Final = "peerimpact moments"


def save_moments(moments: Moments, path: Path) -> None:
    """Write to ``.json`` or ``.parquet``; neither holds a participant's id, both hold the labels of groups."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "design": {
            **{name: getattr(moments.design, name) for name in ("terms", "timepoints", "times", "outcome_centre")},
            "variables": [asdict(variable) for variable in moments.design.variables.values()],
        },
        "roles": asdict(moments.roles),
        "strata": moments.strata,
        "groups": [
            {"name": each.name, "labels": each.labels, "parents": [codes.tolist() for codes in each.parents]}
            for each in moments.groups
        ],
    }
    table = {
        "level": [-1] * len(moments.cells) + [n for n, each in enumerate(moments.groups) for _ in each.group],
        "group": [-1] * len(moments.cells) + [int(code) for each in moments.groups for code in each.group],
        "cell": [*range(len(moments.cells)), *(int(code) for each in moments.groups for code in each.cell)],
        "key": [key.tolist() for key in moments.cells] + [[] for each in moments.groups for _ in each.group],
        "sums": [cell.ravel().tolist() for cell in moments.products]
        + [row.tolist() for each in moments.groups for row in each.sums],
    }
    if path.suffix == ".json":
        path.write_text(json.dumps({**header, "table": table}, allow_nan=False) + "\n", encoding="utf-8")
    else:
        schema = pa.table(table).replace_schema_metadata({"peerimpact": json.dumps(header)})
        pq.write_table(schema, path)


def load_moments(path: Path) -> Moments:
    """Read what `save` wrote.

    Raises
    ------
    AnalysisError
        The file holds no moments, or those of another version.
    """
    try:
        if path.suffix == ".json":
            header = json.loads(path.read_text(encoding="utf-8"))
            table = header["table"]
        else:
            read = pq.read_table(path)
            header = json.loads((read.schema.metadata or {})[b"peerimpact"])
            table = read.to_pydict()
        if header["format"] != FORMAT or header["version"] != VERSION:
            raise ValueError("another format")
        return _from_parts(header, table)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pa.ArrowException, AnalysisError) as error:
        raise AnalysisError(
            Problem(
                "moments_unreadable",
                f"The file holds no moments of version {VERSION}.",
                "Give a file that Moments.save wrote.",
                file=path.name,
            )
        ) from error


def _from_parts(header: Mapping[str, Any], table: Mapping[str, Sequence[Any]]) -> Moments:
    plan, roles = header["design"], header["roles"]
    variables = [
        Variable(
            **{
                **each,
                "levels": tuple(each["levels"]),
                "values": tuple(each["values"]),
                "shares": tuple(each["shares"]),
            }
        )
        for each in plan["variables"]
    ]
    level, group, cell = (np.array(table[name], dtype=np.int64) for name in ("level", "group", "cell"))
    own = [int(place) for place in np.flatnonzero(level < 0)]
    rows = [np.array(values, dtype=float) for values in table["sums"]]
    width = round(np.sqrt(len(rows[own[0]])))
    moments = Moments(
        design=Design(
            terms=tuple(plan["terms"]),
            variables={variable.name: variable for variable in variables},
            timepoints=tuple(plan["timepoints"]),
            times=tuple(plan["times"]),
            outcome_centre=plan["outcome_centre"],
        ),
        roles=Roles(**{**roles, "groups": tuple(roles["groups"])}),
        strata=tuple(header["strata"]),
        cells=np.array([table["key"][place] for place in own], dtype=np.int64),
        products=np.stack([rows[place].reshape(width, width) for place in own]),
        groups=tuple(
            GroupSums(
                each["name"],
                tuple(each["labels"]),
                tuple(np.array(codes, dtype=np.int64) for codes in each["parents"]),
                group[level == number],
                cell[level == number],
                np.array([rows[place] for place in np.flatnonzero(level == number)]).reshape(-1, width),
            )
            for number, each in enumerate(header["groups"])
        ),
    )
    _check(moments, level)
    return moments


def _check(moments: Moments, level: Codes) -> None:
    """Hold sums against what is said of them; a ValueError where they do not agree."""
    design, cells, products = moments.design, moments.cells, moments.products
    constant, varying = design.features()
    timepoints, levels = len(design.timepoints), len(moments.groups)
    width = len(constant) + (len(varying) + 1) * timepoints
    right = products.shape[1:] == (width, width) and cells.shape == (len(products), 2 + levels)
    right &= bool(
        (cells >= 0).all() and (cells[:, 1:] < 2**timepoints).all() and (cells[:, 0] < len(moments.strata)).all()
    )
    right &= bool((level < levels).all()) and tuple(each.name for each in moments.groups) == moments.roles.groups
    for place, each in enumerate(moments.groups):
        right &= bool((each.group >= 0).all() and (each.group < len(each.labels)).all())
        right &= bool((each.cell >= 0).all() and (each.cell < len(cells)).all())
        right &= each.sums.shape == (len(each.group), width) and len(each.parents) == levels - place - 1
        right &= all(len(parents) == len(each.labels) for parents in each.parents)
    if not right or not np.isfinite(products).all():
        raise ValueError("the sums do not agree with what is said of them")
