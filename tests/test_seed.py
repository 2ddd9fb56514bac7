"""The example pairs of the OWASP guide: the insecure half comes out as the secure one says, by plain apply."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Done, Harden, commit, lone_comments, shared, write


def hardened(name: str, harden: Harden, folder: Path, *arguments: str) -> tuple[str, str, Done]:
    """The insecure half of a pair before and after; a second run changes nothing."""
    before = shared("seed", f"{name}-insecure.yaml").read_text()
    write(folder, {f"{name}.yaml": before})
    commit(folder)
    done = harden("apply", f"{name}.yaml", "-v", "--profile", "restricted", *arguments)
    assert done.status == 0, done.err
    after = (folder / f"{name}.yaml").read_text()
    again = harden("apply", f"{name}.yaml", "--profile", "restricted", *arguments)
    assert (folder / f"{name}.yaml").read_text() == after
    assert again.out.startswith("changed nothing in ")
    assert harden("diff", f"{name}.yaml", *arguments).status == 0
    assert lone_comments(before) == lone_comments(after)
    return before, after, done


@pytest.mark.parametrize("grade", ["review", "guess"])
def test_k01(grade: str, harden: Harden, tmp_path: Path) -> None:
    """Nothing is known of its image: who it runs as, and so what may be read-only, waits unless guesses are made."""
    _, after, done = hardened("k01", harden, tmp_path, "--max-grade", grade)
    pod = yaml.safe_load(after)
    secure: dict[str, Any] = yaml.safe_load(shared("seed", "k01-secure.yaml").read_text())
    with_guesses = grade == "guess"

    container = pod["spec"]["containers"][0]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}} | (
        {"runAsNonRoot": True} if with_guesses else {}
    )
    # The secure half says 1000; without a row of the image table it is 65532.
    assert container["securityContext"] == {"allowPrivilegeEscalation": False} | (
        {"runAsUser": 65532, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        if with_guesses
        else {"runAsUser": 0, "capabilities": {"drop": ["NET_RAW"]}}
    )
    assert container["resources"] == {
        "requests": {"cpu": "25m", "memory": "128Mi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }  # the defaults of restricted; the secure half knows its program, and says 100m, 500m and 256Mi
    assert container["resources"].keys() == secure["spec"]["containers"][0]["resources"].keys()
    # The entire host file system is gone, its mount is kept.
    assert pod["spec"]["volumes"][0] == {"name": "host-fs", "emptyDir": {}}
    assert {"mountPath": "/host", "name": "host-fs"} in container["volumeMounts"]
    added = [{"mountPath": "/tmp", "name": volume["name"]} for volume in pod["spec"]["volumes"][1:]]
    assert len(added) == with_guesses
    assert container["volumeMounts"] == [{"mountPath": "/host", "name": "host-fs"}, *added]
    assert (container["name"], container["image"]) == ("app", "myapp:latest")
    # Comments: those of lines that stay, stay; one that went with its line is quoted in the report.
    assert "image: myapp:latest          # Mutable tag!\n" in after
    shown = harden("diff", "k01.yaml", "-v", "--max-grade", grade).all + done.out
    for comment in ("# Full host access!", "# Entire host filesystem!"):
        assert comment in after or comment in shown


def test_k01_names_the_comments_that_went_with_their_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k01.yaml": shared("seed", "k01-insecure.yaml").read_text()})
    assert "the comment '# Full host access!' was removed with its line" in harden("diff", "k01.yaml", "-v").all
    after = harden("diff", "k01.yaml", "-v", "--max-grade", "guess")
    assert "the comment '# Full host access!' was removed with its line" in after.all
    assert "the comment '# Running as root!' may no longer be true" in after.all or "'# Running as root!'" in after.all


def test_k06(harden: Harden, tmp_path: Path) -> None:
    before, after, done = hardened("k06", harden, tmp_path)
    secure: dict[str, Any] = next(yaml.safe_load_all(shared("seed", "k06-secure.yaml").read_text()))
    assert yaml.safe_load(after) == secure
    assert "  type: ClusterIP                # Public internet access!\n" in after
    changed = [line for line in before.splitlines() if line not in after.splitlines()]
    assert changed == ["  type: LoadBalancer             # Public internet access!"]
    assert "the comment '# Public internet access!' may no longer be true" in done.out
    assert "1 public address released; reverting assigns another: Service/kubernetes-dashboard" in done.out


def test_k09(harden: Harden, tmp_path: Path) -> None:
    before, after, done = hardened("k09", harden, tmp_path)
    pod = yaml.safe_load(after)
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert "token-csv-in-repo" in done.out
    assert "abc123" not in done.all


@pytest.mark.parametrize(
    ("name", "before", "reached"),
    [("k01", "privileged", "baseline"), ("k03", "baseline", "baseline"), ("k09", "baseline", "baseline")],
)
def test_what_is_not_known_keeps_the_insecure_half_below_restricted(
    name: str, before: str, reached: str, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {f"{name}.yaml": shared("seed", f"{name}-insecure.yaml").read_text()})
    commit(tmp_path)
    for grade, level in (("review", reached), ("guess", "restricted")):
        shown = harden("check", f"{name}.yaml", "--profile", "restricted", "--max-grade", grade).out
        then = "" if level == before else f"; after apply 1 {level}"
        assert f"\nPod Security levels: 1 {before}{then}\n" in shown
        assert ("\nGuesses: " in shown) is (grade == "review")


def test_a_guess_says_in_three_lines_what_it_waits_for(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"k01.yaml": shared("seed", "k01-insecure.yaml").read_text()})
    commit(tmp_path)
    lines = harden("apply", "k01.yaml", "--profile", "restricted").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Guesses: "))
    title, ways, image = lines[start : start + 3]
    assert title.endswith("what its image needs is not known")
    assert re.match("  to know: harden lock k01.yaml --deep .*; harden observe k01.yaml .*; .* in .harden.yaml", ways)
    assert ways.endswith(". To make them anyway: --max-grade guess")
    assert image == "  myapp:latest (1 container) the user of its image is not known, so it gets 65532 (k01.yaml:8)"
    assert not lines[start + 3]


@pytest.mark.parametrize("name", ["k01", "k06", "k09"])
def test_the_secure_half_passes_its_own_transforms(name: str, harden: Harden, tmp_path: Path) -> None:
    """Nothing of the secure half is weakened, changed or taken away."""
    write(tmp_path, {"secure.yaml": shared("seed", f"{name}-secure.yaml").read_text()})
    before = list(yaml.safe_load_all((tmp_path / "secure.yaml").read_text()))
    if name == "k09":  # an audience that no API server takes
        del before[1]["spec"]["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["audience"]
    harden("apply", "secure.yaml")
    after = list(yaml.safe_load_all((tmp_path / "secure.yaml").read_text()))

    def contained(old: Any, new: Any, where: str) -> None:
        if isinstance(old, dict):
            for key in old:
                contained(old[key], new.get(key), f"{where}.{key}")
        elif isinstance(old, list):
            for number, item in enumerate(old):
                contained(item, new[number], f"{where}[{number}]")
        else:
            assert old == new, where

    for old, new in zip(before, after, strict=True):
        contained(old, new, "")
