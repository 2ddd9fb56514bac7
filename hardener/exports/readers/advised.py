"""What Inspektor Gadget advises after it watched: ``advise_seccomp`` and ``advise_networkpolicy``.

Source: inspektor-gadget 0.40 on, gadgets/advise_seccomp/go/program.go and gadgets/advise_networkpolicy/go/program.go:
the text itself, or with ``-o json`` a field ``text`` of each line. A profile begins with a comment that names its
container; a policy has the labels of the pods, a rule of one port for each peer, and none of the fields that an API
server adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from hardener.exports.collector import Collector, Profile
from hardener.exports.shapes import entries, mapping, number, text, texts
from hardener.sources import yaml

_SECCOMP = re.compile(r"^// (.+)\n(\{.*?^\}|\{.*\})", re.MULTILINE | re.DOTALL)
_SUFFIX = "-network"
_NAMESPACE = "kubernetes.io/metadata.name"
_LONGEST = 1 << 22


def is_advice(document: dict[str, Any]) -> bool:
    """Whether it is a line of ``-o json`` of one of the two."""
    said = text(document, "text")
    return document.keys() == {"text"} and (said.startswith("// ") or "kind: NetworkPolicy" in said)


def read_advice(document: dict[str, Any], into: Collector) -> None:
    """Put in the profile or the policies that the text holds."""
    said = text(document, "text")
    if said.startswith("// "):
        read_profiles(said, into)
        return
    try:
        found = yaml.documents(said[:_LONGEST])
    except yaml.TextError:
        return
    for each in found:
        if isinstance(each, dict) and is_policy(each):
            read_policy(each, into)


def read_profiles(said: str, into: Collector) -> int:
    """Put in the profiles of a text of ``advise_seccomp``; how many there are."""
    count = 0
    for found in _SECCOMP.finditer(said):
        try:
            profile = msgspec.json.decode(found[2])
        except (msgspec.DecodeError, RecursionError):
            continue
        names = [name for entry in entries(profile, "syscalls") for name in texts(entry, "names")]
        key, container = into.source("Inspektor Gadget advise_seccomp"), found[1].strip()
        into.put_profile(Profile(container, _calls(container, key, names)))
        count += 1
    return count


def _calls(container: str, key: tuple[str, str], names: list[str]) -> Any:
    return lambda into, workload: into.put_calls(workload, container, key, names)


def is_policy(item: dict[str, Any]) -> bool:
    """Whether a NetworkPolicy is an advice, and not one that stands in a cluster or in Git."""
    metadata = mapping(item, "metadata")
    if text(item, "kind") != "NetworkPolicy" or not text(metadata, "name").endswith(_SUFFIX):
        return False
    rules = [*entries(item, "spec", "ingress"), *entries(item, "spec", "egress")]
    made = metadata.keys() & {"uid", "resourceVersion", "annotations"} or metadata.get("creationTimestamp")
    return not made and bool(rules) and all(_is_of_one(rule) for rule in rules)


def _is_of_one(rule: dict[str, Any]) -> bool:
    peers = [*entries(rule, "from"), *entries(rule, "to")]
    return len(peers) == 1 and len(list(entries(rule, "ports"))) == 1


def read_policy(item: dict[str, Any], into: Collector) -> None:
    """Put in the connections that it was made of."""
    namespace = text(item, "metadata", "namespace") or "default"
    key = into.source("Inspektor Gadget advise_networkpolicy")
    own = _labels(mapping(item, "spec", "podSelector"))
    into.put_selected_peers(namespace, own, key, list(_peers(item, namespace)))


def _peers(item: dict[str, Any], namespace: str) -> Iterator[tuple[str, dict[str, str], int, str, bool]]:
    """Namespace, labels, port and protocol of each peer, and whether it is the one that is called."""
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in entries(item, "spec", direction):
            port = next(entries(rule, "ports"))
            peer = next(entries(rule, side), {})
            space = text(mapping(peer, "namespaceSelector", "matchLabels"), _NAMESPACE) or namespace
            labels = _labels(mapping(peer, "podSelector"))
            yield space, labels, number(port.get("port")) or 0, text(port, "protocol"), direction == "egress"


def _labels(selector: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in mapping(selector, "matchLabels").items()}
