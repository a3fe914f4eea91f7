"""The child process that reads one .sav or .dta file: a damaged file can stop it, and nothing else.

It is run by its path and imports nothing of the project. It writes JSON lines: what the columns are, then the values of
each column, or one line that says why not. No text of an error leaves it, for it may hold somebody's answer.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from typing import Any

ANY_BYTES = "ISO-8859-1"
"""Has a letter for every byte, so that the bytes of every text arrive as they stand; the parent decodes them."""
REASONS = {
    "number of rows": "cut_off",
    "read from file": "cut_off",
    "expected length": "cut_off",
    "allocate memory": "memory",
}


def main(kind: str, path: str, memory: str, seconds: str) -> None:
    """Read the file at `path` in so many bytes of memory and seconds of processor.

    Its kind is ``spss``, ``stata``, or ``stata_unicode``: text in UTF-8, that is decoded here.
    """
    import pyreadstat

    confine(int(memory), int(seconds))
    warnings.simplefilter("error")  # such as a name that stands twice, and would be changed
    read: Any = pyreadstat.read_sav if kind == "spss" else pyreadstat.read_dta
    try:
        stated = stated_encoding(path) if kind == "spss" else ""
        used = None if kind == "stata_unicode" else ANY_BYTES
        columns, about = read(
            path, user_missing=True, disable_datetime_conversion=True, output_format="dict", encoding=used
        )
        tell({"encoding": stated, "variables": [describe(name, about) for name in about.column_names]})
        for name in about.column_names:
            tell(columns.pop(name))
    except MemoryError:
        tell({"failed": "memory"})
    except UnicodeDecodeError:
        tell({"failed": "encoding"})
    except Exception as error:  # the reader raises whatever a damaged file makes of it
        tell({"failed": next((reason for text, reason in REASONS.items() if text in str(error)), "damaged")})


def confine(memory: int, seconds: int) -> None:
    """Take from this process what reading a file does not need."""
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def stated_encoding(path: str) -> str:
    """Return what an SPSS file says of the encoding of its texts; nothing where the library does not understand it."""
    import pyreadstat

    try:
        return pyreadstat.read_sav(path, metadataonly=True)[1].file_encoding or ""
    except Exception:
        return ""


def describe(name: str, about: Any) -> dict[str, Any]:
    """Return what the file says of one column."""
    return {
        "name": name,
        "label": about.column_names_to_labels[name] or "",
        "type": about.readstat_variable_types[name],
        "display": about.original_variable_types[name] or "",
        "labels": list(about.variable_value_labels.get(name, {}).items()),
        "missing": [(each["lo"], each["hi"]) for each in about.missing_ranges.get(name, ())],
    }


def tell(line: object) -> None:
    """Write one line to the parent."""
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
