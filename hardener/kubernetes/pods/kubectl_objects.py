"""Commands of a script that make or change objects of a cluster which no manifest shows.

Sources: the commands of kubectl 1.36 and helm 3.19; the references of argocd (argo-cd.readthedocs.io), flux
(fluxcd.io), kapp (carvel.dev), istioctl (istio.io); the paths of the API
(kubernetes.io/docs/reference/using-api/api-concepts). What only reads, waits, or works in a pod that is there makes
none; every other command of a client does, or is not known.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence

from hardener.kubernetes.pods.kubectl_flags import may_make
from hardener.kubernetes.pods.shell import commands, runs

_CLIENTS = frozenset({"kubectl", "oc"})
_MAKES_NOTHING = frozenset({
    "annotate", "api-resources", "api-versions", "attach", "auth", "autoscale", "certificate", "cluster-info",
    "completion", "config", "cordon", "cp", "delete", "describe", "diff", "drain", "events", "exec", "explain", "get",
    "krew", "kustomize", "login", "logout", "logs", "options", "plugin", "port-forward", "proxy", "rollout", "scale",
    "status", "taint", "top", "uncordon", "version", "wait", "whoami", "project", "debug", "run",
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
# Other programs, and what they are called with to make objects; "--export" of flux only prints them.
_INSTALLERS: dict[str, frozenset[str]] = {
    "argocd": frozenset({"app create", "appset create"}),
    "flux": frozenset({"install", "bootstrap", "create"}),
    "istioctl": frozenset({"install"}),
}
_PRINTS = frozenset({"--export", "--dry-run"})
# Programs that run kubectl for their caller, here or elsewhere; an engine of containers by the name of its image.
_LAUNCHERS = frozenset({"k3s", "k0s", "rke2", "microk8s", "minikube", "ssh", "docker", "podman", "nerdctl"})
_REQUESTS = frozenset({"curl", "wget"})
_API = re.compile(
    r"/api/v1/(?:namespaces|pods|nodes|secrets|serviceaccounts|persistentvolumes)(?=[/?\s]|$)"
    r"|/apis/[\w.-]+/v\d\w*/\w+"
)
_WRITES = re.compile(
    r"-X[ =]?(?:POST|PUT|PATCH|DELETE)|--(?:request|method)[ =](?:POST|PUT|PATCH|DELETE)"
    r"|(?:^|(?<=\s))(?:-d|--data[\w-]*|--json|-T|--upload-file|--post-(?:data|file)|--body-(?:data|file))(?=[ =@]|$)"
)
_CLIENT = re.compile(r"(?<![\w.-])(?:kubectl|oc|helm)(?=\s)")
_ADDRESS = "from an address"
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


_INSTRUCTION = re.compile(r"\s*(?:ONBUILD\s+)?(?:RUN|CMD|ENTRYPOINT)\s+(?:--\w[\w-]*(?:=\S+)?\s+)*", re.IGNORECASE)
_MAKING = re.compile(r"\b(?:apply|create|replace|patch|install|upgrade|deploy|bootstrap)\b")
_HEREDOC = re.compile(r"""<<-?["']?(\w+)["']?""")


def image_commands(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The commands of a Dockerfile that may make objects, each with the index of its line: of what RUN, CMD and
    ENTRYPOINT run, a here-document as a whole."""
    position = 0
    while position < len(lines):
        first, text = position, lines[position]
        position += 1
        while text.endswith("\\") and position < len(lines) and len(text) < _LONGEST:
            text, position = text[:-1] + " " + lines[position], position + 1
        found = _INSTRUCTION.match(text)
        if found is None:
            continue
        text = text[found.end() :]
        if (heredoc := _HEREDOC.match(text)) is not None:
            ends = (at for at in range(position, len(lines)) if lines[at].strip() == heredoc[1])
            end = next(ends, len(lines))
            text, position = "\n".join(lines[position:end]), end + 1
        if _MAKING.search(text):
            yield first, _as_shell(text)


def _as_shell(text: str) -> str:
    """A command that may be written as a list in JSON."""
    try:
        words = json.loads(text) if text.startswith("[") else None
    except ValueError:
        return text
    return shlex.join(map(str, words)) if isinstance(words, list) else text


def unseen(command: str, is_judged: Callable[[str], bool]) -> Iterator[str]:
    """What ``command``, a line of a script, makes and no manifest shows, in words. ``is_judged`` tells of a file or
    folder whether it was read."""
    if not may_make(command) and not _APPLIES.intersection(command.split()):
        return
    if _ASSIGNED.search(command):
        yield "a variable or an alias replaces kubectl, so what it is called with is not known"
    for program, arguments in runs(commands((command,))):
        why = _of_run(program.rpartition("/")[2], arguments, is_judged)
        if why is not None:
            yield why


def from_addresses(words: Sequence[str]) -> Iterator[str]:
    """What a container that runs ``words`` has applied from an address, in words."""
    for program, arguments in runs(commands(words)):
        why = _of_run(program.rpartition("/")[2], arguments, lambda name: True)
        if why is not None and why.endswith(_ADDRESS):
            yield why


def _of_run(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    if (inner := _launched(program, arguments)) is not None:
        return _of_run("kubectl", inner, is_judged) if _APPLIES.intersection(_split(inner)[1][:1]) else None
    files, plain = _split(arguments)
    verb = plain[0] if plain else ""
    if program in _OTHERS:
        return _OTHERS[program](program, arguments, is_judged)
    is_client = program in _CLIENTS or "kubectl" in program.lower()
    if not is_client and not (verb in _APPLIES and files):
        return None  # another name of the client shows by what it is called with
    if verb == "delete" and _takes_a_guard(plain[1:]):
        return "kubectl delete takes away what protects others"
    return _of_client(verb, files, plain[1:2], is_judged) if verb and verb not in _MAKES_NOTHING else None


def _launched(program: str, arguments: Sequence[str]) -> Sequence[str] | None:
    """What kubectl is called with by a program that runs it, or within a pod that it works in; None where it is not."""
    is_exec = program in _CLIENTS and "exec" in arguments and "--" in arguments
    if not is_exec and program not in _LAUNCHERS:
        return None
    behind = arguments[arguments.index("--") + 1 :] if is_exec else arguments
    for position, word in enumerate(behind):
        if word.rpartition("/")[2].partition(":")[0].partition("@")[0] == "kubectl":
            return [each for each in behind[position + 1 :] if each != "--"]
    return None


def _of_chart(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    _, plain = _split(arguments)
    return f"helm {plain[0]} renders a chart" if plain and plain[0] in _OF_HELM else None


def _of_kapp(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    files, plain = _split(arguments)
    return _of_client("apply", files, [], is_judged) if plain[:1] == ["deploy"] and files else None


def _of_installer(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    _, plain = _split(arguments)
    called = next((each for each in (" ".join(plain[:2]), *plain[:1]) if each in _INSTALLERS[program]), None)
    if called is None or any(each.partition("=")[0] in _PRINTS for each in arguments):
        return None
    return f"{program} {called} makes objects that no manifest shows"


def _of_request(program: str, arguments: Sequence[str], is_judged: Callable[[str], bool]) -> str | None:
    """A request that writes to the API of Kubernetes, by its path."""
    if not any(_API.search(word) for word in arguments) or not _WRITES.search(" ".join(arguments)):
        return None
    return f"{program} sends an object to the API server"


_Reader = Callable[[str, Sequence[str], Callable[[str], bool]], str | None]
_OTHERS: dict[str, _Reader] = {
    "helm": _of_chart,
    "kapp": _of_kapp,
    **dict.fromkeys(_INSTALLERS, _of_installer),
    **dict.fromkeys(_REQUESTS, _of_request),
}


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
        return f"kubectl {verb} gets a manifest {_ADDRESS}"
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
