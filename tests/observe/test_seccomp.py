"""Profiles of recorded system calls: what they let through, and that workloads come up under them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.observe import seccomp

from .ground import ALL, Ground
from .workloads import service, workload

Map = dict[str, Any]
DEFAULT = {
    "syscalls": [
        {"names": ["read", "mount", "accept4", "clone", "ptrace"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "arm64"]}},
        {"names": ["s390_runtime_instr"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390"]}},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
        {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_BPF"]}},
    ]
}


def test_a_profile_lets_through_what_was_made_and_nothing_of_capabilities() -> None:
    default = seccomp.let_through(DEFAULT)
    assert default == {"read", "accept4", "clone", "ptrace", "arch_prctl"}
    assert seccomp.allowed({"accept4", "mount", "bpf", "socket", "clone"}, default) == [
        "accept4", "arch_prctl", "clone", "read", "socket",
    ]  # fmt: skip


def test_who_makes_a_thread_may_do_so_by_the_older_call() -> None:
    """A filter cannot see the flags of clone3, so it is said not to be there."""
    assert seccomp.allowed({"clone3"}, seccomp.let_through(DEFAULT)) == ["arch_prctl", "clone", "read"]


def test_a_profile_has_the_arguments_of_the_default_one() -> None:
    made = seccomp.profile(["read", "clone", "socket", "personality"])
    assert made["defaultAction"] == "SCMP_ACT_ERRNO"
    rules = {(each["names"][0], each["action"]): each.get("args", [{}])[0] for each in made["syscalls"]}
    assert rules["read", "SCMP_ACT_ALLOW"] == {}
    assert rules["clone", "SCMP_ACT_ALLOW"]["value"] == 0x7E020000  # no flag of a new namespace
    assert rules["socket", "SCMP_ACT_ALLOW"] == {"index": 0, "value": 40, "valueTwo": 0, "op": "SCMP_CMP_NE"}
    assert ("clone3", "SCMP_ACT_ERRNO") in rules
    assert json.loads(seccomp.for_localhost(made)) == made


def test_a_profile_for_the_operator() -> None:
    made = seccomp.profile(["read"])
    found = yaml.safe_load(seccomp.for_operator(made, "shop-web", "shop"))
    assert (found["kind"], found["metadata"]) == ("SeccompProfile", {"name": "shop-web", "namespace": "shop"})
    assert found["spec"]["syscalls"] == [{"action": "SCMP_ACT_ALLOW", "names": ["read"]}]


CHOSEN = {"web": ("nginx:1.27.3", 80)}
MORE = {
    "cache": ("redis:7.2.4", 6379), "apache": ("httpd:2.4.62", 80),
    "keys": ("memcached:1.6.38", 11211), "status": ("r.example/shop/status:2.0.1", 0),
    "shop": ("r.example/shop/web:1.4.2", 80), "catalogue": ("r.example/shop/catalogue:3.1.0", 8080),
    "front": ("r.example/shop/front:5.0.0", 3000), "orders": ("r.example/shop/orders:1.0.0", 8080),
    "uploads": ("r.example/shop/uploads:1.0.0", 8080),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: apt-get install strace")
def test_workloads_come_up_under_their_profiles(ground: Ground, tmp_path: Path) -> None:
    chosen = CHOSEN | (MORE if ALL else {})
    manifests = {
        f"{name}.yaml": workload(name, image) + (service(name, port) if port else "")
        for name, (image, port) in chosen.items()
    }
    ground.tree(tmp_path / "tree", manifests, [image for image, _ in chosen.values()])
    found = ground.observe(tmp_path / "tree", "--seccomp", "profiles", "--profile", "baseline")
    for name, (_, port) in chosen.items():
        recorded = found[name]["seccomp"]["main"]
        assert recorded["because"] == "", (name, recorded)
        assert not port or f"{port}/tcp" in found[name]["containers"][0]["listens"]
        assert 40 < len(recorded["calls"]) < recorded["of"] / 2
        made = json.loads((tmp_path / f"tree/profiles/deployment-{name}-main.json").read_text(encoding="utf-8"))
        names = {call for rule in made["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for call in rule["names"]}
        assert names == set(recorded["calls"]) and not names & {"mount", "unshare", "ptrace", "bpf"}
        if ALL:
            print(name, len(names), "of", recorded["of"])
