"""The files of a tree read into a tree: which hold manifests, which say something else, which are left alone.

Paths limit what is edited; evidence comes from the whole Git repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hardener.authoring.config import NAME as CONFIG
from hardener.kubernetes.components.bare_document import is_node_configuration
from hardener.kubernetes.components.kubeconfig import is_kubeconfig
from hardener.kubernetes.components.static_tokens import file_rows
from hardener.kubernetes.images import helm_values
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.objects.interest import (
    SCRIPT,
    TOKENS,
    is_evidence_only,
    is_interesting,
    is_interesting_pipeline,
    is_interesting_script,
    is_interesting_terraform,
    is_terragrunt,
    terraform_line,
)
from hardener.kubernetes.rbac.subjects import SERVICE_ACCOUNT
from hardener.sources import files, manifests, yaml
from hardener.sources.files import Content, UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.sources.python.import_lines import Imports
    from hardener.sources.python.libraries.subclasses import Subclasses
    from hardener.sources.terraform.module import Module
    from hardener.tree.tree import Tree

_SUFFIXES = (*files.SUFFIXES, files.PYTHON)
_NOT_READ = (".pyi", ".ipynb")  # even where they are given: what they say is not what runs
_LARGEST_OTHER = 1024 * 1024  # bytes, of what holds credentials and is no manifest
_MOST_CONTAINERS = 200  # of one pod
_MOST_OUTSIDE = 10_000  # files; a tree that needs more of what it leaves out is none
# Names that kustomize does not ask for, and by which a file is read as something else than a manifest.
_TERRAFORM_JSON = tuple(f"{suffix}.json" for suffix in files.TERRAFORM)
_FOREIGN = (files.PYTHON, *files.TERRAFORM, *_TERRAFORM_JSON, ".hcl", ".sh", *_NOT_READ)
_OTHER_TERRAFORM = (
    ("terraform-json", "Terraform as JSON, which is not read", "write it in the native syntax, or correct it by hand"),
    (
        "terragrunt", "a configuration of Terragrunt, which is not read",
        "harden the module that it calls, and check by hand what its inputs set",
    ),
)  # fmt: skip
_NAMESPACE_IN_HCL = late_pattern(r'\bnamespace"?[ \t]*=[ \t]*"([a-z0-9][a-z0-9-]*)"')
_NAMESPACE = re.compile(r"""namespace["']?[ \t]*:[ \t]*["']?([a-z0-9][a-z0-9-]*)""")


class Problem(Struct):
    """A file that is left alone, and why."""

    id: str
    path: str
    name: str
    message: str
    advice: str
    line: int = 1


def read_tree(tree: Tree, paths: list[str], progress: Callable[[str], object]) -> None:
    """Read ``paths`` (real paths of files and folders) for editing and all of the root as evidence."""
    reader, passed = _Reader(tree), tree.passed
    for path in paths:
        named = [(path, False)] if not os.path.isdir(path) else tree.selection.below(path, _SUFFIXES, passed=passed)
        for name, is_link in named:
            reader.take(name, is_link, editable=True, within=path)
            progress(name)
    if tree.settings.no_waivers:
        reader.follow_members()
    seen = set(reader.seen)
    for name, is_link in tree.walk(_SUFFIXES):
        if not is_link and name not in reader.seen:
            reader.take(name, is_link, editable=False, within=tree.root)
            progress(name)
    reader.follow_classes()
    tree.left_out = passed.tally(seen)
    take = partial(reader.take, is_link=False, editable=False, within=tree.root)
    too_many = _follow(tree.kustomizations, reader.seen, tree.root, take)
    tree.unread_evidence += too_many


def read_text(tree: Tree, text: str) -> None:
    """Read a stream, as a file without a path. All of it is meant: what is no YAML is a problem, whatever its kind."""
    content = Content(text.removeprefix("\ufeff"), text.startswith("\ufeff"), 0, 0)
    file = _load("", "<stdin>", content, editable=True)
    for piece in file.pieces:
        manifests.check(piece)
    tree.files.append(file)


def read_rendered(tree: Tree, path: str, text: str) -> None:
    """Read what the template ``path`` of a chart is rendered to, as if it stood there."""
    tree.files.append(_load(path, os.path.relpath(path), Content(text, False, 0, 0), editable=True))


def _without_crowds(file: ManifestFile) -> ManifestFile:
    """``file``, in which a pod of more containers than are looked at is a problem and no manifest: each of them is
    compared with the others."""
    for piece in file.pieces:
        if piece.parsed and piece.text.count("image") > _MOST_CONTAINERS and (count := _most_containers(piece.data)):
            message = f"a pod has {count} containers, more than {_MOST_CONTAINERS}"
            piece.problem = ("too-many-containers", message, "no node runs such a pod: split it", 1)
            piece.parsed, piece.data = False, []
    return file


def _most_containers(documents: list[Any]) -> int:
    """How many containers the first pod has that has too many; 0 where none has."""
    waiting: list[Any] = list(documents)
    seen: set[int] = set()  # aliases share what they name
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list):
            waiting += value
            continue
        waiting += value.values()
        for key in ("initContainers", "containers", "ephemeralContainers"):
            found = value.get(key)
            if isinstance(found, list) and len(found) > _MOST_CONTAINERS:
                return len(found)
    return 0


