"""``harden.evidence.yaml`` written, by one process at a time."""

from __future__ import annotations

import os

from hardener.errors import InputError
from hardener.exports.kept_file import NAME, written
from hardener.exports.model import Recorded
from hardener.sources import files
from hardener.sources.files import run_folder, transaction


def save(root: str, found: Recorded) -> bool:
    """Write ``found`` to the folder ``root``; False where the file says the same already. Raises InputError where it
    cannot be written."""
    path = os.path.join(root, NAME)
    text = written(found)
    try:
        with run_folder.alone(root):
            if not os.path.exists(path):
                transaction.create(path, text)
                return True
            content = files.read(path)
            if content.text == text:
                return False
            transaction.replace(path, text, content)
            return True
    except files.UnreadableError as error:
        raise InputError(f"{os.path.relpath(path)}: {error.message}: {error.advice}") from None
    except OSError as error:
        raise InputError(f"{os.path.relpath(path)}: cannot be written: {error.strerror}") from None
