"""``harden report merge``: JSON reports of pipelines as one page."""

from __future__ import annotations

import sys

from hardener.commands.run import binary
from hardener.errors import InputError
from hardener.report import merged
from hardener.report.repositories import page, tables
from hardener.sources.files import UnreadableError, read_bytes

_LARGEST = 256 * 1024 * 1024  # bytes of a report
_FORMATS = {
    "html": page.write_page, "json": tables.write_json, "csv": tables.write_csv, "text": tables.write_text,
}  # fmt: skip


def merge_reports(names: list[str], format: str) -> int:
    """Print what the reports ``names`` hold together. Returns 0; raises InputError for a file that is no report."""
    found = merged.merged([merged.read(name, _text(name)) for name in names])
    _FORMATS[format](found, binary(sys.stdout, "backslashreplace"))
    sys.stdout.flush()
    return 0


def _text(name: str) -> str:
    try:
        return read_bytes(name, _LARGEST)[0].decode()
    except UnreadableError as error:
        raise InputError(f"{name}: {error.message}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: is not UTF-8") from None
