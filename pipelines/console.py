"""What every command shares: where messages go, what errors look like, and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from data_contracts.errors import PeerimpactError, Problem
from pipelines.errors import defect

FINE, INCOMPLETE, WRONG_INPUT = 0, 1, 2
T = TypeVar("T")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of messages.")]


def or_exit(call: Callable[[], T], as_json: bool) -> T:
    """Return what ``call`` returns, or tell its problems and exit."""
    try:
        return call()
    except PeerimpactError as error:
        fail(error.problems, as_json)
    except Exception as error:
        fail(defect(error).problems, as_json)


def fail(problems: Sequence[Problem], as_json: bool) -> NoReturn:
    """Tell problems and exit."""
    if as_json:
        print_json({"exit_code": WRONG_INPUT, "problems": [problem.as_dict() for problem in problems]})
    else:
        for problem in problems:
            err.print(f"[bold]error[/bold] {escape(str(problem))}")
        err.print(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}; nothing was run.")
    raise typer.Exit(WRONG_INPUT)


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
