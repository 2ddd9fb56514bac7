"""What an object keeps others from: traffic, pods, resources. What is lost where it goes.

Sources: networking/v1 NetworkPolicySpec (policyTypes), Pod Security Admission (labels of a namespace), core/v1
ResourceQuota and LimitRange, admissionregistration.k8s.io/v1 (validationActions).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.kubernetes.network.label_selector import EVERYTHING, Selector, parse
from hardener.kubernetes.objects.shape import ShapeError
from hardener.kubernetes.pods.pod_template import group
from hardener.support.shapes import listed, mapping, mappings

_LEVELS = ("baseline", "restricted")  # privileged keeps nobody from anything
_PSS = "pod-security.kubernetes.io/"
_NETWORK, _ADMISSION, _PODS = "K05", "K04", "K01"
# Objects of other projects, which are looked at by their names and as a whole.
_WHOLE = {
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): ("high", _ADMISSION),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): ("medium", _ADMISSION),
    ("kyverno.io", "ClusterPolicy"): ("high", _ADMISSION),
    ("kyverno.io", "Policy"): ("high", _ADMISSION),
    ("policies.kyverno.io", "ValidatingPolicy"): ("high", _ADMISSION),
    ("cilium.io", "CiliumNetworkPolicy"): ("high", _NETWORK),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"): ("high", _NETWORK),
    ("crd.projectcalico.org", "NetworkPolicy"): ("high", _NETWORK),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"): ("high", _NETWORK),
    ("projectcalico.org", "NetworkPolicy"): ("high", _NETWORK),
    ("projectcalico.org", "GlobalNetworkPolicy"): ("high", _NETWORK),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"): ("high", _NETWORK),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"): ("high", _NETWORK),
    ("security.istio.io", "AuthorizationPolicy"): ("high", _NETWORK),
    ("security.istio.io", "PeerAuthentication"): ("high", _NETWORK),
}
_GATEKEEPER = "constraints.gatekeeper.sh"  # each of its kinds is a policy


class Guard(Struct, frozen=True):
    """What an object keeps others from.

    ``text`` says what is lost without it, ``severity`` ("high", "medium", "low") how much, ``risk`` of which risk it
    is. Another one with one of ``keys`` in the same ``namespace`` does the same, and one with ``wider`` more.
    ``selector``: the pods that it is about; None where it is about something else.
    """

    keys: tuple[str, ...]
    severity: str
    risk: str
    text: str
    namespace: str | None = None
    selector: Selector | None = None
    wider: str | None = None


def guards(value: Mapping[str, Any]) -> list[Guard]:
    """What the object ``value`` keeps others from; nothing for most, and where it is filled in later."""
    kind = (group(value.get("apiVersion")), str(value.get("kind")))
    try:
        if (of_kind := _BY_KIND.get(kind)) is not None:
            return list(of_kind(value))
        if kind in _WHOLE or kind[0] == _GATEKEEPER:
            return [_whole(value, *_WHOLE.get(kind, ("high", _ADMISSION)))]
    except ShapeError:
        pass
    return []


def _namespace(value: Mapping[str, Any]) -> str | None:
    found = mapping(value.get("metadata")).get("namespace")
    return found if isinstance(found, str) and found else None


def _name(value: Mapping[str, Any]) -> str:
    return str(mapping(value.get("metadata")).get("name") or "")


def _network_policy(value: Mapping[str, Any]) -> Iterator[Guard]:
    spec, space = mapping(value.get("spec")), _namespace(value)
    selector = parse(mapping(spec.get("podSelector")))
    types = listed(spec.get("policyTypes")) or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for direction in dict.fromkeys(map(str, types)):
        all_pods = f"{direction} {EVERYTHING}"
        text = f"no policy isolates {'all' if selector == EVERYTHING else 'its'} pods for {direction.lower()}"
        if selector == EVERYTHING and not spec.get(direction.lower()):
            text = f"no policy denies {direction.lower()} by default"
            yield Guard((f"deny {direction}",), "high", _NETWORK, text, space, selector)
        yield Guard((f"{direction} {selector}",), "high", _NETWORK, text, space, selector, all_pods)


def _pod_security(value: Mapping[str, Any]) -> Iterator[Guard]:
    labels = mapping(mapping(value.get("metadata")).get("labels"))
    for mode, severity in (("enforce", "high"), ("warn", "low"), ("audit", "low")):
        level = labels.get(_PSS + mode)
        for each in reversed(_LEVELS[: _LEVELS.index(level) + 1] if level in _LEVELS else ()):
            text = f"nothing makes the namespace {mode} {each} or more"
            yield Guard((f"{mode} {each}",), severity, _ADMISSION, text, _name(value), EVERYTHING)


def _quota(value: Mapping[str, Any]) -> Iterator[Guard]:
    for name in mapping(mapping(value.get("spec")).get("hard")):
        yield Guard((f"quota {name}",), "medium", _PODS, f"no quota bounds {name}", _namespace(value), EVERYTHING)


def _limits(value: Mapping[str, Any]) -> Iterator[Guard]:
    for item in mappings(mapping(value.get("spec")).get("limits")):
        for field, resources in item.items():
            for name in mapping(resources):
                text = f"no LimitRange sets {field} of {name} for each {item.get('type')}"
                key = f"limit {item.get('type')} {field} {name}"
                yield Guard((key,), "medium", _PODS, text, _namespace(value), EVERYTHING)


def _policy_binding(value: Mapping[str, Any]) -> Iterator[Guard]:
    spec = mapping(value.get("spec"))
    name = spec.get("policyName")
    for action in map(str, listed(spec.get("validationActions"))):
        severity = "high" if action == "Deny" else "low"
        yield Guard((f"{action} {name}",), severity, _ADMISSION, f"no binding makes policy {name} {action.lower()}")


def _whole(value: Mapping[str, Any], severity: str, risk: str) -> Guard:
    kind, name = str(value.get("kind")), _name(value)
    rest = {key: each for key, each in value.items() if key not in ("apiVersion", "metadata", "status")}
    keys = (f"{kind} {name}", json.dumps(rest, sort_keys=True, default=str))
    return Guard(keys, severity, risk, f"{kind} {name} is gone", _namespace(value))


_BY_KIND: dict[tuple[str, str], Callable[[Mapping[str, Any]], Iterator[Guard]]] = {
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("", "Namespace"): _pod_security,
    ("", "ResourceQuota"): _quota,
    ("", "LimitRange"): _limits,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _policy_binding,
}
