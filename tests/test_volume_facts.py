"""What volumes say of a container: who else may mount a claim, and how much memory files take."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from hardener.facts.objects.volume_claims import VolumeClaims
from hardener.tree.tree import Tree

from .conftest import write

memory = import_module("hardener.transforms.workload._memory")
host_path = import_module("hardener.transforms.workload._host_path")

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: example.com/web:1
    volumeMounts:
    - {name: data, mountPath: /data}
    - {name: more, mountPath: /more}
  volumes:
"""
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: MODES}
"""


def claim(name: str, modes: str) -> str:
    return CLAIM.replace("NAME", name).replace("MODES", modes)


CLAIMED = POD + "  - {name: data, persistentVolumeClaim: {claimName: own}}\n"


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        pytest.param(CLAIMED + claim("own", "[ReadWriteOnce]"), {"ReadWriteOnce"}, id="its claim"),
        pytest.param(CLAIMED, None, id="a claim that is not there"),
        pytest.param(CLAIMED + claim("other", "[ReadWriteOnce]"), None, id="another claim"),
        pytest.param(CLAIMED + claim("own", "[]"), None, id="a claim without modes"),
        pytest.param(CLAIMED + claim("own", "${MODES}"), None, id="an expression"),
        pytest.param(CLAIMED + claim("own", "ReadWriteOnce"), None, id="a text"),
        pytest.param(
            CLAIMED + claim("own", "[ReadWriteOnce]") + claim("own", "[ReadWriteMany]"),
            {"ReadWriteOnce", "ReadWriteMany"},
            id="two of one name",
        ),
        pytest.param(POD + "  - {name: data, emptyDir: {}}\n" + claim("data", "[ReadWriteOnce]"), None, id="no claim"),
    ],
)
def test_the_access_modes_of_a_claim_are_all_that_it_may_have(text: str, modes: set[str] | None) -> None:
    tree = Tree.from_text(text)
    (pod,) = tree.pod_templates
    assert tree.ask(VolumeClaims).access_modes(pod, "data") == modes


TEMPLATE = """\
apiVersion: apps/v1
kind: KIND
metadata: {name: web}
spec:
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce]}
  template:
    spec:
      containers: [{name: web, image: "example.com/web:1", volumeMounts: [{name: data, mountPath: /data}]}]
"""


@pytest.mark.parametrize(
    ("kind", "name", "modes"),
    [("StatefulSet", "data", {"ReadWriteOnce"}), ("StatefulSet", "other", None), ("Deployment", "data", None)],
)
def test_only_a_stateful_set_makes_claims(kind: str, name: str, modes: set[str] | None) -> None:
    tree = Tree.from_text(TEMPLATE.replace("KIND", kind))
    (pod,) = tree.pod_templates
    assert tree.ask(VolumeClaims).access_modes(pod, name) == modes


def test_the_claim_of_the_same_folder_is_meant(tmp_path: Path) -> None:
    for folder, modes in (("dev", "[ReadWriteOnce]"), ("prod", "[ReadWriteMany]")):
        kustomization = "resources: [pod.yaml, claim.yaml]\n"
        files = {"pod.yaml": CLAIMED, "claim.yaml": claim("own", modes), "kustomization.yaml": kustomization}
        write(tmp_path / folder, files)
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    claims = tree.ask(VolumeClaims)
    found = {
        Path(pod.object.piece.file.path).parent.name: claims.access_modes(pod, "data") for pod in tree.pod_templates
    }
    assert found == {"dev": frozenset({"ReadWriteOnce"}), "prod": frozenset({"ReadWriteMany"})}


SIZED = "{medium: Memory, sizeLimit: 64Mi}"
UNSIZED = "{medium: Memory}"


def volumes(data: str, more: str = "{}") -> str:
    return POD + f"  - {{name: data, emptyDir: {data}}}\n  - {{name: more, emptyDir: {more}}}\n"


@pytest.mark.parametrize(
    ("data", "more", "mebibytes", "doubts"),
    [
        (SIZED, "{}", 64, 0),
        (SIZED, SIZED, 128, 0),
        (SIZED, UNSIZED, 64, 1),
        (UNSIZED, UNSIZED, 0, 2),
        ("{sizeLimit: 64Mi}", "{}", 0, 0),
    ],
)
def test_files_in_memory_count_as_memory(data: str, more: str, mebibytes: int, doubts: int) -> None:
    (pod,) = Tree.from_text(volumes(data, more)).pod_templates
    size, doubt = memory.of_volumes(pod.containers[0])
    assert (size / memory.MIB, len(doubt)) == (mebibytes, doubts)


@pytest.mark.parametrize(
    ("written", "patches", "mebibytes", "doubts"),
    [
        pytest.param(SIZED, ["{sizeLimit: 256Mi}"], 256, 0, id="larger in an overlay"),
        pytest.param(SIZED, ["{sizeLimit: 16Mi}"], 64, 0, id="smaller in an overlay"),
        pytest.param(SIZED, ["{sizeLimit: 16Mi}", "{sizeLimit: 256Mi}"], 256, 0, id="two overlays"),
        pytest.param(SIZED, ["{sizeLimit: null}"], 64, 1, id="without a size in an overlay"),
        pytest.param(UNSIZED, ["{sizeLimit: 16Mi}"], 16, 1, id="with a size in an overlay alone"),
        pytest.param("{}", ["{medium: Memory, sizeLimit: 16Mi}"], 16, 0, id="in memory in an overlay alone"),
    ],
)
def test_the_most_of_all_overlays_counts(
    written: str, patches: list[str], mebibytes: int, doubts: int, tmp_path: Path
) -> None:
    write(tmp_path, {"base/pod.yaml": volumes(written), "base/kustomization.yaml": "resources: [pod.yaml]\n"})
    for number, patch in enumerate(patches):
        spec = f"{{volumes: [{{name: data, emptyDir: {patch}}}]}}"
        text = f"{{apiVersion: v1, kind: Pod, metadata: {{name: web}}, spec: {spec}}}"
        kustomization = f"resources: [../base]\npatches:\n- patch: '{text}'\n"
        write(tmp_path, {f"overlay-{number}/kustomization.yaml": kustomization})
    (pod,) = Tree.read([str(tmp_path)], root=str(tmp_path)).pod_templates
    size, doubt = memory.of_volumes(pod.containers[0])
    assert (size / memory.MIB, len(doubt)) == (mebibytes, doubts)


@pytest.mark.parametrize(
    ("path", "type", "kind"),
    [
        ("/etc/cni", "", "node"),
        ("/etc/cni", "Directory", "node"),
        ("/etc/cni", "File", "kubelet"),
        ("/etc/cni/net.d", "", "kubelet"),
        ("/dev/shm", "", "memory"),
        ("/dev/kvm", "", "device"),
        ("/run/app", "Socket", "socket"),
        ("/proc/sys", "", "kernel"),
        ("/var/log", "", "read"),
        ("data", "", None),
    ],
)
def test_what_a_host_path_is(path: str, type: str, kind: str | None) -> None:
    (pod,) = Tree.from_text(f'{POD}  - {{name: data, hostPath: {{path: "{path}", type: "{type}"}}}}\n').pod_templates
    (volume,) = pod.items("volumes")
    assert host_path.kind(volume) == kind
