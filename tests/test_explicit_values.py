"""What an author wrote is weighed: which weak values are meant, what holds them, and what never does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Harden, shared, write

HOST = frozenset({"no-privileged", "no-host-network", "no-host-pid", "no-host-ipc", "no-host-path", "run-as-user"})
GUESSING = ("--max-grade", "guess")  # what is held back then has a sign against it
ROOT_FOLDER: dict[str, Any] = {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}
AT_HOST: dict[str, Any] = {"volumeMounts": [{"name": "host", "mountPath": "/host"}]}
PRIVILEGED: dict[str, Any] = {"securityContext": {"privileged": True}}
ROOT: dict[str, Any] = {"securityContext": {"runAsUser": 0}}


def deployment(*containers: dict[str, Any], image: str = "example.com/app:1", **spec: Any) -> dict[str, Any]:
    """A Deployment of containers without a name and image of their own, with ``spec`` for its pod."""
    named = [{"name": f"c{number}", "image": image, **each} for number, each in enumerate(containers)]
    template = {"metadata": {"labels": {"app": "app"}}, "spec": {**spec, "containers": named}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"},
        "spec": {"selector": {"matchLabels": {"app": "app"}}, "template": template},
    }  # fmt: skip


def weighed(harden: Harden, folder: Path, item: dict[str, Any], *arguments: str) -> dict[str, set[str]]:
    """The transforms of which ``apply`` would make a step, those that it holds back, and those of these that wait as
    guesses."""
    write(folder, {"app.yaml": yaml.safe_dump(item)})
    found = json.loads(harden("diff", "app.yaml", "--format", "json", *arguments).out)
    ids = {what: {record["id"] for record in found[what]} for what in ("changes", "held")}
    return ids | {"guesses": {record["id"] for record in found["held"] if record["grade"] == "guess"}}


@pytest.mark.parametrize(
    "item",
    [
        deployment({**PRIVILEGED}),
        deployment({**ROOT}),
        deployment({**AT_HOST, "securityContext": {"privileged": True, "runAsUser": 0}},
                   hostNetwork=True, hostPID=True, hostIPC=True, **ROOT_FOLDER),
        deployment({**PRIVILEGED}, {**ROOT}, hostNetwork=True),
        # The defaults, written out, and what harden writes as `safe`.
        deployment({"securityContext": {"privileged": True, "procMount": "Default"}},
                   securityContext={"seccompProfile": {"type": "RuntimeDefault"}}, hostPID=True),
        # What has nothing to do with the node.
        deployment({"args": ["--upstream=http://localhost:8080"], **PRIVILEGED}),
        deployment({"args": ["--log=/dev/stdout"], "env": [{"name": "A", "value": "/proc/self/fd/1"}], **PRIVILEGED}),
        deployment({"env": [{"name": "NO_PROXY", "value": "localhost,127.0.0.1"}]}, hostNetwork=True),
        deployment({**PRIVILEGED}, tolerations=[{"key": "dedicated", "operator": "Exists"}], hostNetwork=True),
        deployment({**PRIVILEGED}, nodeSelector={"kubernetes.io/os": "linux"}),
        deployment({"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "none"}], **PRIVILEGED}),
        deployment({**PRIVILEGED}, affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "app"}}}]}}),
        # Another container is hardened, and privileged is none of its values.
        deployment({**PRIVILEGED}, {"securityContext": {"readOnlyRootFilesystem": True}}),
        # What a plain run leaves beside root that it only guesses about.
        deployment({"securityContext": {"runAsUser": 0, "allowPrivilegeEscalation": False,
                                        "capabilities": {"drop": ["NET_RAW"]}}},
                   securityContext={"seccompProfile": {"type": "RuntimeDefault"}}),
        deployment({"securityContext": {"allowPrivilegeEscalation": False}}, securityContext={"runAsNonRoot": False}),
    ],
)  # fmt: skip
def test_weak_values_alone_are_taken_away(item: dict[str, Any], harden: Harden, tmp_path: Path) -> None:
    assert not weighed(harden, tmp_path, item, *GUESSING)["held"] & HOST
    plain = weighed(harden, tmp_path, item)
    assert plain["held"] & HOST <= {"run-as-user"} & plain["guesses"]


def test_the_first_example_of_the_guide_is_no_need(harden: Harden, tmp_path: Path) -> None:
    """Nobody knows its image, and nothing says what for it has all of its node."""
    example = yaml.safe_load(shared("seed", "k01-insecure.yaml").read_text())
    assert {"no-privileged", "no-host-path"} <= weighed(harden, tmp_path, example)["changes"]


@pytest.mark.parametrize(
    "hardened",
    [
        {"readOnlyRootFilesystem": True},
        {"allowPrivilegeEscalation": False},
        {"capabilities": {"drop": ["ALL"]}},
        {"capabilities": {"drop": ["MKNOD"]}},
        {"runAsUser": 1000},
        {"runAsNonRoot": True},
        {"seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}},
    ],
)
@pytest.mark.parametrize("weak", ["hostNetwork", "hostPID", "hostIPC"])
def test_a_hardened_value_shows_that_host_access_is_meant(
    hardened: dict[str, Any], weak: str, harden: Harden, tmp_path: Path
) -> None:
    access: dict[str, Any] = {weak: True}
    item = deployment({}, {"securityContext": hardened}, **access)
    found = weighed(harden, tmp_path, item, *GUESSING)
    assert found["held"] & HOST and not found["changes"] & (HOST - {"run-as-user"})


@pytest.mark.parametrize(
    ("item", "held"),
    [
        (deployment({"securityContext": {"privileged": True, "readOnlyRootFilesystem": True}}), {"no-privileged"}),
        (deployment({**PRIVILEGED}, securityContext={"runAsUser": 1000}), {"no-privileged"}),
        (deployment({"securityContext": {"runAsUser": 0, "readOnlyRootFilesystem": True}}), {"run-as-user"}),
        (deployment({"securityContext": {"allowPrivilegeEscalation": True, "runAsUser": 1000}}),
         {"no-privilege-escalation"}),
        # Also where this run writes a user that would make a dropped capability a `safe` change.
        (deployment({"securityContext": {"allowPrivilegeEscalation": True, "capabilities": {"drop": ["ALL"]}}}),
         {"no-privilege-escalation"}),
        (deployment({"securityContext": {"seccompProfile": {"type": "Unconfined"}, "readOnlyRootFilesystem": True}}),
         {"seccomp-runtime-default"}),
        (deployment({"securityContext": {"readOnlyRootFilesystem": True}},
                    securityContext={"seccompProfile": {"type": "Unconfined"}}), {"seccomp-runtime-default"}),
        (deployment({"securityContext": {"readOnlyRootFilesystem": True}}, automountServiceAccountToken=True),
         {"automount-token"}),
        # The pod names what it works with.
        (deployment({"args": ["--endpoints=https://127.0.0.1:2379"]}, hostNetwork=True), {"no-host-network"}),
        (deployment({"env": [{"name": "API", "value": "localhost:6443"}]}, hostNetwork=True), {"no-host-network"}),
        (deployment({"livenessProbe": {"httpGet": {"host": "127.0.0.1", "port": 80}}}, hostNetwork=True),
         {"no-host-network"}),
        (deployment({}, hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet"), {"no-host-network"}),
        (deployment({}, hostNetwork=True, tolerations=[{"operator": "Exists", "effect": "NoExecute"}]),
         {"no-host-network"}),
        (deployment({"command": ["chroot", "/host", "run"], **AT_HOST}, **ROOT_FOLDER), {"no-host-path"}),
        (deployment({"args": ["--rootfs=/host/proc"], **AT_HOST}, hostPID=True, **ROOT_FOLDER),
         {"no-host-path", "no-host-pid"}),
        (deployment({"args": ["--device=/dev/kvm"], **PRIVILEGED}), {"no-privileged"}),
        (deployment({"command": ["sh", "-c", "pip install x && python a.py"], **ROOT}), {"run-as-user"}),
        (deployment({"command": ["mpirun", "--allow-run-as-root", "train"], **ROOT}), {"run-as-user"}),
        # It is named for work on the node, and what one of its signs holds holds the rest.
        (deployment({"name": "usb", **AT_HOST}, {**PRIVILEGED}, {**ROOT}, hostNetwork=True, hostPID=True, hostIPC=True,
                    **ROOT_FOLDER), HOST),
        (deployment({"image": "example.com/builder:dind", **PRIVILEGED}), {"no-privileged"}),
        (deployment({"ports": [{"containerPort": 51820, "protocol": "UDP"}]}, hostIPC=True), {"no-host-ipc"}),
        (deployment({"volumeMounts": [{"name": "host", "mountPath": "/sys"}], **ROOT},
                    volumes=[{"name": "host", "hostPath": {"path": "/sys"}}]), {"no-host-path", "run-as-user"}),
        # It is bound to hardware.
        (deployment({**PRIVILEGED}, nodeSelector={"kubernetes.io/hostname": "attic"}), {"no-privileged"}),
        (deployment({**PRIVILEGED}, nodeSelector={"usb.feature.node.kubernetes.io/stick": "true"}), {"no-privileged"}),
        (deployment({**PRIVILEGED}, affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "nvidia.com/gpu.present", "operator": "Exists"}]}]}}}),
         {"no-privileged"}),
        (deployment({"resources": {"limits": {"squat.ai/serial": 1}}, **PRIVILEGED}), {"no-privileged"}),
        (deployment({"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}], **PRIVILEGED}), {"no-privileged"}),
        # One rule for the pod.
        (deployment({"args": ["--api=https://localhost:6443"], **AT_HOST}, {**PRIVILEGED}, {**ROOT}, hostNetwork=True,
                    hostPID=True, hostIPC=True, **ROOT_FOLDER), HOST),
    ],
)  # fmt: skip
def test_what_holds_them(item: dict[str, Any], held: set[str], harden: Harden, tmp_path: Path) -> None:
    found = weighed(harden, tmp_path, item, *GUESSING)
    assert held <= found["held"] and not held & found["changes"]


@pytest.mark.parametrize(
    "item",
    [
        deployment({"securityContext": {"privileged": True, "runAsUser": 0}, **AT_HOST}, **ROOT_FOLDER),
        deployment({}, hostNetwork=True),
        # All of a hardened context is what its image makes `safe`.
        deployment({"name": "prometheus"}, image="memcached:1.6", hostNetwork=True),
        deployment({**PRIVILEGED}, {"image": "memcached:1.6"}, hostPID=True),
    ],
)
def test_a_run_kept_to_safe_changes_nothing_of_a_later_one(
    item: dict[str, Any], harden: Harden, tmp_path: Path
) -> None:
    ends = []
    for first in ([], ["--max-grade", "safe"]):
        write(tmp_path, {"app.yaml": yaml.safe_dump(item)})
        harden("apply", "app.yaml", "--yes", *first)
        harden("apply", "app.yaml", "--yes")
        ends.append(yaml.safe_load((tmp_path / "app.yaml").read_text())["spec"]["template"]["spec"])
    plain, twice = ends
    assert twice == plain
    assert not {"hostNetwork", "hostPID"} & plain.keys()


def test_what_this_run_wrote_holds_nothing(harden: Harden, tmp_path: Path) -> None:
    item = deployment({"securityContext": {"allowPrivilegeEscalation": True, "runAsUser": 0}})
    steps = {"run-as-user", "drop-capabilities", "no-privilege-escalation"}
    assert steps <= weighed(harden, tmp_path, item, *GUESSING)["changes"]
    plain = weighed(harden, tmp_path, item)
    assert "drop-capabilities" in plain["changes"]
    assert {"run-as-user", "no-privilege-escalation"} <= plain["guesses"]  # somebody wrote both


def test_a_user_of_its_own_counts_where_this_run_gives_another_container_one(harden: Harden, tmp_path: Path) -> None:
    meant = {"securityContext": {"allowPrivilegeEscalation": True, "runAsUser": 1000}}
    write(tmp_path, {"app.yaml": yaml.safe_dump(deployment({"image": "nginx:1.27"}, meant))})
    found = json.loads(harden("diff", "app.yaml", "--format", "json").out)
    assert "run-as-user" in {record["id"] for record in found["changes"]}
    (held,) = [record for record in found["held"] if record["id"] == "no-privilege-escalation"]
    assert held["path"][:6] == ["spec", "template", "spec", "containers", 1, "securityContext"]


def test_a_kustomization_may_say_what_it_is_for(harden: Harden, tmp_path: Path) -> None:
    patch = deployment({"args": ["--api=https://127.0.0.1:6443"]})
    write(
        tmp_path,
        {
            "base/app.yaml": yaml.safe_dump(deployment({}, hostNetwork=True)),
            "base/kustomization.yaml": "resources: [app.yaml]\n",
            "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: args.yaml}]\n",
            "prod/args.yaml": yaml.safe_dump(patch),
        },
    )
    held = json.loads(harden("diff", ".", "--format", "json").out)["held"]
    assert "no-host-network" in {record["id"] for record in held}


def test_what_waits_for_privileged_is_said_in_one_line(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": yaml.safe_dump(deployment({"command": ["nsenter", "-t", "1"], **PRIVILEGED}))})
    findings = json.loads(harden("diff", "app.yaml", "--format", "json").out)["findings"]
    said = [record for record in findings if "while it is privileged" in record["message"]]
    assert len(said) == 1 and said[0]["severity"] == "low"
    assert "every capability" in said[0]["message"] and "root file system stays writable" in said[0]["message"]


def test_nothing_is_said_where_privileged_goes(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": yaml.safe_dump(deployment({**PRIVILEGED}))})
    findings = json.loads(harden("diff", "app.yaml", "--format", "json").out)["findings"]
    assert not [record for record in findings if "while it is privileged" in record["message"]]


@pytest.mark.parametrize("image", ["example.com/app:1", "memcached:1.6"])
def test_safe_rests_on_a_known_image(image: str, harden: Harden, tmp_path: Path) -> None:
    item = deployment({"securityContext": {"runAsUser": 1000}}, image=image)
    write(tmp_path, {"app.yaml": yaml.safe_dump(item)})
    changes = json.loads(harden("diff", "app.yaml", "--format", "json").out)["changes"]
    grades = {record["id"]: record["grade"] for record in changes}
    ids = ("drop-capabilities", "no-privilege-escalation", "seccomp-runtime-default")
    assert {grades[name] for name in ids} == {"review" if image.startswith("example") else "safe"}
