"""Invented people of two arms that were not formed by chance, and a plan and a design to compare them by."""

import numpy as np
import pandas as pd

from analysis import Arm, Covariate, Measure, Plan, StudyDesign, Timepoint

# arm (1 peer), age, score at baseline, town, group (0 none), score later; invented.
PEOPLE = """
0,51,43,1,0,33 1,39,26,1,1,20 0,39,21,0,0,13 0,42,24,1,0,24 1,49,19,0,1,0 0,33,20,1,0,21 1,47,36,0,1,25 1,58,44,1,1,31
1,47,34,1,1,17 1,63,20,0,2,19 1,34,20,0,2,17 1,56,31,0,2,20 0,39,12,0,0,5 1,47,24,1,2,20 1,55,32,1,2,23 0,25,26,1,0,26
0,45,35,0,0,33 0,71,8,1,0,9 0,62,23,1,0,26 0,38,19,1,0,18 1,60,30,0,3,21 1,43,27,0,3,22 1,59,29,1,3,20 1,71,13,0,3,11
0,63,25,0,0,24 0,23,27,0,0,16 1,71,24,1,3,20 1,64,23,0,4,17 0,22,29,1,0,23 1,26,30,0,4,16 1,39,24,0,4,21
1,74,38,1,4,35 0,22,25,1,0,23 0,39,22,0,0,21 0,68,27,0,0,24 1,67,25,0,4,24 1,45,27,0,5,26 1,43,34,1,5,23
1,35,28,1,5,22 0,24,11,0,0,15 0,46,21,1,0,23 0,52,17,1,0,20 1,58,8,0,5,14 0,46,26,0,0,18 0,58,23,0,0,30 0,69,27,1,0,35
0,65,19,1,0,17 1,32,28,1,5,22 1,35,20,1,6,18 0,24,23,1,0,24 1,54,20,1,6,21 1,22,27,0,6,17 1,68,24,1,6,18
0,38,32,1,0,25 0,58,15,0,0,25 0,36,22,1,0,15 1,27,29,0,6,20 1,54,15,0,7,17 0,51,22,1,0,19 1,23,9,1,7,1 1,59,22,0,7,20
1,65,32,0,7,16 0,28,27,1,0,27 0,44,21,0,0,16
"""
TOWN = Covariate("town", "Place", "category", ("village", "town"))


def invent_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and participants of the invented people, at three timepoints."""
    rows = np.array([[float(cell) for cell in row.split(",")] for row in PEOPLE.split()])
    ids = [f"p{place}" for place in range(len(rows))]
    people = pd.DataFrame(
        {
            "participant_id": ids,
            "arm": np.where(rows[:, 0] == 1, "peer", "usual"),
            "group": [f"g{number:g}" if number else "" for number in rows[:, 4]],
            "site": "",
            "age": rows[:, 1],
            "town": np.where(rows[:, 3] == 1, "town", "village"),
        }
    )
    waves = {"baseline": rows[:, 2], "post": rows[:, 5], "late": rows[:, 5] + 1}
    scores = [
        pd.DataFrame({"participant_id": ids, "timepoint": name, "measure": "mood", "score": points})
        for name, points in waves.items()
    ]
    return pd.concat(scores, ignore_index=True), people


def design_of(kind: str = "comparison", **options) -> StudyDesign:
    """Return a design of these people."""
    usual = {
        "timepoints": (Timepoint("baseline", "Start", 0), Timepoint("post", "Post", 8), Timepoint("late", "Late", 20)),
        "arms": (Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True)),
        "covariates": (Covariate("age", "Age", "number"), TOWN),
        "measures": {"mood": Measure("mood", "Mood", "low mood", 0, 60, "worse")},
    }
    return StudyDesign(kind=kind, **(usual | options))  # type: ignore[arg-type]


def plan_of(*estimands: dict, outcome: dict | None = None, **document) -> Plan:
    """Return a plan about their mood, adjusted for age and place unless told otherwise."""
    usual = {"id": "asked", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post"}
    usual["covariates"] = ["age", "town"]
    return Plan.model_validate(
        {
            "sap": 1,
            "outcomes": [{"id": "mood", "measure": "mood", "role": "primary"} | (outcome or {})],
            "estimands": [usual | each for each in estimands or ({},)],
        }
        | document
    )
