"""Blocks of Terraform as the objects that they make, read with python-hcl2 and a table of its own: what the program
under test reads and writes is compared with it."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import hcl2
import yaml

Place = tuple[str, str]  # the type and the name of a resource

# The kinds that are called otherwise than their resources, without "kubernetes_" and a version.
KINDS = {"daemonset": "DaemonSet", "default_service_account": "ServiceAccount"}
# In Kubernetes they are lists, in HCL each item is a block of that name.
LISTS = {
    "container": "containers", "init_container": "initContainers", "env": "env", "env_from": "envFrom",
    "port": "ports", "ports": "ports", "volume": "volumes", "volume_mount": "volumeMounts", "toleration": "tolerations",
    "rule": "rules", "subject": "subjects", "secret": "secrets", "image_pull_secret": "imagePullSecrets",
    "option": "options", "path": "paths", "sysctl": "sysctls", "http_header": "httpHeaders", "volume_claim_template":
    "volumeClaimTemplates", "match_expressions": "matchExpressions", "ingress": "ingress", "egress": "egress",
    "from": "from", "to": "to", "items": "items", "node_selector_term": "nodeSelectorTerms",
    "topology_spread_constraint": "topologySpreadConstraints", "cluster_role_selectors": "clusterRoleSelectors",
    "preferred_during_scheduling_ignored_during_execution": "preferredDuringSchedulingIgnoredDuringExecution",
}  # fmt: skip
# The same words, where the block is no item of a list.
SINGLE = {("volume", "secret"), ("projected", "secret"), ("service", "port"), ("path", "port")}
WORDS = {"timezone": "timeZone", "ip": "IP", "ipc": "IPC", "pid": "PID", "api": "API", "urls": "URLs", "ips": "IPs"}
KEPT = {"wait_for_rollout", "wait_for_completion", "wait_for_load_balancer", "wait_for_service_account_token",
        "timeouts", "count", "for_each", "depends_on", "lifecycle", "provider"}  # fmt: skip
NUMBERS = re.compile(r"-?[0-9]+")
INTEGERS = {"replicas", "run_as_user", "run_as_group", "fs_group", "port", "target_port", "max_surge",
            "max_unavailable", "ttl_seconds_after_finished"}  # fmt: skip
MODES = {"default_mode", "mode"}
TEXTS = {"value", "cpu", "memory", "storage"}


def blocks(text: str) -> dict[Place, dict[str, Any]]:
    """The resources of a file as python-hcl2 reads them, by type and name, in its own form."""
    found: dict[Place, dict[str, Any]] = {}
    for each in hcl2.loads(text).get("resource", []):
        for kind, named in each.items():
            for name, body in named.items():
                found[bare(kind), bare(name)] = body
    return found


def objects(text: str) -> dict[Place, dict[str, Any]]:
    """The Kubernetes objects that the resources of a file make, as far as they are written in it."""
    found = {place: of_block(place[0], body) for place, body in blocks(text).items()}
    return {place: item for place, item in found.items() if item is not None}


def of_block(kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """The object that a resource makes; None where it makes none, or as a text."""
    if kind == "kubernetes_manifest":
        manifest = body.get("manifest")
        return plain(manifest) if isinstance(manifest, dict) else decoded(str(manifest))
    if kind == "kubectl_manifest":
        return decoded(str(body.get("yaml_body")))
    name = re.sub(r"_v\d+(beta\d+)?$", "", kind.removeprefix("kubernetes_"))
    if not kind.startswith("kubernetes_") or name in ("labels", "config_map_v1_data"):
        return None
    called = KINDS.get(name) or "".join(part.capitalize() for part in name.split("_"))
    made = mapping(body, "")
    if called == "Secret" and "data" in made:
        made["stringData"] = made.pop("data")
    if called == "DaemonSet" and "strategy" in made.get("spec", {}):
        made["spec"]["updateStrategy"] = made["spec"].pop("strategy")
    if name == "default_service_account":
        made["metadata"]["name"] = "default"
    return {"kind": called, **made}


def decoded(value: str) -> dict[str, Any] | None:
    """The manifest in a heredoc; None for what an expression makes."""
    found = re.fullmatch(r'(?:\$\{yamldecode\()?"<<-?(\w+)\n(.*\n)?[ \t]*\1"(?:\)\})?', value, re.S)
    made: dict[str, Any] | None = yaml.safe_load(textwrap.dedent(found[2])) if found is not None else None
    return made


def mapping(body: dict[str, Any], around: str) -> dict[str, Any]:
    """What a block says."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name.startswith(("__", "dynamic")) or name in KEPT:
            continue
        if not _is_blocks(value):
            found[camel(name)] = converted(name, value)
        elif name == "sources":
            found[name] = [{camel(kind): mapping(each, "projected")} for one in value for kind, items in one.items()
                           if not kind.startswith("__") for each in items]  # fmt: skip
        elif name == "persistent_volume_source":
            found |= mapping(value[0], name)
        elif name in LISTS and (around, name) not in SINGLE:
            found[LISTS[name]] = [mapping(each, name) for each in value]
        else:
            found[camel(name)] = mapping(value[0], name)
    return found


def _is_blocks(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) and "__is_block__" in x for x in value)


def converted(name: str, value: Any) -> Any:
    """The value of an attribute, of the type that Kubernetes has for it."""
    value = plain(value)
    if name in MODES:
        return int(value, 8)
    if name in INTEGERS and isinstance(value, str) and NUMBERS.fullmatch(value):
        return int(value)
    if name in TEXTS and isinstance(value, int):
        return str(value)
    return value


def plain(value: Any) -> Any:
    """A value of python-hcl2 without the quotes that it keeps around texts and keys."""
    if isinstance(value, dict):
        return {bare(key): plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return text_of(value) if isinstance(value, str) else value


def text_of(value: str) -> str:
    """A text, that of a heredoc without its marks and its indentation."""
    value = bare(value)
    found = re.fullmatch(r"<<-(\w+)\n(.*\n)[ \t]*\1", value, re.S)
    return textwrap.dedent(found[2]) if found is not None else value


def bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def camel(name: str) -> str:
    first, *others = name.split("_")
    return WORDS.get(name) or first + "".join(WORDS.get(part, part.capitalize()) for part in others)
