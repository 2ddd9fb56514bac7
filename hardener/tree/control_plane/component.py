"""A cluster component as a carrier describes it: its flags, and the edits that change them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Grade, Severity
from hardener.kubernetes.components import flags as component_flags
from hardener.kubernetes.components.flag_values import entries, parsed_version
from hardener.kubernetes.components.flags import Flag
from hardener.support.data_path import Path
from hardener.support.shell_words import command
from hardener.tree.view import OpaqueError, View, literal

HOSTED = "hosted"
"""The installer of a component that runs as an ordinary workload."""

# Where the restart of a component has to be asked for, and how.
_RESTART = {
    "static-pod": "the kubelet restarts {name} once the file in /etc/kubernetes/manifests of a control-plane node is "
    "changed: one node after the other; kubeadm upgrade writes the file anew, so change the kubeadm configuration too",
    "kubeadm": "on each control-plane node, one after the other: kubeadm init phase control-plane all --config FILE "
    "(etcd: kubeadm init phase etcd local), and kubeadm init phase upload-config kubeadm --config FILE once",
    "cluster-api": "Cluster API rolls the control-plane machines out anew",
    "k3s": "on each node, one after the other: systemctl restart k3s",
    "rke2": "on each node, one after the other: systemctl restart rke2-server (rke2-agent on workers)",
    "kops": "kops update cluster --yes, then kops rolling-update cluster --yes",
    "talos": "talosctl apply-config to each node, one after the other",
    "file": "copy the file to each node, then one node after the other: kubectl drain NODE, systemctl restart {name}, "
    "kubectl uncordon NODE",
    "file-proxy": "write it to ConfigMap kube-proxy of kube-system, then: kubectl -n kube-system rollout restart "
    "daemonset/kube-proxy",
    "file-scheduler": "copy the file to each control-plane node and restart kube-scheduler there",
}
# Where an object names its version: kubeadm, Cluster API, kops.
_VERSIONS: tuple[Path, ...] = (("kubernetesVersion",), ("spec", "version"), ("spec", "kubernetesVersion"))
_NODE_REGISTRATION = "it holds for nodes that join later; on others: systemctl restart kubelet after changing its flags"
# Keys that only the configuration of a server has, not that of an agent.
_OF_A_SERVER = (
    "cluster-init", "write-kubeconfig-mode", "tls-san", "secrets-encryption", "kube-apiserver-arg",
    "kube-controller-manager-arg", "kube-scheduler-arg", "etcd-arg", "disable", "cluster-cidr", "service-cidr",
    "agent-token", "datastore-endpoint",
)  # fmt: skip


_EMPTY = ("", '""', "''")  # with quotes where somebody took a list of words for a shell


class Written(NamedTuple):
    """A flag as it stands in a carrier: ``path`` leads from the view to what holds the value, ``form`` is how."""

    name: str
    value: str
    path: Path
    form: str = ""


class Component:
    """A component called ``name`` that ``installer`` starts; ``view`` is where its paths start.

    An empty value counts as none, as for the components themselves.
    """

    def __init__(self, view: View, name: str, installer: str) -> None:
        self.view = view
        self.name = name
        self.installer = installer

    # Reading.

    def written(self) -> list[Written]:
        """Every flag, in order; of one that is there twice the last holds, or the entries of both (``adds_up``)."""
        raise NotImplementedError

    def all(self, flag: str) -> list[Written]:
        """Every place of ``flag``."""
        return [found for found in self.written() if found.name == flag]

    def get(self, flag: str) -> str | None:
        """The value of ``flag`` as written, None without one. Raises OpaqueError where it is filled in later."""
        found = self.all(flag)
        if not self.adds_up(flag):
            found = found[-1:]
        for place in found:
            if literal(place.value) != place.value:
                raise OpaqueError(place.value, (*self.view.path[1:], *place.path))
        return ",".join(place.value for place in found if place.value not in _EMPTY) or None

    def adds_up(self, flag: str) -> bool:
        """Whether the values of a flag that is there twice are joined, as lists are by all but etcd."""
        return self.name != "etcd" and self._facts(flag).type == "list"

    def repeated(self) -> list[Written]:
        """Flags that are written again further down, where what is here does not hold."""
        found = self.written()
        last = {place.name: place for place in found}
        return [place for place in found if place is not last[place.name] and not self.adds_up(place.name)]

    def value(self, flag: str) -> str | None:
        """The value that holds: the one written, else the one that the installer is known to take."""
        return self.get(flag) or self.assumed(flag)

    def assumed(self, flag: str) -> str | None:
        """What holds where nothing is written; None where nobody knows."""
        return self._facts(flag).assumed(self.installer)

    def _facts(self, flag: str) -> Flag:
        return component_flags.flag(self.name, flag)

    def entries(self, flag: str) -> list[str]:
        """The entries of a list as they hold."""
        return entries(self.value(flag))

    def place(self, flag: str) -> Path:
        """Where ``flag`` stands, seen from ``view``; empty where it does not."""
        found = self.all(flag)
        return found[-1].path if found else ()

    @property
    def is_file(self) -> bool:
        """Whether it is a configuration file, not a list of flags."""
        return self.installer == "file"

    @property
    def defaults_zero(self) -> bool:
        """Whether a zero counts as nothing said, as in the configuration of a component (SetDefaults of its types), and
        unlike a flag."""
        return False

    def called(self, flag: str) -> str:
        """The flag as a person knows it here."""
        return f"--{flag}"

    def can(self, flag: str) -> bool:
        """Whether the carrier has a place for ``flag``."""
        return flag.islower()

    @property
    def version(self) -> tuple[int, int]:
        """The Kubernetes version that it is written for, else the one that is assumed."""
        return self.own_version or self.view.tree.settings.kubernetes_version

    @cached_property
    def own_version(self) -> tuple[int, int] | None:
        """The Kubernetes version that the object names; None where it names none."""
        return parsed_version(next((text for path in _VERSIONS if (text := self.view.text(*path))), None))

    # Saying.

    def fact(self, text: str, flag: str | None = None) -> Evidence:
        """Evidence that stands at ``flag``, or at the component."""
        return self.view.fact(text, *(self.place(flag) if flag else ()))

    def state(self, flag: str) -> Evidence:
        """What the flag is, as evidence."""
        value = self.get(flag)
        if value is not None:
            return self.fact(f"{self.called(flag)} is {value}", flag)
        assumed = self.assumed(flag)
        by_kubeadm = self.installer in ("kubeadm", "cluster-api") and self._facts(flag).kubeadm
        taker = "kubeadm" if by_kubeadm else self.name
        return self.fact(f"{self.called(flag)} is not set" + (f", and {taker} takes {assumed}" if assumed else ""))

    def finding(
        self, message: str, flag: str | None = None, *, advice: str, severity: Severity, not_looked_at: bool = False
    ) -> Finding:
        """A finding at ``flag``, or at the component."""
        path, said = self.place(flag) if flag else (), f"{self.name}: {message}"
        return self.view.finding(said, *path, advice=advice, severity=severity, not_looked_at=not_looked_at)

    @property
    def restart(self) -> str:
        """How a change comes into force."""
        key = self.installer
        if key == "file" and self.name != "kubelet":
            key = "file-proxy" if self.name == "kube-proxy" else "file-scheduler"
        if key in ("kubeadm", "cluster-api") and self.name == "kubelet":
            return _NODE_REGISTRATION
        return command(_RESTART[key], name=self.name)

    # Changing. ``how`` is the grade of the edits with basis, evidence, and steps before and after.

    def set(self, flag: str, text: str, how: How) -> list[Edit]:
        """The edits that give ``flag`` the value ``text``."""
        raise NotImplementedError

    def unset(self, flag: str, how: How) -> list[Edit]:
        """The edits that remove ``flag`` wherever it stands."""
        return self.dropped(self.all(flag), how)

    def dropped(self, places: list[Written], how: How) -> list[Edit]:
        """The edits that remove flags at ``places``."""
        raise NotImplementedError

    def joined(self, places: list[Written], how: How) -> list[Edit]:
        """The edits that remove all but the last of the places of a list, which gets what is left of all."""
        return self.dropped(places[:-1], how) if self.adds_up(places[-1].name) else []

    def without(self, flag: str, names: list[str], how: How) -> list[Edit]:
        """The edits that take entries out of a list; the flag goes with the last one."""
        left = [entry for entry in entries(self.get(flag)) if entry not in names]
        return self.set(flag, ",".join(left), how) if left else self.unset(flag, how)

    def mounts(self, path: str) -> bool:
        """Whether the component sees the host's file or folder ``path``."""
        return True

    def mount(self, name: str, path: str, *, read_only: bool, type: str, how: How) -> list[Edit]:
        """The edits that show the component the host's folder ``path``; none where it runs on the host itself."""
        return []

    def unmount(self, path: str, how: How) -> list[Edit]:
        """The edits that remove the mount of the file ``path``, when nothing else needs it."""
        return []

    def placing(self, file: str, path: str) -> str:
        """The step that puts ``file`` at ``path`` of the hosts, to take before the change."""
        if self.installer == "cluster-api":
            return f"add {file} to files of the same kubeadmConfigSpec, with path {path} and permissions 0600"
        return f"on every control-plane node: install -D -m 0600 {file} {path}"

    @property
    def takes_files(self) -> bool:
        """Whether a file of the host can be named in a flag, mounted where need be."""
        return True


class How(NamedTuple):
    """What all edits of a step say."""

    grade: Grade = Grade.REVIEW
    basis: Basis = Basis.PROVED
    evidence: tuple[Evidence, ...] = ()
    requires: tuple[str, ...] = ()
    follow_up: tuple[str, ...] = ()
    impact: str | None = None

    @property
    def words(self) -> dict[str, Any]:
        """As the keyword arguments of a view."""
        return {
            "grade": self.grade, "basis": self.basis, "evidence": list(self.evidence), "requires": self.requires,
            "follow_up": self.follow_up,
        }  # fmt: skip


def distribution(carrier: View) -> str:
    """k3s or rke2, as far as the path and the keys tell."""
    return "rke2" if "rke2" in carrier.object.piece.file.path or carrier.has("cni") else "k3s"


def is_server(carrier: View) -> bool:
    """Whether it configures a server, not an agent."""
    return any(carrier.has(key) for key in _OF_A_SERVER)
