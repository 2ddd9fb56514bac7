"""What Python keeps of compiled modules asks for no volume, and neither does the folder that changed for it."""

from __future__ import annotations

import pytest

from hardener.observe.container_activity import folders_written

FOLDERS = {
    "/usr/lib/python3/json/__pycache__", "/usr/lib/python3/__pycache__", "/app/__pycache__", "/app/data",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "wrote"),
    [
        ({"/usr/lib/python3/json": "C", "/usr/lib/python3/json/__pycache__": "A",
          "/usr/lib/python3/json/__pycache__/decoder.cpython-313.pyc": "A"}, set()),
        ({"/app": "C", "/app/__pycache__": "C", "/app/__pycache__/main.cpython-313.pyc": "C"}, set()),
        ({"/app": "C", "/app/__pycache__": "A", "/app/data": "A", "/app/data/state": "A"}, {"/app/data"}),
        ({"/app": "C", "/app/main.pyc": "A"}, {"/app"}),
    ],
)  # fmt: skip
def test_compiled_modules_are_no_place_that_a_program_writes_to(changed: dict[str, str], wrote: set[str]) -> None:
    found, _ = folders_written(
        changed, [], is_folder=FOLDERS.__contains__, is_occupied=lambda path: path in ("/app", "/usr/lib/python3/json")
    )
    assert found == wrote
