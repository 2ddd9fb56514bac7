"""Any pod, hardened, passes Pod Security level restricted, or what it breaks is said; the self-check never fires."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.kubernetes import pod_security
from hardener.sources import yaml
from hardener.tree.tree import Tree

VERSION = (1, 35)
IMAGES = ("nginx:1.27", "redis:7", "postgres:16", "busybox", "app:1", "registry.example.com/team/api:2.1", "caddy:2")
PATHS = ("/", "/etc", "/var/log", "/var/run/docker.sock", "/dev/sda", "/data", "/tmp/scratch", "/etc/localtime")


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def mapping(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of those keys whose strategy gives no None."""
    return st.fixed_dictionaries(parts).map(lambda found: {k: v for k, v in found.items() if v is not None})


PROFILES = mapping(type=st.sampled_from(["RuntimeDefault", "Unconfined", "Localhost"])).map(
    lambda found: {**found, "localhostProfile": "p.json"} if found["type"] == "Localhost" else found
)
CAPABILITIES = mapping(
    add=maybe(
        st.lists(st.sampled_from(["NET_BIND_SERVICE", "SYS_ADMIN", "CHOWN", "NET_RAW"]), unique=True, max_size=2)
    ),
    drop=maybe(st.lists(st.sampled_from(["ALL", "NET_RAW", "all"]), unique=True, max_size=2)),
)
CONTAINER_CONTEXT = mapping(
    privileged=maybe(st.booleans()),
    runAsUser=maybe(st.sampled_from([0, 1, 1000, 65532])),
    runAsNonRoot=maybe(st.booleans()),
    readOnlyRootFilesystem=maybe(st.booleans()),
    procMount=maybe(st.sampled_from(["Default", "Unmasked"])),
    capabilities=maybe(CAPABILITIES),
    seccompProfile=maybe(PROFILES),
)
POD_CONTEXT = mapping(
    runAsUser=maybe(st.sampled_from([0, 1000])),
    runAsNonRoot=maybe(st.booleans()),
    fsGroup=maybe(st.just(2000)),
    seccompProfile=maybe(PROFILES),
    seLinuxOptions=maybe(mapping(type=st.sampled_from(["container_t", "spc_t"]))),
    sysctls=maybe(st.lists(mapping(name=st.just("kernel.msgmax"), value=st.just("1")), max_size=1)),
)
SOURCES: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
    {"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "c"}}, {"secret": {"secretName": "s"}},
    {"nfs": {"server": "n", "path": "/"}}, *({"hostPath": {"path": path}} for path in PATHS),
])  # fmt: skip

# What says that a check of level restricted stays broken, and why: the transform whose change is held back, or whose
# finding names what only its owner can take away. "node-agent" names what such a pod is left without. Capabilities and
# escalation wait for the user and for what is privileged.
_USER = {"run-as-user", "run-as-non-root"}
SAYS = {check.id: {"node-agent"} for check in pod_security.CHECKS}
for _checks, _ids in {
    ("capabilities_baseline", "capabilities_restricted"): {"drop-capabilities", "no-privileged", *_USER},
    ("allowPrivilegeEscalation",): {"no-privilege-escalation", "no-privileged"},
    ("hostNamespaces",): {"no-host-network", "no-host-pid", "no-host-ipc"},
    ("hostPathVolumes", "restrictedVolumes"): {"no-host-path", "restricted-volume-types"},
    ("hostPorts",): {"no-host-port", "no-host-network"},
    ("privileged",): {"no-privileged"},
    ("procMount", "procMount_restricted"): {"proc-mount-default"},
    ("runAsNonRoot", "runAsUser"): _USER,
    ("seccompProfile_baseline", "seccompProfile_restricted"): {"seccomp-runtime-default", "no-privileged"},
    ("seLinuxOptions",): {"selinux-options"},
    ("sysctls",): {"sysctls-allow-list"},
}.items():
    for _check in _checks:
        SAYS[_check] |= _ids


@st.composite
def pod_specs(draw: st.DrawFn) -> dict[str, Any]:
    volumes = [{"name": f"v{i}", **source} for i, source in enumerate(draw(st.lists(SOURCES, max_size=3)))]
    host_network = draw(maybe(st.booleans()))

    def container(number: int, init: bool) -> dict[str, Any]:
        ports = [{"containerPort": port} for port in draw(st.lists(st.sampled_from([80, 8080]), max_size=1))]
        found: dict[str, Any] = {"name": f"{'i' if init else 'c'}{number}", "image": draw(st.sampled_from(IMAGES))}
        if ports and not init:
            if not host_network and draw(st.booleans()):
                ports[0]["hostPort"] = ports[0]["containerPort"]
            found["ports"] = ports
        context = draw(maybe(CONTAINER_CONTEXT))
        if context is not None:
            if not context.get("privileged") and draw(st.booleans()):
                added = context.get("capabilities", {}).get("add", ())
                if "SYS_ADMIN" not in added:
                    context["allowPrivilegeEscalation"] = draw(st.booleans())
            if context.get("procMount") == "Unmasked":
                del context["procMount"]  # legal only with hostUsers: false
            found["securityContext"] = context
        mounts = [{"name": v["name"], "mountPath": f"/m{i}"} for i, v in enumerate(volumes) if draw(st.booleans())]
        if mounts:
            found["volumeMounts"] = mounts
        if draw(st.booleans()):
            found["command"] = draw(st.sampled_from([["sh", "-c", "chown x /data && exec y"], ["app", "--port=80"]]))
        return found

    spec: dict[str, Any] = {"containers": [container(n, False) for n in range(draw(st.integers(1, 2)))]}
    if draw(st.booleans()):
        spec["initContainers"] = [container(0, True)]
    if volumes:
        spec["volumes"] = volumes
    for key in ("hostPID", "hostIPC"):
        if draw(st.booleans()):
            spec[key] = True
    if host_network is not None:
        spec["hostNetwork"] = host_network
    context = draw(maybe(POD_CONTEXT))
    if context is not None:
        if host_network or spec.get("hostIPC"):
            context.pop("sysctls", None)
        spec["securityContext"] = context
    return spec


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    spec=pod_specs(),
    kind=st.sampled_from(["Deployment", "DaemonSet"]),
    name=st.sampled_from(["restricted", "strict"]),
    risk=st.sampled_from(list(Grade)),
)
def test_a_hardened_pod_passes_or_says_why_not(spec: dict[str, Any], kind: str, name: str, risk: Grade) -> None:
    labels = {"app": "x"}
    document = {
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip
    tree = Tree.from_text(yaml.dump(document))
    outcome = pipeline.run(tree, profile.load(name), pipeline.Gate(risk))
    assert [refused.reason for refused in outcome.refused] == []
    (pod,) = tree.pod_templates
    violations = pod_security.evaluate({"metadata": pod.metadata.data, "spec": pod.data}, "restricted", VERSION)
    said = {finding.id for finding in outcome.findings} | {held.transform.id for held in outcome.held}
    assert [broken.check for broken in violations if not said & SAYS[broken.check]] == []
    text = outcome.files[0].text if outcome.files else yaml.dump(document)
    again = pipeline.run(Tree.from_text(text), profile.load(name), pipeline.Gate(risk))
    if risk is not Grade.BREAKING:  # what made a pod an agent of the node may go then
        assert [change.transform.id for change in again.changes] == []
