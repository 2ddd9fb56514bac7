"""SecurityContextConstraints of OpenShift: what they let pods do, and which of them a rule of RBAC lets pods use.

Sources: openshift/api security/v1 types.go; the ones of every cluster and their ClusterRoles as cluster-kube-apiserver-
operator installs them (bindata/bootkube/scc-manifests), that of the node exporter as cluster-monitoring-operator does.
A pod may use one that its service account, or who makes it, has ``use`` of, or is named in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.kubernetes.pods.capabilities import BASELINE, plain
from hardener.kubernetes.rbac.rules import ANY, Rule
from hardener.support.data_path import Path
from hardener.support.shapes import texts

GROUP = "security.openshift.io"
KIND = "SecurityContextConstraints"
RESOURCE = "securitycontextconstraints"
USE = "use"
ROLE = "system:openshift:scc:"
"""How the ClusterRole begins by which one of every cluster is used."""

EVERYBODY = {
    "system:authenticated": "everybody who is logged in",
    "system:authenticated:oauth": "everybody who logs in to OpenShift",
    "system:serviceaccounts": "every pod of the cluster",
    "system:unauthenticated": "everybody, without a credential",
}
"""Groups of all of a cluster."""
_OF_NAMESPACE = "system:serviceaccounts:"
# Whom OpenShift itself names in those that it installs.
_OWN_HOLDERS = frozenset({"system:cluster-admins", "system:nodes", "system:masters", "system:admin"})
_OWN_ACCOUNTS = ("system:serviceaccount:openshift-", "system:serviceaccount:kube-")


class Opening(Struct, frozen=True):
    """A thing that pods may do: where it stands, in words, and whether it is enough to own the node they run on."""

    text: str
    path: Path = ()
    owns_node: bool = False


_PRIVILEGED = Opening("privileged containers", ("allowPrivilegedContainer",), owns_node=True)
_FLAGS = (
    _PRIVILEGED,
    Opening("paths of the node", ("allowHostDirVolumePlugin",)),
    Opening("the network of the node", ("allowHostNetwork",)),
    Opening("ports of the node", ("allowHostPorts",)),
    Opening("the processes of the node", ("allowHostPID",)),
    Opening("the memory that processes of the node share", ("allowHostIPC",)),
)
_EVERY_CAPABILITY = Opening("every capability", ("allowedCapabilities",), owns_node=True)
_ANY_USER = Opening("any user, root too", ("runAsUser", "type"))
_NODE_PATHS = _FLAGS[1].text
_ROOT_PATHS = Opening(_NODE_PATHS, _FLAGS[1].path, owns_node=True)

_BUILT_IN: dict[str, tuple[Opening, ...]] = {
    "privileged": (*_FLAGS, _EVERY_CAPABILITY, _ANY_USER),
    "hostaccess": _FLAGS[1:],
    "hostmount-anyuid": (_ROOT_PATHS, _ANY_USER),
    "hostmount-anyuid-v2": (_ROOT_PATHS, _ANY_USER),
    "hostnetwork": _FLAGS[2:4],
    "hostnetwork-v2": _FLAGS[2:4],
    "node-exporter": (_ROOT_PATHS, *_FLAGS[2:5], _ANY_USER),
    "anyuid": (_ANY_USER,),
    "nonroot": (), "nonroot-v2": (), "restricted": (), "restricted-v2": (), "restricted-v3": (),
    # Root only in a user namespace, which it asks for.
    "nested-container": (),
}  # fmt: skip
# The fields that they leave open besides; whoever may do the rest gains little by them.
_ALSO_OPEN = {
    "privileged": frozenset({"seLinuxContext", "allowedUnsafeSysctls", "seccompProfiles", "volumes"}),
    "hostmount-anyuid-v2": frozenset({"seLinuxContext"}),
    "node-exporter": frozenset({"seLinuxContext"}),
    "nested-container": frozenset({"seccompProfiles"}),
}


def built_in(name: str) -> tuple[Opening, ...] | None:
    """What the one called ``name`` that OpenShift brings opens; None for one of which nothing is known."""
    return _BUILT_IN.get(name)


def openings(data: Mapping[str, Any]) -> list[Opening]:
    """What an object of this kind lets pods do beyond what restricted and nonroot let them, the gravest first."""
    paths = bool(data.get("allowHostDirVolumePlugin") is True)
    root = _lets_root(data)
    found = [
        Opening(flag.text, flag.path, flag.owns_node or (flag.text == _NODE_PATHS and root is not None))
        for flag in _FLAGS
        if data.get(str(flag.path[0])) is True
    ]
    found += _capabilities(data)
    if root is not None:
        found.append(root)
    if _type(data, "seLinuxContext") == "RunAsAny":
        found.append(Opening("any SELinux label", ("seLinuxContext", "type")))
    if any(texts(data.get("allowedUnsafeSysctls"))):
        found.append(Opening("sysctls that reach the node", ("allowedUnsafeSysctls",)))
    if {"*", "unconfined"}.intersection(texts(data.get("seccompProfiles"))):
        found.append(Opening("no seccomp profile", ("seccompProfiles",)))
    if ANY in texts(data.get("volumes")):
        text = "every kind of volume" if paths else "every kind of volume but paths of the node"
        found.append(Opening(text, ("volumes",)))
    return sorted(found, key=lambda opening: not opening.owns_node)


def _capabilities(data: Mapping[str, Any]) -> Iterator[Opening]:
    for key, given in (("allowedCapabilities", ""), ("defaultAddCapabilities", "without asking ")):
        names = [plain(name) for name in texts(data.get(key))]
        if ANY in names or "ALL" in names:
            yield Opening(f"{given}every capability", (key,), owns_node=True)
        elif beyond := [name for name in names if name not in BASELINE]:
            several = "capabilities" if len(beyond) > 1 else "capability"
            yield Opening(f"{given}{several} {', '.join(beyond)}", (key,), owns_node="SYS_ADMIN" in beyond)


def _lets_root(data: Mapping[str, Any]) -> Opening | None:
    user = data.get("runAsUser")
    if not isinstance(user, Mapping) or data.get("userNamespaceLevel") == "RequirePodLevel":
        return None
    kind = user.get("type")
    if kind == "RunAsAny":
        return _ANY_USER
    if kind == "MustRunAs" and user.get("uid") == 0:
        return Opening("root", ("runAsUser", "uid"))
    if kind == "MustRunAsRange" and user.get("uidRangeMin") == 0:
        return Opening("root", ("runAsUser", "uidRangeMin"))
    return None


def is_of_the_cluster(data: Mapping[str, Any]) -> bool:
    """Whether the object is one that OpenShift brings: it opens no more than the one of its name, and nobody holds it
    but those that OpenShift names. The annotations of a release prove nothing, since anybody may write them."""
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    own = _BUILT_IN.get(name) if isinstance(name, str) else None
    if own is None:
        return False
    # Each of them opens a field as far as it goes, so that no value in it opens more.
    fields = {opening.path[0] for opening in own} | _ALSO_OPEN.get(str(name), frozenset())
    if not fields.issuperset(opening.path[0] for opening in openings(data)):
        return False
    holders = [*texts(data.get("users")), *texts(data.get("groups"))]
    return all(holder in _OWN_HOLDERS or holder.startswith(_OWN_ACCOUNTS) for holder in holders)


def used_by(rule: Rule) -> tuple[str, ...]:
    """The names of those that ``rule`` lets pods use; ``*`` is all of them."""
    if rule.urls or not rule.covers(GROUP, RESOURCE, USE):
        return ()
    return rule.names or (ANY,)


def is_everybody(group: str) -> bool:
    """Whether a group is of all of a cluster."""
    return group in EVERYBODY


def described(group: str) -> str | None:
    """Who is in a group that comes of its own accord; None for another one."""
    if group in EVERYBODY:
        return EVERYBODY[group]
    return f"every pod of {group.removeprefix(_OF_NAMESPACE)}" if group.startswith(_OF_NAMESPACE) else None


def listed(found: Collection[Opening], most: int = 4) -> str:
    """``found`` in one sentence."""
    named = list(dict.fromkeys(opening.text for opening in found))
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return f"{', '.join(named[:most])}{more}"


def _type(data: Mapping[str, Any], key: str) -> object:
    value = data.get(key)
    return value.get("type") if isinstance(value, Mapping) else None
