"""Commands of a script that make or change objects of a cluster which no manifest shows.

Sources: the commands of kubectl 1.36 and helm 3.19. What only reads, waits, or works in a pod that is there makes none;
every other command does, or is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from hardener.kubernetes.pods.kubectl_flags import may_make
from hardener.kubernetes.pods.shell import commands, runs

_CLIENTS = frozenset({"kubectl", "oc"})
_MAKES_NOTHING = frozenset({
    "annotate", "api-resources", "api-versions", "attach", "auth", "autoscale", "certificate", "cluster-info",
    "completion", "config", "cordon", "cp", "delete", "describe", "diff", "drain", "events", "exec", "explain", "get",
    "kustomize", "login", "logout", "logs", "options", "plugin", "port-forward", "proxy", "rollout", "scale", "status",
    "taint", "top", "uncordon", "version", "wait", "whoami", "project", "debug", "run",
})  # fmt: skip
"""Pods that `run` and `debug` start are read by ``kubectl_pods``, as far as flags open the node."""
_TAME = frozenset({
    "cm", "configmap", "namespace", "ns", "pdb", "poddisruptionbudget", "priorityclass", "quota", "resourcequota", "sa",
    "secret", "serviceaccount", "token",
})  # fmt: skip
"""What `create` may make by flags: nothing that runs, and no rights."""
_APPLIES = frozenset({"apply", "create", "replace", "patch"})
_FILES = frozenset({"-f", "--filename", "-k", "--kustomize"})
_WITH_VALUE = frozenset({
    "-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--as", "--as-group",
    "--token", "-o", "--output", "-l", "--selector", "--field-manager", "--request-timeout", "--timeout", "-v",
    "--dry-run", "--prune-allowlist", "--validate", "--cascade", "--grace-period", "--type", "-p", "--patch",
    "--patch-file", *_FILES,
})  # fmt: skip
_OF_HELM = frozenset({"install", "upgrade", "template"})
_CLIENT = re.compile(r"(?<![\w.-])(?:kubectl|oc|helm)(?=\s)")
_LONGEST = 10_000  # letters of a command
_GUARDS = frozenset({
    "clusterpolicies", "clusterpolicy", "constraints", "limitrange", "limitranges", "limits",
    "netpol", "networkpolicies", "networkpolicy", "quota", "resourcequota", "resourcequotas",
    "validatingadmissionpolicies", "validatingadmissionpolicy", "validatingadmissionpolicybinding",
    "validatingadmissionpolicybindings", "validatingwebhookconfiguration", "validatingwebhookconfigurations",
})  # fmt: skip
"""What protects others: to delete one is to change them."""
_ASSIGNED = re.compile(r"""(?:^|[\s;])(?:alias\s+)?\w+=["']?(?:\S*/)?(?:kubectl|oc)["']?(?=$|[\s;"'])""")


def commands_among(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The commands of a client in ``lines`` of whatever language, each with the index of its line: from its name to the
    end of the line, or of the text in quotes that it stands in."""
    held, first = "", 0
    for index, line in enumerate(lines):
        first = first if held else index
        held += line
        if held.endswith("\\") and len(held) < _LONGEST:
            held = held[:-1] + " "
            continue
        for found in _CLIENT.finditer(held):
            quote = held[found.start() - 1 : found.start()]
            end = held.find(quote, found.end()) if quote in ("'", '"') and quote else -1
            yield first, held[found.start() : end if end >= 0 else len(held)]
        held = ""


def unseen(command: str, is_judged: Callable[[str], bool]) -> Iterator[str]:
    """What ``command``, a line of a script, makes and no manifest shows, in words. ``is_judged`` tells of a file or
    folder whether it was read."""
    if not may_make(command) and not _APPLIES.intersection(command.split()):
        return
    if _ASSIGNED.search(command):
        yield "a variable or an alias stands for kubectl, so what it is called with is not known"
    for program, arguments in runs(commands((command,))):
        why = _of_run(program.rpartition("/")[2], arguments, is_judged)
        if why is not None:
            yield why


def _of_run(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    files, plain = _split(arguments)
    verb = plain[0] if plain else ""
    if program == "helm":
        return f"helm {verb} renders a chart" if verb in _OF_HELM else None
    is_client = program in _CLIENTS or "kubectl" in program.lower()
    if not is_client and not (verb in _APPLIES and files):
        return None  # another name of the client shows by what it is called with
    if verb == "delete" and _takes_a_guard(plain[1:]):
        return "kubectl delete takes away what protects others"
    return _of_client(verb, files, plain[1:2], is_judged) if verb and verb not in _MAKES_NOTHING else None


def _takes_a_guard(words: Sequence[str]) -> bool:
    """Whether ``delete`` with ``words`` names an object that protects others, by its kind or by kind and name."""
    kinds = [kind.partition(".")[0].lower() for word in words for kind in word.partition("/")[0].split(",")]
    return not _GUARDS.isdisjoint(kinds[:1] if all("/" not in word for word in words) else kinds)


def _of_client(verb: str, files: list[str], kind: list[str], is_judged: Callable[[str], bool]) -> str | None:
    """Why nobody sees what kubectl makes by ``verb`` of ``files``, or of the ``kind`` behind it."""
    if verb in _APPLIES - {"patch"} and files:
        return next((_of_file(verb, name) for name in files if not _is_named(name) or not is_judged(name)), None)
    if verb == "create" and not _TAME.isdisjoint(kind):
        return None
    return f"kubectl {verb} makes or changes an object by its flags"


def _of_file(verb: str, name: str) -> str:
    if name in ("-", "/dev/stdin"):
        return f"kubectl {verb} gets a manifest from its standard input"
    if "://" in name:
        return f"kubectl {verb} gets a manifest from an address"
    return f"kubectl {verb} gets a manifest from {name or 'a file'}, which is not known to be read"


def _is_named(name: str) -> bool:
    """Whether ``name`` is that of a file or folder, as it is written."""
    return bool(name) and name != "-" and not re.search(r"[$`*?{}()<>]|://", name)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files that are named by flags, and the words that are no flags and no values of them."""
    files: list[str] = []
    plain: list[str] = []
    position = 0
    while position < len(arguments) and arguments[position] != "--":
        word = arguments[position]
        position += 1
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        if name[:2] in ("-f", "-k") and len(name) > 2 and name[2] != "-" and not equals:
            name, equals, value = name[:2], "=", name[2:]
        if not equals and name in _WITH_VALUE:
            value = arguments[position] if position < len(arguments) else ""
            position += 1
        if name in _FILES:
            files += value.split(",")
    return files, plain
