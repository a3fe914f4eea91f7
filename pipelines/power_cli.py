"""`peerimpact power`: how large the next round must be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.console import FINE, Json, or_exit, out, print_json

SIZES = (20, 40, 60, 80, 120, 160)
WIDTH = 40
"""Characters of a full bar."""


def power(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with study.yaml and sap.yaml.")],
    estimand: Annotated[str, typer.Argument(metavar="ESTIMAND", help="Id of an estimand of the plan.")],
    people: Annotated[
        list[int] | None, typer.Option(min=5, max=5000, help="People who start in each arm; several give a curve.")
    ] = None,
    difference: Annotated[
        float | None, typer.Option(help="True difference in points; the smallest meaningful change without it.")
    ] = None,
    sd: Annotated[float | None, typer.Option(help="Standard deviation of scores.")] = None,
    correlation: Annotated[float | None, typer.Option(help="Between two scores of a person.")] = None,
    icc: Annotated[float | None, typer.Option(help="Share of the variance between groups.")] = None,
    group_size: Annotated[int | None, typer.Option(min=1, help="People in a group.")] = None,
    drop_out: Annotated[float | None, typer.Option(help="Share of people who leave before the timepoint.")] = None,
    runs: Annotated[int, typer.Option(min=50, max=10000, help="Simulated studies of each size.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where the run went; STUDY/output without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate the next round: how often a study of each size would show the difference, by the plan's own model.

    What is not told is taken from the stored run of the study.
    """
    from pipelines.folder import open_folder
    from pipelines.powering import as_dict, find_power

    options = {"sd": sd, "correlation": correlation, "icc": icc, "group_size": group_size, "drop_out": drop_out}
    told = {name: float(value) for name, value in options.items() if value is not None}
    sizes = tuple(sorted(set(people or SIZES)))
    found = or_exit(
        lambda: find_power(
            open_folder(study, output=output),
            estimand,
            sizes=sizes,
            difference=difference,
            told=told,
            runs=runs,
            seed=seed,
        ),
        as_json,
    )
    if as_json:
        points = [asdict(point) for point in found.points]
        print_json(
            {"exit_code": FINE, "assumed": as_dict(found.assumed), "difference": found.difference, "power": points}
        )
        return
    a = found.assumed
    out.print(
        escape(
            f"{estimand}: a true difference of {found.difference:g} points; standard deviation {a.sd:.3g}, correlation "
            f"{a.correlation:.2f}, icc {a.icc:.3f} in groups of {a.group_size}, drop-out {a.drop_out:.0%} ({a.source})."
        )
    )
    out.print("people in each arm   shown by (Monte-Carlo interval)   difference that 4 of 5 such studies show")
    for point in found.points:
        bar = "#" * round(WIDTH * point.power)
        interval = f"{point.power:4.0%} ({point.conf_low:.0%} to {point.conf_high:.0%})"
        out.print(f"{point.people:>6}   {interval:<22} {point.detectable:6.2f}   {bar}")
    if any(point.refused for point in found.points):
        out.print("Studies that could not be estimated count as showing nothing.")
