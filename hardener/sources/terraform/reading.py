"""Which blocks of a Terraform file stand for Kubernetes objects, and what the expressions in it name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hardener.sources import files
from hardener.sources.block_names import HEAD
from hardener.sources.files import Content, UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.source import Around, Problem, Reader, Reading, unreadable
from hardener.sources.terraform.source import OBJECTS, SOURCE, Home
from hardener.sources.yaml import TextError
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from hardener.sources.terraform.manifest_text import ManifestText
    from hardener.sources.terraform.module import Module
    from hardener.sources.terraform.object_block import ObjectBlock


NAMESPACE = late_pattern(r'\bnamespace"?[ \t]*=[ \t]*"([a-z0-9][a-z0-9-]*)"')

_WORDS = (
    "aws_iam_", "aws_eks_", "aws_launch_template", "aws_launch_configuration", "aws_instance", "aws_autoscaling_group",
    "terraform-aws-modules/eks", "terraform-aws-modules/terraform-aws-eks", "terraform-aws-eks-blueprints",
    "aws-ia/eks-blueprints/aws",
    "google_container_",
    "azurerm_kubernetes_cluster", "azurerm_monitor_diagnostic_setting", "helm_release", '"kubernetes_',
    '"kubectl_manifest"',
)  # fmt: skip
# Modules of a registry for the providers that make pods: "acme/redis/kubernetes".
_MODULE = late_pattern(r"""\bsource\s*=\s*"(?:[\w.-]+/){2,3}(?:kubernetes|helm)(?://[^"]*)?\"""")
# The blocks and the attribute of which a configuration of Terragrunt has at least one (docs.terragrunt.com, "HCL").
_TERRAGRUNT = late_pattern(
    r"^(?:inputs[ \t]*=|(?:terraform|include|dependency|remote_state|generate)\b[^=\n]*\{)", re.M
)


# What a module or a command of anybody may hold, and resources of other providers that apply manifests or charts.
_INSTALLS = late_pattern(
    r"^[ \t]*module[ \t]+\"|\"module\"[ \t\r\n]*:|\bkubectl\b|\bhelm[ \t]"
    r"|\"(?:argocd|carvel|flux|k8s|k8sraw|kapp|kustomization|kustomize|rancher2)_\w+\"",
    re.M,
)


def may_install(text: str) -> bool:
    """Whether a file may bring objects to a cluster in a way that does not show in it."""
    return bool(_INSTALLS.search(text))


def is_interesting(text: str) -> bool:
    """Whether a file can hold a resource of a cluster, its nodes or their rights."""
    return any(word in text for word in _WORDS) or bool(_MODULE.search(text))


def is_terragrunt(text: str) -> bool:
    """Whether a file in HCL is a configuration of Terragrunt; other tools have files of that ending."""
    return bool(_TERRAGRUNT.search(text))


def first_line(text: str) -> int:
    """The first line, from 1, that names a resource of interest."""
    first = min((at for word in _WORDS if (at := text.find(word)) >= 0), default=0)
    return text.count("\n", 0, first) + 1


NATIVE = (".tf", ".tofu")
_NOT_LOOKED_AT = "a manifest in Terraform is not looked at: {}"
_OTHERS = {
    ".json": (
        "terraform-json", "Terraform as JSON, which is not read",
        "write it in the native syntax, or correct it by hand",
    ),
    ".hcl": (
        "terragrunt", "a configuration of Terragrunt, which is not read",
        "harden the module that it calls, and check by hand what its inputs set",
    ),
}  # fmt: skip


class Kept(Struct, eq=False):
    """What is kept of a Terraform file: what its expressions name, the blocks that stand for objects as read, and the
    heads of those that the run makes."""

    module: Module | None
    objects: dict[Piece, ObjectBlock | ManifestText] = field(default_factory=dict)
    homes: dict[Piece, Home] = field(default_factory=dict)

    def value_of(self, expression: str) -> tuple[Any] | None:
        """The one value that an expression names; None where it is not known."""
        return self.module.value(expression) if self.module is not None else None

    def is_parameter(self, text: str) -> bool:
        """Whether an expression in ``text`` comes to the default of a variable, which whoever runs it may set."""
        return self.module is not None and self.module.is_parameter(text)

    def reference(self, kind: str, namespace: str | None, name: str) -> str | None:
        """The expression for the name of an object that the run makes in this module; None for any other."""
        return self.module.reference(kind, namespace, name) if self.module is not None else None


class Files(Reader):
    """The Terraform files of a tree, with the modules that their folders are."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._modules: dict[str, Module] = {}  # by folder
        self._texts: list[tuple[str, str]] | None = None

    def read(self, path: str, name: str, *, editable: bool, within: str) -> Reading:
        try:
            content = files.read(path)
        except UnreadableError as error:
            return unreadable(error, path, name, editable=editable)
        is_hcl = path.endswith(".hcl")
        installs = may_install(content.text) or (is_hcl and "source" in content.text)
        is_wanted = is_interesting(content.text) or (editable and self._around.is_gate and installs)
        if not is_wanted or (is_hcl and not is_terragrunt(content.text)):
            return Reading(passed="no-manifest")
        if path.endswith(NATIVE):
            return self._native(path, name, content, editable=editable)
        if not editable:
            return Reading()
        id, message, advice = _OTHERS[".hcl" if is_hcl else ".json"]
        return Reading(problems=[Problem(id, path, name, message, advice, first_line(content.text))])

    def _native(self, path: str, name: str, content: Content, *, editable: bool) -> Reading:
        file = ManifestFile(path, name, content, editable, source=SOURCE, kept=Kept(self._module(path)))
        problems = [*read_blocks(file, self._around.judges), *_unread(file)]
        return Reading(file, NAMESPACE.findall(content.text), problems if editable else ())

    def _module(self, path: str) -> Module:
        """What the expressions of the files beside ``path`` name."""
        from hardener.sources.terraform.module import Module  # late: few trees hold any

        folder = os.path.dirname(path)
        if folder not in self._modules:
            self._modules[folder] = Module(folder, self._module_files)
        return self._modules[folder]

    def _module_files(self) -> list[tuple[str, str]]:
        """The real paths and texts of the Terraform files of the tree."""
        if self._texts is None:
            self._texts = []
            for path, _ in self._around.walk(NATIVE):
                try:
                    self._texts.append((path, files.read(path).text))
                except UnreadableError:
                    continue
        return self._texts


