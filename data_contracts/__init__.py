"""What must the data look like? Contracts, checks, quarantine, verdicts; and strict documents for every room."""

from data_contracts.checking import check_table, conform, require
from data_contracts.errors import DataContractError, PeerimpactError, Problem
from data_contracts.model import Contract, load_contract, shipped_contract, shipped_contract_names
from data_contracts.quarantine import SetAside, enforce, quarantine_table, reconcile
from data_contracts.verdicts import Checked, Verdict, verdicts_table

__all__ = [
    "Checked",
    "Contract",
    "DataContractError",
    "PeerimpactError",
    "Problem",
    "SetAside",
    "Verdict",
    "check_table",
    "conform",
    "enforce",
    "load_contract",
    "quarantine_table",
    "reconcile",
    "require",
    "shipped_contract",
    "shipped_contract_names",
    "verdicts_table",
]
