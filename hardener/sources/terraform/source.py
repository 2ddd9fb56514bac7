"""Terraform, for the rest of the program: its blocks, and those of them that stand for Kubernetes objects.

What it takes to read or write one is loaded when that is asked for: few trees hold any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hardener.sources import yaml
from hardener.sources.block_names import HEAD
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.owned_lines import owned_lines
from hardener.sources.source import Around, Mutate, Owned, Plan, Reader, Source, Touch, Unknown, Written
from hardener.sources.yaml import TextError
from hardener.sources.yaml.text_templates import TextTemplates
from hardener.support.data_path import Parts, Path, dotted
from hardener.support.late_pattern import late_pattern

if TYPE_CHECKING:
    from hardener.sources.terraform.manifest_text import ManifestText
    from hardener.sources.terraform.object_block import ObjectBlock
    from hardener.sources.terraform.objects import Part
    from hardener.sources.terraform.parsed import Parsed

_AS_WRITTEN = late_pattern(r'^[ \t]*resource[ \t]+"(?:kubernetes|kubectl)_manifest"', re.M)
_SECRET = late_pattern(r"(\bkind[\"']?[ \t]*[:=][ \t]*)[\"']?Secret\b")
_NON_ROOT = ("securityContext", "runAsNonRoot")
_WHY = "the provider sends run_as_non_root = false for a container with a security_context that does not say it"
_ADVICE = "write the value here, or name a local or a variable that has one value"
_LABEL = re.compile(r"\W+")
_LATER = "which Terraform fills in"


class Home(Struct, eq=False):
    """The head of a new block: the type of its resource and its name; ``meta`` are attributes of Terraform itself,
    ``texts`` expressions that stand at places of the object instead of their values, which ``value_of`` knows."""

    kind: str
    label: str
    meta: dict[str, Any]
    texts: dict[Path, str]
    value_of: Callable[[str], tuple[Any] | None]


class TerraformBlocks(Source):
    """The blocks of a file that describe a cloud, a cluster, a chart that is installed."""

    name = "terraform"
    holds_objects = False
    maker = "Terraform"

    def reader(self, around: Around) -> Reader:
        from hardener.sources.terraform.reading import Files

        return Files(around)

    def parse(self, piece: Piece, text: str) -> Parsed | ObjectBlock | ManifestText:
        from hardener.sources.terraform.parsed import parse

        return parse(text)

    def value_of(self, file: ManifestFile, text: str) -> tuple[Any] | None:
        found: tuple[Any] | None = file.kept.value_of(text.removeprefix("${").removesuffix("}"))
        return found

    def hidden(self, file: ManifestFile) -> Iterator[str]:
        for line, _ in file.unread:
            yield f"a manifest at {file.name}:{line} may make pods, and could not be read"

    def searched(self, file: ManifestFile, text: str) -> str:
        # Of the Secrets in it the data are known: what looks like their entries may be any attribute.
        return text if file.unread else _SECRET.sub(r"\1", text)

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> Written:
        from hardener.sources.terraform.rewrite import rewrite

        return rewrite(text, mutate)

    def owned(self, piece: Piece, written: Any, touches: Sequence[Touch]) -> Owned:
        own = Owned()
        for touch in touches:
            number, read = int(touch.read[0]), touch.read[1:]
            own.before |= written.before.lines(number, read)
            if touch.kind == "drop":
                own.gone |= written.before.lines(number, read)
            # What holds the place of something absent may be laid out anew.
            present = written.before.depth(number, read)
            holder = touch.path[:-1] if present == len(read) else touch.path[: present + 1]
            for place in filter(None, map(touch.now, (touch.path, holder))):
                own.after |= written.after.lines(int(place[0]), place[1:])
            self._own_line(written, touch, present, own)
        return own

    def _own_line(self, written: Any, touch: Touch, present: int, own: Owned) -> None:
        """Add what an edit may lay out anew beside its place, of which ``present`` parts are there."""

    # New blocks.

    def draft(self, beside: Piece, value: dict[str, Any]) -> Piece | None:
        lines = beside.line + beside.text.count("\n") + (not beside.text.endswith("\n"))
        return Piece(
            beside.file, beside.end, beside.end, lines, [value], parsed=True, is_new=True, source=beside.source
        )

    def put(self, file: ManifestFile, piece: Piece) -> None:
        file.put_behind(piece)

    def separator(self, before: Piece | None) -> str:
        return super().separator(before).replace("---\n", "")

    def dump(self, piece: Piece, newline: str, templates: TextTemplates | None = None) -> str:
        from hardener.sources.terraform.rewrite import dump

        return newline + dump(piece.data[0], newline)


class TerraformObjects(TerraformBlocks):
    """The blocks that stand for Kubernetes objects: resources of the providers, and manifests in others."""

    name = "hcl"
    holds_objects = True
    is_code = True
    fills_in = "Terraform"
    by_hand = "make this change by hand, or write the value in the block"
    made_beside = "make {them} in the same module and namespace"
    no_patch = "Terraform, and patches are for manifests"

    def parse(self, piece: Piece, text: str) -> ObjectBlock | ManifestText:
        from hardener.sources.terraform.object_block import again

        return again(text, piece.file.kept.value_of)

    def read(self, piece: Piece) -> ObjectBlock | ManifestText:
        from hardener.sources.terraform.object_block import again

        objects: dict[Piece, ObjectBlock | ManifestText] = piece.file.kept.objects
        if piece not in objects:
            objects[piece] = again(piece.text, piece.file.kept.value_of, piece.line)
        return objects[piece]

    # What the block leaves open.

    def unknown(self, piece: Piece, path: Path, read: Path, said: str, expression: str) -> Unknown:
        root = self._root(piece) if read else None
        if root is not None:
            from hardener.sources.terraform.objects import find

            part, depth = find(root, read[1:])
            text, place = part.node.data, dotted(read[1 : 1 + depth])
            if part.form == "fixed" and isinstance(text, list):
                return Unknown((piece.file.path, part.why), f"{place} is made by {part.why}, {_LATER}", _ADVICE)
            if part.form == "fixed" and isinstance(text, str) and isinstance(part.data, str):
                shown = text[2:-1] if text.startswith("${") and text.endswith("}") else f'"{text}"'
                message = f"{place} is {' '.join(shown.split())}, {_LATER}"
                return Unknown((piece.file.path, text), message, _ADVICE)
        return Unknown((piece.file.path, said), f"{said}, {_LATER}", _ADVICE)

    def _root(self, piece: Piece) -> Part | None:
        """The object as read, with its expressions; None for a new one, and for YAML in a text."""
        return None if piece.is_new else getattr(self.read(piece), "root", None)

    def chooses_namespace(self, written: Any) -> bool:
        return "$" in str(written)  # where none is named, the provider takes the default

    def sends_defaults(self, piece: Piece) -> bool:
        return not _AS_WRITTEN.search(piece.text)  # a resource of a kind of its own

    def doubt(self, piece: Piece, read: Path, target: str, data: Any) -> str | None:
        """Containers in a loop; an image or a command that is the default of a variable, which a run may set."""
        if target == "pod" and (said := self.open_containers(data)) is not None:
            return said
        root = self._root(piece) if target else None
        if root is None:
            return None
        from hardener.sources.terraform.objects import find

        for key in ("containers", "initContainers") if target == "pod" else ("",):
            listed, depth = find(root, (*read[1:], key) if key else read[1:])
            if depth < len(read) - 1 + bool(key):
                continue
            for container in listed.children.values() if key else [listed]:
                if (said := _parameter(piece, container)) is not None:
                    return said
        return None

    def implied(self, piece: Piece, after: Any, pods: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """A container with a `security_context` inherits no `run_as_non_root` from its pod, so it says it itself."""
        for path in pods if self.sends_defaults(piece) else ():
            spec = _at(after, path)
            if not isinstance(spec, dict) or _at(spec, _NON_ROOT) is not True:
                continue
            for place, container in _containers(spec):
                context = container.get("securityContext")
                if isinstance(context, dict) and context and context.get("runAsNonRoot") is None:
                    yield (*path, *place, *_NON_ROOT), _WHY

    # Writing.

    def rewrite(self, piece: Piece, mutate: Mutate, plan: Plan) -> Written:
        return self._rewritten(piece, piece.text, mutate, self.read(piece))

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> Written:
        return self._rewritten(piece, text, mutate, None)

    def _rewritten(self, piece: Piece, text: str, mutate: Mutate, before: ObjectBlock | ManifestText | None) -> Written:
        from hardener.sources.terraform.object_block import rewrite

        kept = piece.file.kept
        return rewrite(text, mutate, kept.value_of, before, kept.reference)

    def check(self, piece: Piece, after: list[Any], touched: Parts, at: Path, *, removes: bool) -> None:
        from hardener.sources.terraform.object_block import check

        if piece.is_new:
            self._block(piece, after[0])  # it is written as a whole
        else:
            check(self.read(piece), after[0], removes=removes)

    def owned(self, piece: Piece, written: Any, touches: Sequence[Touch]) -> Owned:
        inner = getattr(written.before, "inner", None)
        if inner is None:
            return super().owned(piece, written, touches)
        own = owned_lines(inner, written.after.inner, touches)  # a manifest in a heredoc
        if own.add_heads is not None:
            own.add_heads()
        row = written.before.row
        old, new, gone = ({row + line for line in lines} for lines in (own.before, own.after, own.gone))
        return Owned(old, new, gone)

    def _own_line(self, written: Any, touch: Touch, present: int, own: Owned) -> None:
        held = written.before.lines(int(touch.read[0]), touch.read[1:][:present])
        if len(held) == 1:
            own.before |= held  # a block of one line, laid out on several
            if (holder := touch.now(touch.path[: present + 1])) is not None:
                own.after |= written.after.lines(int(holder[0]), holder[1:])

    # New objects.

    def can_create(self, beside: Piece, *, for_hosts: bool) -> bool:
        """Not beside a block that makes several objects, or one whose name or namespace, from which those of the new
        one come, is not known."""
        if for_hosts or beside.is_new:
            return True
        body = self.read(beside).parsed.documents[0]
        names = [_at(beside.data[0], ("metadata", key)) for key in ("namespace", "name")]
        is_open = any(isinstance(name, str) and "${" in name for name in names)
        return not is_open and "count" not in body and "for_each" not in body

    def draft(self, beside: Piece, value: dict[str, Any]) -> Piece | None:
        piece = super().draft(beside, value)
        if piece is not None:
            piece.file.kept.homes[piece] = self._home(beside, value)
        return piece

    def dump(self, piece: Piece, newline: str, templates: TextTemplates | None = None) -> str:
        from hardener.sources.terraform.object_block import again, dump

        body = dump(self._block(piece, piece.data[0]), newline)
        if not yaml.same(again(body, piece.file.kept.homes[piece].value_of).documents, piece.data):
            raise TextError("the new block does not come out as it was decided", 1)
        return newline + body

    def _block(self, piece: Piece, value: dict[str, Any]) -> dict[str, Any]:
        """The block that makes the new object ``piece`` where that is ``value``. Raises TextError where none can."""
        from hardener.sources.terraform.object_block import block_of

        home: Home = piece.file.kept.homes[piece]
        return block_of(home.kind, home.label, value, home.texts, home.meta)

    def _home(self, beside: Piece, value: dict[str, Any]) -> Home:
        kept = beside.file.kept
        own, meta, expressions = self._around(beside)
        kind = _type_beside(own, value)
        namespace = _at(value, ("metadata", "namespace"))
        texts = {path: text for path, (text, known) in expressions.items() if known == (namespace,)}
        if kind == "kubectl_manifest":
            texts = {}  # YAML in a text, which holds no reference
        values = {text[2:-1]: (namespace,) for text in texts.values()}

        def value_of(expression: str) -> tuple[Any] | None:
            found: tuple[Any] | None = values.get(expression) or kept.value_of(expression)
            return found

        return Home(kind, _label(kept.module, kind, value), meta, texts, value_of)

    def _around(self, beside: Piece) -> tuple[str, dict[str, Any], dict[Path, tuple[str, tuple[Any] | None]]]:
        """Of the block that a new one comes behind: the type of its resource, its attributes for Terraform itself, and
        the expressions that the new one may name."""
        if beside.is_new:
            home: Home = beside.file.kept.homes[beside]
            return home.kind, home.meta, {path: (text, home.value_of(text[2:-1])) for path, text in home.texts.items()}
        read = self.read(beside)
        body = read.parsed.documents[0]
        meta = {"provider": body["provider"]} if "provider" in body else {}
        return body[HEAD][1], meta, _expressions(beside, self._root(beside), body[HEAD])


def _type_beside(own: str, value: dict[str, Any]) -> str:
    """The type of the resource that makes ``value`` beside one of the type ``own``."""
    from hardener.sources.terraform.provider import MANIFESTS, resource_of

    if own == "kubectl_manifest":
        return own
    if own in MANIFESTS:
        return "kubernetes_manifest"
    found = resource_of(str(value.get("apiVersion")), str(value.get("kind")), versioned=own.endswith("_v1"))
    return found.type if found is not None else "kubernetes_manifest"


def _expressions(beside: Piece, root: Part | None, head: list[str]) -> dict[Path, tuple[str, tuple[Any] | None]]:
    """The expression that names the namespace of the object in ``beside``, with its value."""
    metadata = root.children.get("metadata") if root is not None else None
    name = "namespace" if beside.data[0].get("kind") != "Namespace" else "name"
    part = metadata.children.get(name) if metadata is not None else None
    if part is None or not isinstance(part.data, str) or "${" in part.data:
        return {}
    if name == "name":
        inner = "manifest.metadata.name" if head[1] == "kubernetes_manifest" else "metadata[0].name"
        return {("metadata", "namespace"): ("${" + f"{head[1]}.{head[2]}.{inner}" + "}", (part.data,))}
    if part.node.form == "expression" and isinstance(part.node.data, str) and part.node.data.startswith("${"):
        return {("metadata", "namespace"): (part.node.data, (part.data,))}
    return {}


def _label(module: Any, kind: str, value: dict[str, Any]) -> str:
    """A name for the block that no other of its type has in its folder."""
    owner = tuple(str(_at(value, ("metadata", key)) or "") for key in ("namespace", "name"))
    label = _LABEL.sub("_", owner[1]).strip("_") or "harden"
    label = label if not label[0].isdigit() else f"_{label}"
    return label if module is None else str(module.label(kind, label, (str(value.get("kind")), *owner)))


def _parameter(piece: Piece, container: Part) -> str | None:
    """The image or command of ``container`` that whoever runs Terraform may set, in words."""
    for name in ("image", "command", "args"):
        part = container.children.get(name)
        for each in [part, *part.children.values()] if part is not None else []:
            said = each.node.data
            if each.form == "fixed" and isinstance(said, str) and piece.file.kept.is_parameter(said):
                shown = said[2:-1] if said.startswith("${") else said
                return f"{name} is {shown}, and whoever runs Terraform may set the variable"
    return None


def _containers(spec: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for key in ("initContainers", "containers"):
        listed = spec.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, dict):
                yield (key, index), item


def _at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
    return value


SOURCE = TerraformBlocks()
OBJECTS = TerraformObjects()