def _load(
    path: str,
    name: str,
    content: Content,
    *,
    editable: bool,
    wanted: Callable[[str], bool] = is_interesting,
    optional: Callable[[str], bool] = is_evidence_only,
    known: dict[int, Piece] | None = None,
) -> ManifestFile:
    found = manifests.load(path, name, content, editable=editable, wanted=wanted, optional=optional, known=known)
    return _without_crowds(found)


def _may_hide(text: str) -> bool:
    """Whether a piece of text holds an object that this program looks at, or cannot be parsed and may hold one, however
    its kind is spelt: YAML has ways that a search of the text does not find."""
    if is_interesting(text):
        return True
    if "kind" not in text and "\\" not in text:
        return False
    try:
        documents = yaml.parse(text).documents
    except yaml.TextError:
        return True
    kinds = [document["kind"] for document in documents if isinstance(document, dict) and "kind" in document]
    return any(isinstance(kind, str) and is_interesting(f"kind: {kind}\n{text}") for kind in kinds)


class _Reader(Struct):
    tree: Tree
    seen: set[str] = field(default_factory=set)
    programs: dict[str, tuple[bool, bool, int]] = field(default_factory=dict)  # editable, given, files before it
    imports: dict[str, Imports | None] = field(default_factory=dict)  # of these programs, as far as they were asked for
    own: Subclasses | None = None
    modules: dict[str, Module] = field(default_factory=dict)  # by folder
    module_texts: list[tuple[str, str]] | None = None
    pieces: dict[int, Piece] = field(default_factory=dict)  # that may be edited, by the hash of their text

    def take(self, path: str, is_link: bool, *, editable: bool, within: str) -> None:
        """Read the file ``path``, found within the path ``within``, unless it was read before."""
        tree = self.tree
        if path.endswith(files.PYTHON) and not is_link:
            if path not in self.seen:
                # A name, and what a program says at its head, are no reasons where nothing in the tree is one.
                self._python(path, editable, path if editable and tree.settings.no_waivers else within)
            return
        real = os.path.realpath(path) if is_link else path
        name, base = files.name_of(path), os.path.basename(real)
        if is_link:
            if not files.is_inside(real, within):
                advice = "name its target to have it hardened"
                problem = Problem("symbolic-link", path, name, "a symbolic link out of the tree", advice)
                tree.problems.append(problem)
                return
            if os.path.exists(real) and not (tree.settings.no_waivers and _is_hidden(real)):
                return  # met on its own path
        if path.endswith(files.PYTHON):
            return
        if real in self.seen or (base == CONFIG and not tree.settings.no_waivers):
            return
        if real.endswith(_NOT_READ):
            self._pass_by("other-ending", editable)
            return
        self.seen.add(real)
        if files.is_other(real):
            if self._other(real, name, editable):
                return
            if path != within:
                self._pass_by("no-manifest", editable)
                return
        try:
            content = files.read(real)
        except UnreadableError as error:
            if editable:
                tree.problems.append(Problem(error.id, real, name, error.message, error.advice))
            else:
                tree.unread_evidence += 1
            return
        if real.endswith((*files.TERRAFORM, *_TERRAFORM_JSON, ".hcl")):
            self._terraform(real, name, content, editable)
            return
        if real.endswith(".sh"):
            if is_interesting_script(content.text):
                tree.files.append(manifests.load_script(real, name, content, SCRIPT, editable=editable))
            else:
                self._pass_by("no-manifest", editable)
            return
        tree.named_namespaces.update(_NAMESPACE.findall(content.text))
        if base in kustomize.NAMES:
            file = manifests.load(real, name, content, editable=editable, wanted=lambda text: True)
            self._kustomization(file)
            tree.files.append(file)
            return
        if base.startswith("skaffold"):
            file = manifests.load(real, name, content, editable=False, wanted=lambda text: "skaffold/" in text)
            tree.skaffold += self._documents(file)
        wanted, optional = is_interesting, is_evidence_only
        if editable and tree.settings.no_waivers:
            wanted, optional = _may_hide, lambda text: False
        if is_node_configuration(real):
            wanted = lambda text: True  # noqa: E731
        if self._values(real, name, content, editable, wanted):
            return
        if not wanted(content.text):
            if is_interesting_pipeline(content.text):
                tree.files.append(manifests.load_script(real, name, content, SCRIPT, editable=editable))
                return
            self._pass_by("no-manifest", editable)
            return
        chart = _chart_of(real)
        if chart is not None:
            for account in SERVICE_ACCOUNT.findall(content.text):
                tree.chart_accounts.setdefault(account, name)
            if editable:
                self._template(chart, name, real)
            return
        known = self.pieces if editable else None
        tree.files.append(_load(real, name, content, editable=editable, wanted=wanted, optional=optional, known=known))

    def follow_members(self) -> None:
        """Read for editing what the kustomizations that were read take in, wherever it lies in the tree and whatever it
        is called; what is not read there is a problem."""
        tree = self.tree
        left = _follow(tree.kustomizations, self.seen, tree.root, self._member)
        for folder, item in tree.kustomizations.items():
            for member in kustomize.members(item.data):
                for path in _files_at(os.path.join(folder, member)):
                    name = os.path.relpath(path)
                    if not files.is_inside(path, tree.root):
                        message = f"{item.piece.file.name} takes it in, and it lies outside of the tree"
                        tree.problems.append(Problem("outside-member", path, name, message, "keep it in the tree"))
                    elif _is_foreign(path):
                        message = f"{item.piece.file.name} takes it in, and its name is that of no manifest"
                        tree.problems.append(Problem("foreign-member", path, name, message, "let it end in .yaml"))
            if left:
                name, path = item.piece.file.name, item.piece.file.path
                message = f"{left} files more than are read are taken in by kustomizations"
                tree.problems.append(Problem("too-many-members", path, name, message, "check each by itself"))
                left = 0

    def _member(self, path: str) -> None:
        if _is_foreign(path):
            return
        self.take(path, False, editable=True, within=path)
        if not path.endswith(_SUFFIXES) and any(files.is_inside(path, given) for given in self.tree.given):
            passed = self.tree.passed.files
            passed["other-ending"] = max(0, passed["other-ending"] - 1)  # a walk had passed by it

    def _pass_by(self, id: str, editable: bool) -> None:
        """Count a file that says nothing here, by the reason ``id``."""
        if editable:
            self.tree.passed.files[id] += 1

    def _other(self, path: str, name: str, editable: bool) -> bool:
        """Read a file that may hold a credential of a cluster, and tell whether it does; any other is left alone."""
        try:
            if os.path.getsize(path) > _LARGEST_OTHER:
                return False
            content = files.read(path)
        except (OSError, UnreadableError):
            return False
        if is_kubeconfig(content.text):
            wanted = is_kubeconfig
            file = manifests.load(path, name, content, editable=editable, wanted=wanted, optional=lambda text: True)
        elif file_rows(content.text):
            file = manifests.load_script(path, name, content, TOKENS, editable=editable)
        else:
            return False
        self.tree.files.append(file)
        return True

    def _python(self, path: str, editable: bool, within: str) -> None:
        """Read a Python file that makes Kubernetes objects; most make none, and cost one search of their bytes."""
        from hardener.tree import python_reader  # late: many trees hold no Python

        self.seen.add(path)
        tree = self.tree
        if python_reader.is_left_out(path, within, tree.root):
            self._pass_by("foreign-python", editable)
            return
        if self.own is None:
            from hardener.sources.python.libraries.subclasses import Subclasses

            self.own = Subclasses(os.path.relpath, python_reader.content)
        self.programs[path] = (editable, path == within, len(tree.files))
        self.imports[path] = None
        try:
            read = python_reader.load(path, editable=editable, given=path == within, own=self.own)
        except UnreadableError as error:
            if editable and (error.id == "not-utf-8" or path == within):  # of others nobody knows what they hold
                tree.problems.append(Problem(error.id, path, os.path.relpath(path), error.message, error.advice))
            return
        self.imports[path] = read.imports
        file = read.file
        if file is not None:
            tree.named_namespaces.update(read.namespaces)
            self._remark(file)
        if file is not None and python_reader.says_something(file):
            tree.files.append(file)
        elif read.line is not None and editable:
            tree.passed.unseen[path] = read.line
        else:
            self._pass_by("no-manifest", editable)

    def follow_classes(self) -> None:
        """Read the programs once more that name a class which another program makes from one of a library."""
        if self.own is None or not self.own.any:
            return
        from hardener.tree import python_reader

        tree = self.tree
        order = {path: number for number, path in enumerate(self.programs)}
        places = {file.path: number for number, file in enumerate(tree.files)}
        taken: list[ManifestFile] = []
        # From the last one on: what is put in changes no place before it.
        for path in sorted(python_reader.naming(self.own, self.imports), key=order.__getitem__, reverse=True):
            editable, given, place = self.programs[path]
            try:
                read = python_reader.load(path, editable=editable, given=given, own=self.own, again=True)
            except UnreadableError:
                continue
            if read.file is None or not python_reader.says_something(read.file):
                continue
            taken.append(read.file)
            if path in places:
                tree.files[places[path]] = read.file
            else:
                tree.files.insert(place, read.file)
                tree.named_namespaces.update(read.namespaces)
                if editable and tree.passed.unseen.pop(path, None) is None:
                    tree.passed.files["no-manifest"] -= 1
        again = {file.path for file in taken}
        tree.problems = [each for each in tree.problems if each.path not in again]
        for program in taken:
            self._remark(program)
        # What a file with a class makes is seen where that is called.
        for path in self.own.files & tree.passed.unseen.keys() if taken else ():
            del tree.passed.unseen[path]
            self._pass_by("no-manifest", True)

    def _remark(self, program: ManifestFile) -> None:
        from hardener.tree import python_reader

        if program.editable:
            for id, line, message, advice in python_reader.remarks(program):
                self.tree.problems.append(Problem(id, program.path, program.name, message, advice, line))

    def _terraform(self, path: str, name: str, content: Content, editable: bool) -> None:
        """Read a Terraform file that holds a resource of interest; of one in another form a problem says so."""
        is_native = path.endswith(files.TERRAFORM)
        if not is_interesting_terraform(content.text) or (path.endswith(".hcl") and not is_terragrunt(content.text)):
            self._pass_by("no-manifest", editable)
        elif is_native:
            self.tree.named_namespaces.update(_NAMESPACE_IN_HCL.findall(content.text))
            module = self._module(os.path.dirname(path)) if path else None
            file = manifests.load_terraform(path, name, content, editable=editable, module=module)
            self.tree.files.append(_without_crowds(file))
            for line, what in file.ignored if editable else ():
                message = f"Terraform ignores changes of {what} here, so it would not make those that harden writes"
                advice = "take it out of ignore_changes, or have Terraform replace the object"
                self.tree.problems.append(Problem("terraform-ignored", path, name, message, advice, line))
            for line, reason in file.unread if editable else ():
                message = f"a manifest in Terraform is not looked at: {reason}"
                advice = "write it as an object or in a heredoc, or harden what it is made of"
                self.tree.problems.append(Problem("terraform-manifest", path, name, message, advice, line))
        elif editable:
            id, message, advice = _OTHER_TERRAFORM[path.endswith(".hcl")]
            line = terraform_line(content.text)
            self.tree.problems.append(Problem(id, path, name, message, advice, line))

    def _module(self, folder: str) -> Module:
        """What the expressions of the Terraform files in ``folder`` name."""
        from hardener.sources.terraform.module import Module  # late: few trees hold any

        if folder not in self.modules:
            self.modules[folder] = Module(folder, self._module_files)
        return self.modules[folder]

    def _module_files(self) -> list[tuple[str, str]]:
        """The real paths and texts of the Terraform files of the tree."""
        if self.module_texts is None:
            found = []
            for path, _ in self.tree.walk(files.TERRAFORM):
                try:
                    found.append((path, files.read(path).text))
                except UnreadableError:
                    continue
            self.module_texts = found
        return self.module_texts

    def _values(self, path: str, name: str, content: Content, editable: bool, wanted: Callable[[str], bool]) -> bool:
        """Read the values of a Helm chart that may name images, and tell whether it is such a file."""
        folder, base = os.path.split(path)
        if not helm_values.is_values_name(base) or not helm_values.may_name_images(content.text):
            return False
        if not os.path.isfile(os.path.join(folder, "Chart.yaml")):
            return False
        # What a chart makes of it only its templates say: that it cannot be read is no problem.
        file = manifests.load(
            path, name, content, editable=editable, wanted=lambda text: True, optional=lambda text: not wanted(text)
        )
        self.tree.files.append(file)
        self.tree.values += self._documents(file)
        return True

    def _template(self, chart: str, name: str, path: str) -> None:
        """Count a template of the Helm chart in folder ``chart``; one record says it for all of them."""
        charts = self.tree.charts
        if chart not in charts:
            charts[chart] = Problem("template", path, name, "a template of a Helm chart", manifests.RENDER_CHART), []
            self.tree.problems.append(charts[chart][0])
        problem, names = charts[chart]
        names.append(name)
        if len(names) > 1:
            more = "1 more file" if len(names) == 2 else f"{len(names) - 1} more files"
            problem.message = f"a template of a Helm chart, like {more} of it"

    def _kustomization(self, file: ManifestFile) -> None:
        folder = os.path.dirname(file.path)
        for item in self._documents(file):
            if kustomize.is_kustomization(item.data):
                self.tree.kustomizations[folder] = item
                for name in kustomize.patch_names(item.data):
                    self.tree.patch_files.add(os.path.realpath(os.path.join(folder, name)))

    def _documents(self, file: ManifestFile) -> Iterator[Object]:
        for piece in file.pieces:
            for index, document in enumerate(piece.data):
                if isinstance(document, dict):
                    yield Object(self.tree, piece, (index,), document)


