"""For how many containers of a run it is known which number they can run as, and where they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Harden, write

WAITS = {"image": "busybox:1.37", "command": ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]}


@pytest.mark.parametrize(
    ("container", "number", "paths"),
    [
        ({"image": "registry.example.com/shop/web:1"}, {}, {}),
        (WAITS, {"command": 1}, {"command": 1}),
        ({**WAITS, "securityContext": {"runAsUser": 1000}}, {"manifest": 1}, {"command": 1}),
        ({**WAITS, "securityContext": {"runAsUser": 0}}, {"command": 1}, {"command": 1}),
        ({"image": "busybox:1.37", "command": ["sh", "/data/run.sh"]}, {}, {}),
        # A row lists places, and not that there is no other.
        ({"image": "haproxy:3"}, {"image table": 1}, {}),
    ],
)  # fmt: skip
def test_a_number_and_all_places(
    container: dict[str, Any], number: dict[str, int], paths: dict[str, int], harden: Harden, tmp_path: Path
) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    write(tmp_path, {"p.yaml": yaml.safe_dump({**pod, "spec": {"containers": [{"name": "c", **container}]}})})
    found = json.loads(harden("diff", "--format", "json", str(tmp_path)).out)["images"]
    assert [found[name]["bySource"] for name in ("number", "paths")] == [number, paths]
    assert all(each["known"] + each["unknown"] == 1 for each in found.values())
