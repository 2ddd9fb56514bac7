"""K04: the level that namespaces without a label are held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.errors import InputError
from hardener.facts.access.admission import AdmissionFile
from hardener.kubernetes.components.admission_file import FOLDER, text
from hardener.kubernetes.pod_security import LEVELS
from hardener.support.data_path import Path
from hardener.tree.control_plane import Component, ControlPlane, components, how
from hardener.tree.view import View

_FLAG = "admission-control-config-file"
_HOST_FILE = "admission-control.yaml"
_PLUGIN = "PodSecurity"
_MODES = ("enforce", "audit", "warn")
_UNSEEN = Evidence("it holds for every namespace of the cluster that has no label of its own")


@dataclass(frozen=True)
class AdmissionConfig:
    """``enforce``: the level for namespaces that say none."""

    GROUP: ClassVar[str] = "admission-config"
    enforce: str = "baseline"

    def __post_init__(self) -> None:
        if self.enforce not in LEVELS[1:]:
            raise InputError(f"admission-config.enforce: {self.enforce} is none of {', '.join(LEVELS[1:])}")


@transform(
    each=AdmissionFile | ControlPlane, stage="policy", severity=Severity.MEDIUM, cis="5.2.1", options=AdmissionConfig
)
def admission_config_pss(target: AdmissionFile | ControlPlane, options: AdmissionConfig) -> Steps:
    """Set a default Pod Security level.

    Problem: namespaces without a label have no Pod Security level, or a weak one.

    Result: The API server applies a Pod Security level to namespaces without a label.

    Why: new namespaces start protected instead of open.

    May break: pods of namespaces that nobody labelled are refused; a mistake in the file stops the API server.
    """
    if isinstance(target, ControlPlane):
        for server in components(target, "kube-apiserver"):
            yield from _wired(server, options.enforce)
        return
    if target.object.kind == "PodSecurityConfiguration":
        yield list(_raised(target, (), options.enforce))
        return
    plugins = target.items("plugins")
    for index, plugin in enumerate(plugins):
        if plugin.text("name") == _PLUGIN and plugin.has("configuration"):
            yield list(_raised(target, ("plugins", index, "configuration"), options.enforce))
            return
        if plugin.text("name") == _PLUGIN:
            return  # its configuration is a file of its own
    if target.has("plugins") or not plugins:
        fact = target.fact("it does not configure Pod Security")
        found = verdict(why=[fact], against=[_UNSEEN], basis=Basis.PROVED)
        value = {"name": _PLUGIN, "configuration": _configuration(target, options.enforce)}
        yield target.append("plugins", value=value, **found.words)


def _raised(target: View, path: Path, enforce: str) -> list[Edit]:
    """The defaults that are lower than wanted, or not there, with their versions."""
    edits: list[Edit] = []
    for mode, level in _wanted(enforce).items():
        present = target.get(*path, "defaults", mode)
        if present in LEVELS and LEVELS.index(str(present)) >= LEVELS.index(level):
            continue
        said = f"defaults.{mode} is {present}" if present else f"defaults.{mode} is not set, which is privileged"
        found = verdict(why=[target.fact(said)], against=[_UNSEEN], basis=Basis.PROVED)
        for key, value in ((mode, level), (f"{mode}-version", _version(target))):
            edits.append(target.set(*path, "defaults", key, to=value, **found.words))
    return edits


def _wanted(enforce: str) -> dict[str, str]:
    return {mode: enforce if mode == "enforce" else "restricted" for mode in _MODES}


def _version(view: View) -> str:
    return "v{}.{}".format(*view.tree.settings.kubernetes_version)


def _configuration(view: View, enforce: str) -> dict[str, Any]:
    defaults: dict[str, str] = {}
    for mode, level in _wanted(enforce).items():
        defaults |= {mode: level, f"{mode}-version": _version(view)}
    return {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": defaults,
        "exemptions": {"namespaces": ["kube-system"]},
    }


def _wired(server: Component, enforce: str) -> Steps:
    """File, mount and flag in one step: a part of them stops the server."""
    if server.get(_FLAG) is not None or not server.takes_files or server.installer not in ("static-pod", "kubeadm"):
        return

    place = f"{FOLDER}/{_HOST_FILE}"
    stops = Evidence("without the file the server does not start")
    before = f"on every control-plane node, before the flag: install -D -m 0600 {_HOST_FILE} {place}"
    words = how(server, server.state(_FLAG), against=[_UNSEEN, stops], requires=(before,))
    edits: list[Edit] = []
    for item in server.view.host_file(_HOST_FILE, text(_configuration(server.view, enforce)), **words.words):
        if not isinstance(item, Finding):  # else it is there, and its owner knows what for
            edits.append(item)
    edits += server.set(_FLAG, place, words)
    if not server.mounts(place):
        edits += server.mount("admission-control", FOLDER, read_only=True, type="Directory", how=words)
    yield edits