def _is_foreign(path: str) -> bool:
    return path.endswith(_FOREIGN) or files.is_other(path)


def _is_hidden(path: str) -> bool:
    """Whether a walk does not meet the file ``path``, which a link leads to: its name is that of no manifest."""
    return os.path.isfile(path) and not path.endswith(_SUFFIXES) and os.path.basename(path) not in files.NAMES


def _follow(kustomizations: Mapping[str, Object], seen: Container[str], root: str, take: Callable[[str], None]) -> int:
    """Hand every file that a kustomization takes in, and that is not ``seen``, to ``take``, which adds to both.

    They are what walking the tree ``root`` passes by; what lies outside of it is not read. Files of folders are their
    kustomization, whose own are followed in turn. Returns how many files were too many.
    """
    waiting = list(kustomizations)
    followed = set(waiting)
    taken = left = 0
    while waiting:
        folder = waiting.pop()
        for name in kustomize.members(kustomizations[folder].data):
            path = os.path.normpath(os.path.join(folder, name))
            if path in seen or path in followed:
                continue
            for file in _files_at(path):
                if file in seen or not files.is_inside(file, root):
                    continue
                if taken == _MOST_OUTSIDE:
                    left += 1
                    continue
                taken += 1
                take(file)
                found = os.path.dirname(file)
                if found in kustomizations and found not in followed:
                    followed.add(found)
                    waiting.append(found)
    return left


def _files_at(path: str) -> list[str]:
    """The file at ``path``, as a real path; of a folder its kustomization; none for a URL, or where it is missing."""
    if "\0" in path or not os.path.exists(path):
        return []
    path = os.path.realpath(path)
    if not os.path.isdir(path):
        return [path]
    found = (os.path.join(path, name) for name in sorted(kustomize.NAMES))
    return [os.path.realpath(file) for file in found if os.path.lexists(file)]


def _chart_of(path: str) -> str | None:
    """The folder of the Helm chart whose template ``path`` is, None for any other file."""
    if "templates" not in path:
        return None
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        above = os.path.dirname(folder)
        if os.path.basename(folder) == "templates" and os.path.exists(os.path.join(above, "Chart.yaml")):
            return above
        folder = above
    return None
