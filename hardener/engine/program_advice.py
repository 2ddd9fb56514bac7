"""What is said of objects that programs make: new objects that only the program can make, values that it computes."""

from __future__ import annotations

import re
from collections.abc import Hashable

from msgspec.structs import replace

from hardener.authoring.edits import Create, Edit, Evidence, Finding, Grade, HostFile, dotted
from hardener.authoring.transform import Transform
from hardener.engine.document import applied_steps
from hardener.engine.index_shifts import as_read, shifts
from hardener.kubernetes.pods.pod_template import FRAGMENT
from hardener.sources.manifests import Piece
from hardener.sources.open_values import OpenList
from hardener.support.data_path import Path
from hardener.tree.core_views import OpaqueError, PodTemplate, View

ADVICE = "check what calls it, or write the value here"
MERGED = "the program, or what it calls, merges it into another pod; harden that one"
ELSEWHERE = "set what is left where the pod is made"
BY_HAND = "make this change by hand, or write the value where the program builds the object"
# What tells that a file is of a framework, an import or a kind of object, and what `harden hook` prints for it.
_HOOKS = (
    (re.compile(r"KubeSpawner"), "kubespawner", "a modify_pod_hook"),
    (re.compile(r"airflow(?:\..+)?"), "airflow", "a pod_mutation_hook"),
    (re.compile(r"pulumi(?:_kubernetes)?(?:\..+)?"), "pulumi", "a transform"),
    (re.compile(r"cdk8s(?:_plus_\d+)?(?:\..+)?|(?:\w+\.)*imports\.k8s"), "cdk8s", "a function"),
)
# What of a pod that is not known a hook may fill in, and what holds it.
_OF_HOOKS = frozenset(
    "spec template containers initContainers securityContext automountServiceAccountToken allowPrivilegeEscalation "
    "capabilities runAsNonRoot seccompProfile type".split()
)
_EXPRESSION = re.compile(r"\$\{[^{}]*\}")
_MERGED_BY = {"DagsterConfig": "Dagster merges it into the pods of its runs"}


def hook(piece: Piece, path: Path = ()) -> str:
    """What continues an advice where `harden hook` has something for the pods of ``piece``; "" where it has not, or
    where ``path`` is nothing that a hook fills in."""
    program = piece.file.program
    if program is None or (path and isinstance(path[-1], str) and path[-1] not in _OF_HOOKS):
        return ""
    names = [*(str(item.get("kind")) for item in program.documents), *(each.module for each in program.imports)]
    names += [name.qualified for each in program.imports for name in each.names]
    for pattern, name, what in _HOOKS:
        if any(map(pattern.fullmatch, names)):
            return f"; harden hook {name} prints {what} that fills in what each pod leaves open"
    return ""


def lacking(transform: Transform, target: View, edits: list[Edit]) -> Finding:
    """That the step ``edits`` of a program is not made, since it takes new objects: nothing is applied beside it."""
    new = [edit for edit in edits if isinstance(edit, Create)]
    made = "its resource" if target.object.piece.is_object else target.object
    describe = _kind_of if "$" in target.object.name else _named  # a name made of an expression helps nobody
    names = " and ".join(dict.fromkeys(map(describe, new)))
    kinds = " and ".join(dict.fromkeys(_kind(edit) for edit in new))
    is_block = target.object.piece.is_object
    them = "it" if len(new) == 1 else "them"
    return target.finding(
        f"{transform.summary} Not applied: it takes {names}, which has to be made where {made} is made",
        advice=f"make {them} in the same module and namespace" if is_block else
        f"let the program make {them}, or apply {them} as YAML",
        severity=transform.severity,
        topic=f"object of {'Terraform' if is_block else 'a program'} that needs a {kinds} beside it",
    )  # fmt: skip


def _kind(edit: Create) -> str:
    return f"file {edit.topic}" if isinstance(edit, HostFile) else str(edit.value.get("kind"))


def _kind_of(edit: Create) -> str:
    return f"a {_kind(edit)}"


def _named(edit: Create) -> str:
    metadata = edit.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return _kind_of(edit) + (f" {name}" if name else "")


def doubted(edits: list[Edit], target: View) -> list[Edit]:
    """``edits`` of a pod that a program may give more than is written here; of any other target as they are."""
    sign = _MERGED_BY.get(target.object.kind) if target.object.group == FRAGMENT else None
    if sign is None and isinstance(target, PodTemplate):
        sign = _more_containers(target)
    if sign is None:
        return edits
    return [
        replace(edit, grade=Grade.REVIEW, evidence=(*edit.evidence, Evidence(sign)))
        if edit.grade is Grade.SAFE
        else edit
        for edit in edits
    ]


def _more_containers(pod: PodTemplate) -> str | None:
    for key in ("initContainers", "containers"):
        found = pod.data.get(key)
        if isinstance(found, OpenList):
            return f"{'Terraform' if pod.object.piece.is_object else 'the program'} may add {key}: {found.why}"
    return None


def unknown(piece: Piece, path: Path, error: OpaqueError) -> tuple[Hashable, str]:
    """What keeps the value at ``path`` of a program, as it is now, from being known: what tells the expression from all
    others of the run, and a text with the expression and its line.

    ``error`` is what the view said: of a mapping or list that may get more it names the place already.
    """
    from hardener.sources.python.model import Opaque  # late: few trees hold any

    program = piece.file.program
    read = as_read(path, len(applied_steps(piece)), shifts(piece))
    if program is None or not read:
        return (piece, path), str(error)
    if program.text_at(int(read[0])) is not None:
        return (piece, read[0], error.expression), f"{error}, which the program fills in"
    node, _, depth = program.find(int(read[0]), read[1:])
    if not isinstance(node, Opaque):
        return (piece, error.expression), str(error)
    place = dotted(read[1 : 1 + depth])
    where = "" if "(line " in node.reason else f" (line {piece.line + node.line})"
    return (piece, node.start, node.reason), f"{place} is {node.reason}: {_shown(node.text)}{where}"


def _shown(text: str) -> str:
    """The expression of a value that is nothing else; the whole text of one with known parts, and of one that holds
    more than a word its expressions alone: a script is long, and may hold secrets."""
    if text.startswith("${") and text.find("}") == len(text) - 1:
        return text[2:-1]
    if any(map(str.isspace, _EXPRESSION.sub("", text))):
        text = "...".join(["", *dict.fromkeys(_EXPRESSION.findall(text)), ""])
    return f'f"{text.replace("${", "{")}"'