def read_blocks(file: ManifestFile, judges: Callable[[str], bool]) -> list[Problem]:
    """Cut ``file`` into the blocks at its top, each with the lines before it; and the blocks whose changes Terraform is
    told to ignore. ``judges`` tells of a path whether the file there is read for its manifests."""
    from hardener.sources.terraform.manifest_text import given  # late: few files come this far
    from hardener.sources.terraform.objects import Reader, ignored
    from hardener.sources.terraform.parsed import parse

    text, problems = file.content.text, []
    try:
        parsed = parse(text)
    except TextError as refused:
        problem = ("broken-document", refused.reason, "correct it: terraform validate", refused.line or 1)
        file.pieces.append(Piece(file, 0, len(text), 0, problem=problem))
        return []
    reader = Reader(file.kept.value_of)
    for (start, end, line), document, block in zip(parsed.extents(), parsed.documents, parsed.blocks, strict=True):
        if block.twice is not None:
            file.pieces.append(Piece(file, start, end, line, problem=_set_twice(*block.twice, line)))
            continue
        made = reader.read(document[HEAD], block)
        if made is not None:
            file.pieces.append(Piece(file, start, end, line, [made.data], parsed=True, source=OBJECTS))
            if (said := ignored(block)) is not None:
                problems.append(_ignored(file, *said))
            continue
        piece = Piece(file, start, end, line, [document], parsed=True)
        file.pieces.append(piece)
        if (node := given(document[HEAD], block)) is not None:
            _read_manifest(piece, node.row + 1, str(node.data), judges)
    return problems


def _set_twice(row: int, name: str, first: int) -> tuple[str, str, str, int]:
    """The problem of a block in which ``row`` sets ``name`` again; ``first`` is the first row of its piece."""
    reason = f"the argument {name} is set twice in one block, which Terraform refuses; nothing of the block is read"
    return "broken-document", reason, "keep one of the two: terraform validate names them", row - first + 1


def _ignored(file: ManifestFile, line: int, what: str) -> Problem:
    message = f"Terraform ignores changes of {what} here, so it would not make those that harden writes"
    advice = "take it out of ignore_changes, or have Terraform replace the object"
    return Problem("terraform-ignored", file.path, file.name, message, advice, line)


def _unread(file: ManifestFile) -> list[Problem]:
    advice = "write it as an object or in a heredoc, or harden what it is made of"
    return [
        Problem("terraform-manifest", file.path, file.name, _NOT_LOOKED_AT.format(reason), advice, line)
        for line, reason in file.unread
    ]


def _read_manifest(piece: Piece, line: int, text: str, judges: Callable[[str], bool]) -> None:
    """Read the manifest that a block holds in the expression ``text``: as YAML, or from a file, which is read by
    itself."""
    from hardener.sources.terraform import object_block
    from hardener.sources.terraform.manifest_text import file_of

    file = piece.file
    name = file_of(text)
    if name is not None and judges(os.path.join(os.path.dirname(file.path), name)):
        return
    try:
        found = object_block.read(piece.text, file.kept.value_of)
    except TextError as refused:
        file.unread.append((piece.line + (refused.line or 1), refused.reason))
        return
    if found is None:
        file.unread.append((line, "an expression makes it"))
    else:
        piece.data, piece.source = found.documents, OBJECTS
