"""Kubernetes objects in Terraform: what the provider makes of an edit, and the blocks of new objects."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hardener.authoring.edits import Create, Drop, Edit, Evidence, Grade, HostFile, Set, copied, dotted, replay
from hardener.engine.document import NewBlock, applied_steps, document
from hardener.engine.index_shifts import as_read, shifts
from hardener.kubernetes.pods.pod_template import POD_KINDS, templates
from hardener.sources.manifests import Piece
from hardener.sources.terraform_names import HEAD
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate, View

if TYPE_CHECKING:
    from hardener.sources.terraform.manifest_text import ManifestText
    from hardener.sources.terraform.object_block import ObjectBlock
    from hardener.tree.tree import Tree

ADVICE = "write the value here, or name a local or a variable that has one value"
BY_HAND = "make this change by hand, or write the value in the block"
_NON_ROOT = ("securityContext", "runAsNonRoot")
_WHY = "the provider sends run_as_non_root = false for a container with a security_context that does not say it"
_LABEL = re.compile(r"\W+")


def spelled_out(edits: list[Edit]) -> list[Edit]:
    """``edits``, with those that the provider makes necessary: a container with a `security_context` inherits no
    `run_as_non_root` from its pod, so it says it itself."""
    pieces = {edit.piece: None for edit in edits if edit.piece.language == "hcl" and not isinstance(edit, Create)}
    for piece in pieces:
        if piece.fills_in:
            edits = _of_piece(piece, edits)
    return edits


def _of_piece(piece: Piece, edits: list[Edit]) -> list[Edit]:
    own = [edit for edit in edits if edit.piece is piece and not isinstance(edit, Create)]
    if piece.data[0].get("kind") not in POD_KINDS or not any(_touches(edit) for edit in own):
        return edits
    after = copied(piece.data)
    replay(after, own)
    new: list[Edit] = []
    dropped: set[int] = set()
    for template in templates(after[0]):
        spec = _at(after[0], (*template, "spec"))
        if not isinstance(spec, dict) or not _says_non_root(spec):
            continue
        for path, container in _containers(spec):
            context = container.get("securityContext")
            if isinstance(context, dict) and context and context.get("runAsNonRoot") is None:
                place = (0, *template, "spec", *path, *_NON_ROOT)
                gone: list[Edit] = [edit for edit in own if isinstance(edit, Drop) and edit.path == place]
                dropped.update(map(id, gone))
                new.append(_companion(place, gone or own))
    return [edit for edit in edits if id(edit) not in dropped] + new


def _touches(edit: Edit) -> bool:
    if "securityContext" in edit.path:
        return True
    value = getattr(edit, "value", None)
    return isinstance(value, dict) and ("securityContext" in value or "runAsNonRoot" in value)


def _says_non_root(spec: dict[str, Any]) -> bool:
    context = spec.get("securityContext")
    return isinstance(context, dict) and context.get("runAsNonRoot") is True


def _containers(spec: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for key in ("initContainers", "containers"):
        listed = spec.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, dict):
                yield (key, index), item


def _companion(place: Path, edits: list[Edit]) -> Edit:
    """True at ``place``, by the reason of the edit that makes it necessary: that of its container, or of its pod."""
    near = [edit for edit in edits if edit.path[: len(place) - 2] == place[:-2]]
    edit = (near or [each for each in edits if "securityContext" in each.path] or edits)[0]
    return Set(
        piece=edit.piece, path=place, value=True, grade=edit.grade, basis=edit.basis,
        evidence=(Evidence(_WHY), *edit.evidence), late=edit.late, impact=edit.impact, requires=edit.requires,
        follow_up=edit.follow_up, type_name="SecurityContext", typed=len(place) - 1,
    )  # fmt: skip


def _at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
    return value


def _read(piece: Piece) -> ObjectBlock | ManifestText:
    return piece.file.object_of(piece)


def unknown(piece: Piece, path: Path, error: OpaqueError) -> tuple[Hashable, str]:
    """What keeps the value at ``path``, as it is now, from being known, in words; and what tells it from others: the
    expression in its file."""
    read = as_read(path, len(applied_steps(piece)), shifts(piece))
    root = getattr(_read(piece), "root", None) if read and not piece.is_new else None
    if root is not None:
        from hardener.sources.terraform.objects import find  # late: few trees hold any

        part, depth = find(root, read[1:])
        text = part.node.data
        if part.form == "fixed" and isinstance(text, list):
            place = dotted(read[1 : 1 + depth])
            return (piece.file.path, part.why), f"{place} is made by {part.why}, which Terraform fills in"
        if part.form == "fixed" and isinstance(text, str) and isinstance(part.data, str):
            shown = text[2:-1] if text.startswith("${") and text.endswith("}") else f'"{text}"'
            place = dotted(read[1 : 1 + depth])
            return (piece.file.path, text), f"{place} is {' '.join(shown.split())}, which Terraform fills in"
    return (piece.file.path, str(error)), f"{error}, which Terraform fills in"


def doubted(edits: list[Edit], target: View) -> list[Edit]:
    """``edits`` of a pod or container that leans on the default of a variable, which a run may set; of any other target
    as they are."""
    if not any(edit.grade is Grade.SAFE for edit in edits):
        return edits
    sign = next(_parameters(target), None) if isinstance(target, PodTemplate | Container) else None
    if sign is None:
        return edits
    return [
        replace(edit, grade=Grade.REVIEW, evidence=(*edit.evidence, sign)) if edit.grade is Grade.SAFE else edit
        for edit in edits
    ]


def _parameters(target: PodTemplate | Container) -> Iterator[Evidence]:
    """The images and commands of ``target`` that are the default of a variable."""
    piece = target.object.piece
    root = None if piece.is_new else getattr(_read(piece), "root", None)
    if root is None:
        return
    from hardener.sources.terraform.objects import find  # late: few trees hold any

    keys: tuple[str, ...] = ("containers", "initContainers") if isinstance(target, PodTemplate) else ("",)
    start = as_read(target.path, len(applied_steps(piece)), shifts(piece))
    for key in keys:
        listed, depth = find(root, (*start[1:], key) if key else start[1:])
        if depth < len(start) - 1 + bool(key):
            continue
        for container in listed.children.values() if key else [listed]:
            for name in ("image", "command", "args"):
                part = container.children.get(name)
                texts = [part, *part.children.values()] if part is not None else []
                for each in texts:
                    said = each.node.data
                    if each.form == "fixed" and isinstance(said, str) and piece.file.is_parameter(said):
                        shown = said[2:-1] if said.startswith("${") else said
                        yield Evidence(f"{name} is {shown}, and whoever runs Terraform may set the variable")


# New objects.


def has_no_place(edits: list[Edit]) -> bool:
    """Whether a new object cannot be made beside that of its edit: its block makes several, or one whose name or
    namespace, from which its own come, is not known."""
    return any(
        isinstance(edit, Create) and not isinstance(edit, HostFile) and edit.piece.language == "hcl" and _is_open(edit)
        for edit in edits
    )


def _is_open(edit: Create) -> bool:
    piece = edit.piece
    if piece.is_new:
        return False
    body = _read(piece).parsed.documents[0]
    names = [_at(piece.data[0], ("metadata", key)) for key in ("namespace", "name")]
    return "count" in body or "for_each" in body or any(isinstance(name, str) and "${" in name for name in names)


def draft(tree: Tree, edit: Create) -> Object:
    """The object that ``edit`` makes, as a block behind the one of the edit; the tree does not know it yet."""
    before = edit.piece
    lines = before.line + before.text.count("\n") + (not before.text.endswith("\n"))
    piece = Piece(before.file, before.end, before.end, lines, [edit.value], parsed=True, is_new=True, is_object=True)
    document(piece).home = _home(edit)
    return Object(tree, piece, (0,), edit.value)


def _home(edit: Create) -> NewBlock:
    from hardener.sources.terraform.provider import MANIFESTS, resource_of  # late: few trees hold any

    before, value = edit.piece, edit.value
    kind = "kubernetes_manifest"
    if before.is_new:
        home = document(before).home
        assert home is not None
        own, meta, expressions = (
            home.kind,
            home.meta,
            {path: (text, home.value_of(text[2:-1])) for path, text in home.texts.items()},
        )
    else:
        body = _read(before).parsed.documents[0]
        own, expressions = body[HEAD][1], _texts(before, body[HEAD])
        meta = {"provider": body["provider"]} if "provider" in body else {}
    if own == "kubectl_manifest":
        kind, expressions = own, {}  # YAML in a text, which holds no reference
    elif own not in MANIFESTS:
        found = resource_of(str(value.get("apiVersion")), str(value.get("kind")), versioned=own.endswith("_v1"))
        kind = found.type if found is not None else kind
    namespace = _at(value, ("metadata", "namespace"))
    texts = {path: text for path, (text, known) in expressions.items() if known == (namespace,)}
    module = before.file.module
    label = _label(before, kind, value)
    values = {text[2:-1]: (namespace,) for text in texts.values()}

    def value_of(expression: str) -> tuple[Any] | None:
        return values.get(expression) or (module.value(expression) if module is not None else None)

    return NewBlock(kind, label, meta, texts, value_of)


def _texts(before: Piece, head: list[str]) -> dict[Path, tuple[str, tuple[Any] | None]]:
    """The expression that names the namespace of the object in ``before``, with its value."""
    read = _read(before)
    if not hasattr(read, "root"):  # YAML in a text, in which no expression is known
        return {}
    metadata = read.root.children.get("metadata")
    name = "namespace" if before.data[0].get("kind") != "Namespace" else "name"
    part = metadata.children.get(name) if metadata is not None else None
    if part is None or not isinstance(part.data, str) or "${" in part.data:
        return {}
    if name == "name":
        inner = "manifest.metadata.name" if head[1] == "kubernetes_manifest" else "metadata[0].name"
        return {("metadata", "namespace"): ("${" + f"{head[1]}.{head[2]}.{inner}" + "}", (part.data,))}
    if part.node.form == "expression" and isinstance(part.node.data, str) and part.node.data.startswith("${"):
        return {("metadata", "namespace"): (part.node.data, (part.data,))}
    return {}


def _label(before: Piece, kind: str, value: dict[str, Any]) -> str:
    """A name for the block that no other of its type has in its folder."""
    owner = tuple(str(_at(value, ("metadata", key)) or "") for key in ("namespace", "name"))
    label = _LABEL.sub("_", owner[1]).strip("_") or "harden"
    label = label if not label[0].isdigit() else f"_{label}"
    module = before.file.module
    return label if module is None else module.label(kind, label, (str(value.get("kind")), *owner))
