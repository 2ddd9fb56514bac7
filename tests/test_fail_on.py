"""What `check` fails on: the table of --fail-on, for findings, held-back and pending changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import DEPLOYMENT, Harden, commit, write

PRIVILEGED = DEPLOYMENT + "        securityContext: {privileged: true}\n"
SECRET = DEPLOYMENT + "        args: [--password=hunter2-Zq81xyPQ]\n"
WILDCARD = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: builder}
rules:
- apiGroups: ["", apps]
  resources: ["*"]
  verbs: ["*"]
"""
LEVELS = (None, "low", "medium", "high", "critical", "none")
# A manifest, the transform that is run, what there is of it, and the exit code for each of LEVELS.
CASES = [
    ("a pending change, low", DEPLOYMENT, "cpu-limit", "1 pending change", (1, 1, 0, 0, 0, 0)),
    ("a pending change, medium", DEPLOYMENT, "automount-token", "1 pending change", (1, 1, 1, 0, 0, 0)),
    ("a pending change, high", PRIVILEGED, "no-privileged", "1 pending change", (1, 1, 1, 1, 0, 0)),
    ("a held-back change, high", WILDCARD, "rbac-wildcard-resources", "1 held-back change", (0, 1, 1, 1, 0, 0)),
    ("a finding, low", DEPLOYMENT, "pin-image-digest", "1 finding", (0, 1, 0, 0, 0, 0)),
    ("a finding, critical", SECRET, "secret-arg-literal", "1 finding", (1, 1, 1, 1, 1, 0)),
    ("nothing", DEPLOYMENT, "no-privileged", "", (0, 0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(
    ("text", "only", "what", "codes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_exit_codes(text: str, only: str, what: str, codes: tuple[int, ...], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": text})
    commit(tmp_path)
    for level, code in zip(LEVELS, codes, strict=True):
        option = [] if level is None else ["--fail-on", level]
        for format in ("text", "json"):
            done = harden("check", "--only", only, "--format", format, *option)
            assert done.status == code, (level, format, done.all)
        verdict = harden("check", "--only", only, *option).out.splitlines()[0]
        assert verdict.startswith("check failed: " if code else "check passed")
        if level not in (None, "none") and code:
            worse = "critical" if level == "critical" else f"{level} or worse"
            assert verdict.startswith(f"check failed: {what} is {worse}")


def test_without_a_threshold_the_reasons_are_pending_and_critical(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": SECRET})
    commit(tmp_path)
    done = harden("check", "--only", "secret-arg-literal,cpu-limit")
    assert done.out.startswith("check failed: 1 change is pending; 1 finding is critical\n"), done.out


def test_none_ends_with_0_whatever_there_is_to_say(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"readme.md": "x"})
    done = harden("check", "--fail-on", "none")
    assert (done.status, done.out.startswith("nothing was checked: ")) == (0, True)
    assert harden("check").status == 2
    assert harden("check", "--fail-on", "none", "gone.yaml").status == 2


def test_the_same_holds_beside_a_baseline(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": PRIVILEGED})
    commit(tmp_path)
    assert harden("baseline", "write").status == 0
    listed = ["check", "--baseline", "harden.baseline"]
    assert [harden(*listed, *more).status for more in ([], ["--fail-on", "low"])] == [0, 0]
    write(tmp_path, {"api.yaml": DEPLOYMENT.replace("web", "api")})
    assert [harden(*listed, "--fail-on", level).status for level in ("low", "medium", "high")] == [1, 1, 0]


def test_a_check_of_a_chart_says_what_it_did_not_judge(harden: Harden, tmp_path: Path) -> None:
    chart = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "web.yaml": DEPLOYMENT}
    templates = {f"templates/{n}.yaml": DEPLOYMENT.replace("1.2.3", "{{ .Values.tag }}") for n in range(2)}
    write(tmp_path, {**chart, **templates})
    verdict = harden("check", ".", "--only", "no-privileged").out.splitlines()[0]
    left = "2 templates were not judged: harden check CHART renders them by helm"
    assert verdict.startswith(f"check passed for 1 document ({left})")
