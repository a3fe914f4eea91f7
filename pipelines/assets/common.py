"""What assets share: partitions, the checks that show verdicts, and the boundary that keeps values out of errors."""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import dagster as dg
import pandas as pd

from data_contracts import Checked, Contract, PeerimpactError, Verdict, require
from data_contracts.expectations import Parameters
from pipelines.errors import defect

STUDIES = dg.DynamicPartitionsDefinition(name="studies")
CONTRACT_CHECK = "contract"
ARRIVAL_CHECK = "arrival"

P = ParamSpec("P")
R = TypeVar("R")


def no_values_in_errors(body: Callable[P, R]) -> Callable[P, R]:
    """Let errors meant for people pass; tell of any other only its kind and place, for its text may hold an answer."""

    @functools.wraps(body)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return body(*args, **kwargs)
        except PeerimpactError:
            raise
        except Exception as error:
            told = defect(error)
        raise told

    return guarded


def contract_check(asset: str) -> dg.AssetCheckSpec:
    """Return the declaration of the check that shows the verdicts of a table's contract."""
    return dg.AssetCheckSpec(
        CONTRACT_CHECK, asset=asset, description="The table obeys its data contract; otherwise it is not stored."
    )


def check_and_store(
    contract: Contract, table: pd.DataFrame, parameters: Parameters, arrival: Sequence[Verdict] = ()
) -> "dg.MaterializeResult[Checked]":
    """Hold a table against its contract and return it for storing, under its id, with its verdicts as checks.

    Raises
    ------
    DataContractError
        The contract is broken; nothing is stored.
    """
    name, verdicts = contract.id, require(table, contract, parameters)
    checks = [_check(name, CONTRACT_CHECK, verdicts)]
    if arrival:
        checks.append(_check(name, ARRIVAL_CHECK, arrival))
    return dg.MaterializeResult(
        asset_key=name,
        value=Checked(table, (*arrival, *verdicts)),
        metadata={"dagster/row_count": len(table), "columns": ", ".join(table.columns)},
        check_results=checks,
    )


def _check(asset: str, name: str, verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    records = [
        dg.TableRecord(
            {
                "contract": verdict.contract,
                "rule": verdict.rule,
                "column": verdict.column,
                "severity": verdict.severity,
                "passed": verdict.passed,
                "rows checked": verdict.n_checked,
                "rows failed": verdict.n_failed,
                "asks": verdict.description,
                "of the study": verdict.is_own,
            }
        )
        for verdict in verdicts
    ]
    broken = [verdict for verdict in verdicts if not verdict.passed]
    severities = Counter(verdict.severity for verdict in broken)
    passed = not (severities["error"] or severities["warning"])  # a remark (info) is shown and fails nothing
    stops = name == CONTRACT_CHECK and not severities["warning"]
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description=_say_broken(verdicts, broken),
        metadata={
            "verdicts": dg.MetadataValue.table(records),
            "rules": len(verdicts),
            "broken": len(broken),
            **{f"broken, {severity}": count for severity, count in severities.items()},
        },
    )


def _say_broken(verdicts: Sequence[Verdict], broken: Sequence[Verdict]) -> str:
    names = ", ".join(f"{verdict.rule} ({verdict.severity})" for verdict in broken)
    return f"{len(verdicts) - len(broken)} of {len(verdicts)} rules obeyed.{f' Broken: {names}.' if names else ''}"
