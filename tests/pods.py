"""Pods of manifests run by podman as a kubelet would: a translator of what a manifest says into options of podman.

A field that it does not know ends the test, so that nothing passes for being left out. `podman kube play` will not do:
it adds writable folders, fills emptyDirs from the image, leaves out fsGroup and starts root under runAsNonRoot.
A VOLUME of an image is left as it is in the image, as CRI-O may do; containerd would put a writable copy there.
Sources: kubernetes pkg/kubelet/kuberuntime/security_context_others.go (users), pkg/volume/emptydir (mode 0777),
pkg/volume/volume_linux.go (fsGroup).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .podman import Podman

Map = dict[str, Any]

# What a runtime gives a container that says nothing.
_DEFAULT = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT"
).split()
_KEYS = {
    "pod": "automountServiceAccountToken containers initContainers securityContext volumes",
    "pod.securityContext": "fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seccompProfile "
    "supplementalGroups sysctls",
    "container": "args command env image name ports resources securityContext volumeMounts workingDir",
    "container.securityContext": "allowPrivilegeEscalation capabilities readOnlyRootFilesystem runAsGroup runAsNonRoot "
    "runAsUser seccompProfile",
    "volumeMount": "mountPath name readOnly",
    "volume": "configMap emptyDir name persistentVolumeClaim secret",
}


class Refused(Exception):
    """The kubelet does not start the container (CreateContainerConfigError), or runc cannot."""


@dataclass(frozen=True)
class Manifests:
    """The documents of a folder."""

    documents: list[Map] = field(repr=False)

    @classmethod
    def of(cls, folder: Path) -> Manifests:
        texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml")) if path.name[0] != ".")
        return cls([document for text in texts for document in yaml.safe_load_all(text) if document])

    def named(self, kind: str, name: str) -> Map:
        (found,) = (one for one in self.documents if one["kind"] == kind and one["metadata"]["name"] == name)
        return found

    def pod(self, name: str) -> Map:
        """The pod of a Deployment or StatefulSet; the claims of the latter as volumes."""
        (found,) = (
            one for one in self.documents if "template" in one.get("spec", {}) and one["metadata"]["name"] == name
        )
        pod: Map = json.loads(json.dumps(found["spec"]["template"]["spec"]))
        for claim in found["spec"].get("volumeClaimTemplates", []):
            volume = {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}}
            pod.setdefault("volumes", []).append(volume)
        return pod


@dataclass
class Running:
    """A started container."""

    podman: Podman
    name: str

    @property
    def ended(self) -> int | None:
        """Its exit code, None while it runs."""
        state = self.podman("inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", self.name).stdout.split()
        return None if state[0] == "true" else int(state[1])

    @property
    def log(self) -> str:
        done = self.podman("logs", self.name)
        return done.stdout + done.stderr

    def ask(self, *command: str, wanted: str, seconds: float = 60) -> str:
        """What ``command`` says inside it once that holds ``wanted``. Fails when it ends, or never says it."""
        said = ""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            done = self.podman("exec", self.name, *command, check=False)
            said = done.stdout + done.stderr
            if wanted in said:
                return said
            assert self.ended is None, f"it ended with {self.ended}: {self.log}"
            time.sleep(0.05)
        raise AssertionError(f"no {wanted} within {seconds} s: {said}\n{self.log}")

    def end(self, seconds: float = 60) -> str:
        """What it logged, once it has ended with a failure."""
        until = time.monotonic() + seconds
        while self.ended is None and time.monotonic() < until:
            time.sleep(0.05)
        assert self.ended not in (None, 0), f"it should have died: {self.ended}\n{self.log}"
        return self.log


@contextmanager
def running(
    podman: Podman, pod: Map, folder: Path, manifests: Manifests, network: Sequence[str] = ("--network", "none")
) -> Iterator[Running]:
    """The one container of ``pod``, after its init containers, with its volumes below ``folder``.

    ``network``: options of podman. Raises Refused where it is not started.
    """
    _know("pod", pod)
    folder.mkdir(exist_ok=True)
    (container,) = pod["containers"]
    name = f"pod-{folder.name}"
    volumes = _volumes(pod, folder, manifests)
    common = [*network, "--image-volume", "ignore", "--pids-limit", "0", *_of_pod(pod)]
    for each in pod.get("initContainers", []):
        options = _of_container(podman, pod, each, volumes, manifests)
        done = podman("run", "--rm", *common, *options, check=False)
        assert done.returncode == 0, f"init container {each['name']}: {done.stderr}"
    options = _of_container(podman, pod, container, volumes, manifests)
    done = podman("run", "-d", "--name", name, *common, *options, check=False)
    try:
        if done.returncode != 0:
            raise Refused(done.stderr)
        yield Running(podman, name)
    finally:
        podman("rm", "-f", "-t", "0", name, check=False)


def _know(what: str, value: Map) -> None:
    unknown = set(value) - set(_KEYS[what].split())
    assert not unknown, f"this translator knows no {', '.join(sorted(unknown))} of a {what}"


def _of_pod(pod: Map) -> list[str]:
    context = pod.get("securityContext", {})
    _know("pod.securityContext", context)
    # Where the pod says nothing a low port is shut, as with CRI-O; containerd may open them all.
    sysctls = {"net.ipv4.ip_unprivileged_port_start": "1024"}
    sysctls |= {each["name"]: each["value"] for each in context.get("sysctls", [])}
    found = [word for name, value in sysctls.items() for word in ("--sysctl", f"{name}={value}")]
    groups = [*context.get("supplementalGroups", []), *([context["fsGroup"]] if "fsGroup" in context else [])]
    return [*found, *(word for group in groups for word in ("--group-add", str(group)))]


def _of_container(
    podman: Podman, pod: Map, container: Map, volumes: dict[str, tuple[Path, bool]], manifests: Manifests
) -> list[str]:
    _know("container", container)
    context = container.get("securityContext", {})
    _know("container.securityContext", context)
    both = pod.get("securityContext", {}) | context
    found = ["--user", _user(podman, container, both)]
    if context.get("readOnlyRootFilesystem"):
        found += ["--read-only", "--read-only-tmpfs=false"]
    found += ["--mount", "type=tmpfs,destination=/dev/shm,tmpfs-mode=1777"]
    found += ["--cap-drop", "ALL", *(word for name in _capabilities(context) for word in ("--cap-add", name))]
    if context.get("allowPrivilegeEscalation") is False:
        found += ["--security-opt", "no-new-privileges"]
    if both.get("seccompProfile", {}).get("type", "Unconfined") == "Unconfined":
        found += ["--security-opt", "seccomp=unconfined"]
    for mount in container.get("volumeMounts", []):
        _know("volumeMount", mount)
        source, writable = volumes[mount["name"]]
        found += ["-v", f"{source}:{mount['mountPath']}:{'rw' if writable and not mount.get('readOnly') else 'ro'}"]
    if memory := container.get("resources", {}).get("limits", {}).get("memory"):
        found += ["--memory", memory.replace("Mi", "m").replace("Gi", "g")]
    for variable in container.get("env", []):
        found += ["--env", f"{variable['name']}={_value(variable, manifests)}"]
    if "workingDir" in container:
        found += ["--workdir", container["workingDir"]]
    if "command" in container:
        found += ["--entrypoint", json.dumps(container["command"])]
    return [*found, container["image"], *container.get("args", [])]


def _value(variable: Map, manifests: Manifests) -> str:
    if "value" in variable:
        return str(variable["value"])
    (kind, source) = next(iter(variable["valueFrom"].items()))
    assert kind == "secretKeyRef", f"this translator knows no {kind}"
    return str(manifests.named("Secret", source["name"])["stringData"][source["key"]])


def _user(podman: Podman, container: Map, context: Map) -> str:
    """The user to start as; what the kubelet checks under runAsNonRoot."""
    image = container["image"]
    if podman("image", "exists", image, check=False).returncode != 0:
        podman("pull", "-q", image)
    own = podman("image", "inspect", "--format", "{{.Config.User}}", image).stdout.strip()
    user = context.get("runAsUser")
    if context.get("runAsNonRoot"):
        name = own.partition(":")[0] or "0"
        if user is None and not name.isdecimal():
            raise Refused(f"container has runAsNonRoot and image has non-numeric user ({name})")
        if int(name if user is None else user) == 0:
            raise Refused("container has runAsNonRoot and image will run as root")
    if user is None:
        return own or "0"
    return f"{user}:{context['runAsGroup']}" if "runAsGroup" in context else str(user)


def _capabilities(context: Map) -> list[str]:
    capabilities = context.get("capabilities", {})
    dropped = {name.removeprefix("CAP_") for name in capabilities.get("drop", [])}
    found = [] if "ALL" in dropped else [name for name in _DEFAULT if name not in dropped]
    return [*found, *(name.removeprefix("CAP_") for name in capabilities.get("add", []))]


def _volumes(pod: Map, folder: Path, manifests: Manifests) -> dict[str, tuple[Path, bool]]:
    """A folder for each volume, by its name, and whether it may be written."""
    group = pod.get("securityContext", {}).get("fsGroup")
    found = {}
    for volume in pod.get("volumes", []):
        _know("volume", volume)
        place = folder / volume["name"]
        place.mkdir(exist_ok=True)
        if "persistentVolumeClaim" in volume:
            place.chmod(0o755)  # as a fresh file system has it
        elif "emptyDir" in volume:
            place.chmod(0o777)
        else:
            _files(volume, place, manifests)
        if group is not None:
            for path in (place, *place.rglob("*")):
                os.chown(path, -1, group)
                mode = path.stat().st_mode & 0o7777
                path.chmod(mode | (0o2770 if path.is_dir() else 0o660))
        found[volume["name"]] = (place, "emptyDir" in volume or "persistentVolumeClaim" in volume)
    return found


def _files(volume: Map, place: Path, manifests: Manifests) -> None:
    secret = "secret" in volume
    source = volume["secret" if secret else "configMap"]
    kind, name = ("Secret", source["secretName"]) if secret else ("ConfigMap", source["name"])
    content = manifests.named(kind, name)
    for key, text in {**content.get("data", {}), **content.get("stringData", {})}.items():
        (place / key).write_text(text, encoding="utf-8")
        (place / key).chmod(source.get("defaultMode", 0o644))
    place.chmod(0o777)
