"""Binary files without the moment they were written, so that the same bytes are damaged in every run."""

import io
import re
import zipfile

_SPSS_MOMENT = slice(84, 101)
_STATA_MOMENT = re.compile(rb"[0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}")
_BOOK_MOMENT = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def settle(content: bytes) -> bytes:
    """Return an SPSS, Stata or .xlsx file as if it had been written at a fixed moment; any other as it is."""
    if content.startswith((b"$FL2", b"$FL3")):
        return content[: _SPSS_MOMENT.start] + b"01 Jan 2510:00:00" + content[_SPSS_MOMENT.stop :]
    if content.startswith(b"PK\x03\x04"):
        return _settle_book(content)
    if content.startswith(b"<stata_dta>") or content[1:3] in (b"\1\1", b"\2\1"):
        return _STATA_MOMENT.sub(b"01 Jan 2025 10:00", content, count=1)
    return content


def _settle_book(content: bytes) -> bytes:
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = _BOOK_MOMENT.sub(b"2025-01-01T10:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return settled.getvalue()
