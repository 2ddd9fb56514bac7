"""Pods that kubectl commands of a script start, as far as the command line shows them.

Source: the options of kubectl run and kubectl debug (kubectl 1.3x): ``--overrides`` is merged over the pod that the
other flags describe, lists as a whole; ``--profile=sysadmin`` is privileged; a debug pod of a node has its namespaces
and its file system in every profile but baseline and restricted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hardener.kubernetes.pods.shell import commands, runs

_STARTING = frozenset({"run", "create", "debug", "apply", "expose"})
_WITH_VALUE = frozenset({
    "-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--as", "--token",
    "--image", "--overrides", "--override-type", "--profile", "-f", "--filename", "-k", "--kustomize", "-l", "--labels",
    "--env", "--port", "--restart", "--annotations", "-c", "--container", "--target", "--copy-to", "--custom", "-o",
    "--output", "--image-pull-policy", "--pod-running-timeout", "--timeout", "--grace-period", "--serviceaccount",
})  # fmt: skip
_DANGEROUS = re.compile(r"""\\?"(privileged|hostPID|hostIPC|hostNetwork)\\?"\s*:\s*true|\\?"(hostPath)\\?"\s*:""")
_KEY = re.compile(r"""^\s*(?:-\s+)?(?:["']?[\w.-]*(?:run|script|cmds?|commands?|shell)["']?\s*:\s*)?(?:-\s+)?""")
_LONGEST = 40  # lines of a command
_TAME_PROFILES = ("baseline", "restricted")


class Started(Struct, frozen=True):
    """A pod that a command starts: ``command`` is how it begins, ``pod`` is the pod as plain data, or None where only
    ``sign`` says what it is ("--profile=sysadmin")."""

    command: str
    pod: dict[str, Any] | None = None
    sign: str | None = None


def started(script: str) -> Iterator[Started]:
    """The pods that the kubectl commands of ``script`` start by their flags; files that they apply are not read."""
    for program, arguments in runs(commands((script,))):
        if program == "kubectl":
            found = _started(arguments)
            if found is not None:
                yield found


def pipeline_commands(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The kubectl commands in the lines of a pipeline written in YAML, each with the index of its first line: after
    `run:`, as an item of `script:`, or in a block."""
    position = 0
    while position < len(lines):
        first = position
        text = _KEY.sub("", lines[position]).rstrip()
        if text[:1] in ("'", '"') and text[:1] == text[-1:]:
            text = text[1:-1]
        position += 1
        if "kubectl" not in text or text.lstrip().startswith("#"):
            continue
        while position < len(lines) and position < first + _LONGEST and _goes_on(text):
            text = f"{text[:-1].rstrip()} {lines[position]}" if text.endswith("\\") else f"{text}\n{lines[position]}"
            position += 1
        yield first, text


def _goes_on(text: str) -> bool:
    return text.endswith("\\") or text.count("'") % 2 == 1 or text.replace('\\"', "").count('"') % 2 == 1


def _started(arguments: list[str]) -> Started | None:
    flags, plain = _split(arguments)
    if not plain or plain[0] not in _STARTING:
        return None
    sub, names = plain[0], plain[1:]
    command = " ".join(("kubectl", sub, *names[:1]))
    privileged = flags.get("--privileged") in ("", "true")
    profile = flags.get("--profile")
    if sub == "debug":
        if profile == "sysadmin":
            return Started(command, sign="--profile=sysadmin is a privileged container")
        if names and names[0].partition("/")[0] in ("node", "no", "nodes") and profile not in _TAME_PROFILES:
            return Started(command, sign="a debug pod of a node has the namespaces and the files of the node")
        return None
    if "--overrides" not in flags:
        return Started(command, _pod(flags, names, privileged)) if privileged else None
    text = flags["--overrides"]
    overrides = _read(text)
    if overrides is None:
        sign = _DANGEROUS.search(text)
        said = f"--overrides asks for {sign[1] or sign[2]}" if sign else None
        return Started(command, sign=said) if said else None
    return Started(command, _merged(_pod(flags, names, privileged), overrides))


def _split(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Flags with their values ("" without one), and the words that are none, up to ``--``."""
    flags: dict[str, str] = {}
    plain: list[str] = []
    position = 0
    while position < len(arguments) and arguments[position] != "--":
        name, equals, value = arguments[position].partition("=")
        position += 1
        if not name.startswith("-"):
            plain.append(arguments[position - 1])
            continue
        if not equals and name in _WITH_VALUE and position < len(arguments):
            value = arguments[position]
            position += 1
        flags[name] = value
    return flags, plain


def _pod(flags: Mapping[str, str], names: list[str], privileged: bool) -> dict[str, Any]:
    name = names[0] if names else "pod"
    container: dict[str, Any] = {"name": name, "image": flags.get("--image", "")}
    if privileged:
        container["securityContext"] = {"privileged": True}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}}


def _read(text: str) -> dict[str, Any] | None:
    for candidate in (text, text.replace('\\"', '"')):  # between double quotes those of JSON are escaped
        try:
            found = json.loads(candidate)
        except ValueError:
            continue
        return found if isinstance(found, dict) else None
    return None


def _merged(below: Any, above: Any) -> Any:
    """JSON Merge Patch (RFC 7386)."""
    if not isinstance(above, dict):
        return above
    merged = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
