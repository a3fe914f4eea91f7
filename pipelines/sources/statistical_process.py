"""Running the child process that reads .sav and .dta files, and reading what it writes as one reads a stranger."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from typing import Any, Final

from data_contracts.errors import Problem
from pipelines.sources.model import SourceError

CHILD: Final = Path(__file__).with_name("statistical_child.py")
AGAIN: Final = "Save the file again in the program that it comes from, or deliver the answers as CSV."
STOPPED: Final = ("reader_stopped", "The file cannot be read: the reader stopped on it.", AGAIN)
FAILURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "damaged": ("damaged", "The file is damaged, or is not of this format.", AGAIN),
    "cut_off": ("cut_off", "The file ends too early, or has not the rows that it says.", "Deliver the file again."),
    "encoding": (
        "wrong_encoding",
        "There is text that is not in the encoding of the file.",
        "Declare its 'encoding' (often cp1252 from Windows) in study.yaml.",
    ),
    "memory": ("file_too_large", "The file asks for more memory than any survey.", AGAIN),
    "slow": ("file_too_large", "The file takes longer to read than any survey.", AGAIN),
}
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child may use: bytes of memory, seconds of processor, seconds in all, bytes that it may write."""

    memory: int = 4 * 1024**3
    processor_seconds: int = 120
    seconds: float = 600
    output: int = 1024**3


def read_in_child(
    path: Path, kind: str, source: str, *, limits: Limits | None = None, child: Path = CHILD
) -> Generator[Any]:
    """Yield what the child tells of a file, line by line as JSON; close the iterator to end the child.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"spss", "stata", "stata_unicode"}
        What it is, see the child.
    source : str
        Name for provenance.
    limits : Limits, optional
        What the child may use.
    child : Path
        The program.

    Raises
    ------
    SourceError
        The child says that it cannot, writes what is no JSON or too much, took too long, or was stopped by the file.
        This process goes on in every case.
    """
    limits = limits or Limits()
    command = [
        sys.executable, "-I", str(child), kind, str(path.resolve()), str(limits.memory), str(limits.processor_seconds),
    ]  # fmt: skip
    with subprocess.Popen(  # noqa: S603 - our own program and a file, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_ENVIRONMENT,
    ) as process:
        assert process.stdout  # noqa: S101 - it is a pipe
        end = time.monotonic() + limits.seconds
        clock = threading.Timer(limits.seconds, process.kill)
        clock.start()
        try:
            left = limits.output
            while line := process.stdout.readline(left + 1):
                left -= len(line)
                if left < 0:
                    raise _failed(FAILURES["memory"], source)
                yield _parse(line, source)
            status = process.wait()
        finally:
            clock.cancel()
            process.kill()
    if status == -SIGXCPU or (status == -SIGKILL and time.monotonic() >= end):
        raise _failed(FAILURES["slow"], source)
    if status:
        raise _failed(STOPPED, source)


def _parse(line: bytes, source: str) -> Any:
    if not line.endswith(b"\n"):
        return None  # cut off with the child, whose end is told by its status
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise _failed(STOPPED, source) from None
    if isinstance(told, dict) and "failed" in told:
        raise _failed(FAILURES.get(str(told["failed"]), STOPPED), source)
    return told


def _failed(failure: tuple[str, str, str], source: str) -> SourceError:
    return SourceError(Problem(*failure, source))
