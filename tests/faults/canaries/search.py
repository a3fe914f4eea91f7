"""The search: every byte of files, tables, event logs and messages, for canaries in any spelling."""

import base64
import hashlib
import html
import json
import re
import sqlite3
import urllib.parse
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

FEWEST_LETTERS = 7
"""Of a name that is looked for alone; shorter words stand in any text by chance."""
FEWEST_PACKED = 8
"""Signs of base64 that do not stand in a picture by chance."""
HASHES = ("sha256", "sha1", "md5")


def find(places: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[str]:
    """Return ``canary in place (a spelling)`` for every canary that stands somewhere."""
    found = []
    for place, content in places.items():
        lower = content.lower()
        for name, text in canaries.items():
            folded, exact = spellings(text)
            hits = [how for how, needle in folded.items() if needle in lower]
            hits += [how for how, needle in exact.items() if needle in content]
            found += [f"{name} in {place} ({how})" for how in hits[:1]]
    return found


@cache
def spellings(text: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return what to look for: spellings in which case does not count, and those in which it does."""
    folded: dict[str, bytes] = {}
    exact: dict[str, bytes] = {}
    for part in _parts(text):
        plain = part.lower()
        folded |= {
            f"utf-8 '{part}'": plain.encode(),
            f"utf-16 '{part}'": plain.encode("utf-16-le"),
            f"in a URL '{part}'": urllib.parse.quote(plain, safe="").lower().encode(),
            f"in a form '{part}'": urllib.parse.quote_plus(plain, safe="").lower().encode(),
            f"in JSON '{part}'": json.dumps(plain)[1:-1].lower().encode(),
            f"in HTML '{part}'": html.escape(plain).lower().encode(),
            f"hexadecimal '{part}'": part.encode().hex().encode(),
        }
        exact[f"as it stands '{part}'"] = part.encode()
        packed = {f"base64 '{part}' at {shift}": _base64(part, shift) for shift in range(3)}
        exact |= {how: needle for how, needle in packed.items() if len(needle) >= FEWEST_PACKED}
    for spelled in {text, text.lower(), text.upper(), re.sub(r"[\W_]+", "", text).lower()}:
        folded |= {f"{kind} of '{spelled}'": _digest(kind, spelled) for kind in HASHES}
    return folded, exact


def _parts(text: str) -> list[str]:
    """Return a text and the names in it: long words with a capital letter, and all long words of an address or id."""
    words = [word for word in re.findall(r"[^\W\d_]+", text.partition("@")[0]) if len(word) >= FEWEST_LETTERS]
    return list(dict.fromkeys([text, *(word for word in words if word[0].isupper() or " " not in text)]))


def _digest(kind: str, text: str) -> bytes:
    """Return the first half of a digest: pseudonyms are cut, too."""
    digest = hashlib.new(kind, text.encode()).hexdigest()
    return digest[:12].encode()


def _base64(text: str, shift: int) -> bytes:
    """Return what stays of a text in base64 whatever stands around it."""
    encoded = base64.b64encode(b"\0" * shift + text.encode())
    return encoded[4 if shift else 0 : -4]


def read_places(root: Path, name: str = "") -> dict[str, bytes]:
    """Return every file below a folder: its bytes, and what a table or database in it says; names count as content."""
    places = {}
    for path in sorted(root.rglob("*")):
        at = f"{name or root.name}/{path.relative_to(root).as_posix()}"
        places[f"the name of {at}"] = path.relative_to(root).as_posix().encode()
        if path.is_file() and not path.is_symlink():
            places[at] = path.read_bytes()
            for part, text in _unpack(path):
                places[f"{at}: {part}"] = text.encode("utf-8", "surrogateescape")
    return places


def _unpack(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the tables of a file that packs them."""
    start = path.read_bytes()[:16]
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as store:
            for (table,) in store.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                yield table, _spell(store.table(table).df())
    elif start.startswith(b"SQLite format 3"):
        connection = sqlite3.connect(path)
        try:
            yield "dump", "\n".join(connection.iterdump())
        finally:
            connection.close()
    elif start.startswith(b"PAR1"):
        yield "rows", _spell(pd.read_parquet(path))
        yield "about", str(pq.ParquetFile(path).schema_arrow.metadata)


def _spell(table: pd.DataFrame) -> str:
    return table.to_csv(index=False)
