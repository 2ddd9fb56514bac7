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
from msgspec.structs import replace

from hardener.authoring.config import NAME as CONFIG
from hardener.kubernetes import release_files
from hardener.kubernetes.components.bare_document import is_node_configuration
from hardener.kubernetes.components.kubeconfig import is_kubeconfig
from hardener.kubernetes.components.static_tokens import file_rows
from hardener.kubernetes.images import helm_values
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.objects import interest, unread_forms
from hardener.kubernetes.objects.unread_forms import Sighting
from hardener.kubernetes.pods import definitions
from hardener.kubernetes.pods.applied_elsewhere import is_unjudged
from hardener.kubernetes.pods.held_objects import held, may_hold
from hardener.kubernetes.rbac.subjects import SERVICE_ACCOUNT
from hardener.sources import files, json_with_comments, manifests, registry, script, yaml
from hardener.sources.files import Content, UnreadableError, command_files
from hardener.sources.git import submodules
from hardener.sources.go_templates import WithoutTemplates, without_templates
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.source import Problem, Reader, Reading, unreadable
from hardener.tree import second_reading
from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.kubernetes.pods.operator_templates import OperatorTemplate
    from hardener.tree.tree import Tree

_LARGEST_OTHER = 1024 * 1024  # bytes, of what holds credentials and is no manifest
_MOST_CONTAINERS = 200  # of one pod
_MOST_OUTSIDE = 10_000  # files; a tree that needs more of what it leaves out is none
_NAMESPACE = re.compile(r"""namespace["']?[ \t]*:[ \t]*["']?([a-z0-9][a-z0-9-]*)""")
# Source: Argo CD, user guide, "Store Overrides In Git".
_ARGOCD_SOURCE = re.compile(r"\.argocd-source(?:-[\w.-]+)?\.yaml")
_BY_ARGO = "not looked at: Argo CD changes by it what it renders of this folder"
_WITHOUT_ARGO = "write it into the Application, or into the manifests, and check what comes out"


_MOST_BLOCKS = 5  # that a message names
_JSONNET = ".jsonnet"
_OF_JSONNET = "check what it comes to: jsonnet FILE > OTHER, then harden check OTHER"


def read_tree(
    tree: Tree, paths: list[str], progress: Callable[[str], object], known: Mapping[int, Piece] | None = None
) -> None:
    """Read ``paths`` (real paths of files and folders) for editing and all of the root as evidence; ``known`` are
    pieces of an earlier run, see ``manifests.known_pieces``."""
    reader, passed, endings = _Reader(tree, pieces=dict(known or {})), tree.passed, registry.endings()
    passed.looked_for = unread_forms.ENDINGS
    for path in paths:
        also = _is_of_gate if tree.is_gate else _is_also_read
        is_file = not os.path.isdir(path)
        named = [(path, False)] if is_file else tree.selection.below(path, endings, also, passed=passed)
        for name, is_link in named:
            reader.take(name, is_link, editable=True, within=path)
            progress(name)
    if tree.settings.no_waivers:
        reader.follow_members()
        tree.problems += _absent_submodules(tree)
    seen = set(reader.seen)
    for name, is_link in tree.walk(endings):
        if not is_link and name not in reader.seen:
            reader.take(name, is_link, editable=False, within=tree.root)
            progress(name)
    reader.read_again()
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
    wanted: Callable[[str], bool] = interest.is_interesting,
    optional: Callable[[str], bool] = interest.is_evidence_only,
    known: dict[int, Piece] | None = None,
) -> ManifestFile:
    found = manifests.load(path, name, content, editable=editable, wanted=wanted, optional=optional, known=known)
    return _without_crowds(second_reading.compare(found, optional))


def _may_hide(text: str) -> bool:
    """Whether a piece of text holds an object that this program looks at, or cannot be parsed and may hold one, however
    its kind is spelt: YAML has ways that a search of the text does not find."""
    if interest.is_interesting(text):
        return True
    if second_reading.has_odd_mark(text):
        return True
    may_be_spelt = "kind" in text or "\\" in text
    if not may_be_spelt and "!" not in text and not may_hold(text):
        return False
    if second_reading.hides_object(text):
        return True
    try:
        documents = yaml.parse(text).documents
    except yaml.TextError:
        return may_be_spelt and not _is_settings(text)
    return any(is_unjudged(each) or held(each) is not None for each in documents) or second_reading.may_say(
        text, documents
    )


def _is_settings(text: str) -> bool:
    """Whether ``text``, which is no YAML, is JSON with comments in which nothing has an API version."""
    if "apiVersion" in text:
        return False
    try:
        waiting = [json_with_comments.read(text)]
    except ValueError:
        return False
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "apiVersion" in value:
                return False
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return True


def template_of(tree: Tree, item: Object) -> OperatorTemplate | None:
    """Where a custom resource holds pods, by its definition in the tree; None where that is not there, or says none."""
    version = item.api_version.rpartition("/")[2]
    for text in _definitions(tree, item):
        try:
            documents = yaml.documents(text)
        except yaml.TextError:
            continue
        for document in documents:
            if isinstance(document, dict):
                found = definitions.template_of(document, item.group, item.kind, version)
                if found is not None:
                    return found
    return None


def _definitions(tree: Tree, item: Object) -> Iterator[str]:
    """The texts that may define the kind of ``item``; most definitions are large, and of others."""

    def may_define(text: str) -> bool:
        return definitions.KIND in text and item.group in text and item.kind in text and "containers" in text

    for file in tree.files:
        if file.source.is_manifest and file.holds(definitions.KIND):
            yield from (piece.text for piece in file.pieces if may_define(piece.text))
    for path in tree.definition_files:
        try:
            text = files.read(path).text
        except UnreadableError:
            continue
        if may_define(text):
            yield from (segment.text for segment in yaml.segments(text) if may_define(segment.text))


class _Reader(Struct):
    tree: Tree
    seen: set[str] = field(default_factory=set)
    readers: dict[str, Reader | None] = field(default_factory=dict)  # by the module of their language
    places: dict[str, int] = field(default_factory=dict)  # of what these read: how many files came before
    pieces: dict[int, Piece] = field(default_factory=dict)  # that may be edited, by the hash of their text

    def take(self, path: str, is_link: bool, *, editable: bool, within: str) -> None:
        """Read the file ``path``, found within the path ``within``, unless it was read before."""
        name, entry = files.name_of(path), registry.entry_of(path)
        real = os.path.realpath(path) if is_link else path
        if is_link and (self._is_met_elsewhere(path, real, name, within) or not entry.follows_links):
            return
        if real in self.seen or (os.path.basename(real) == CONFIG and not self.tree.settings.no_waivers):
            return
        if real.endswith(registry.NEVER):
            self._pass_by("other-ending", editable)
            return
        self.seen.add(real)
        if self._is_no_manifest(real, name, editable, is_named=path == within):
            return
        reader = self._reader(_language_of(real))
        if reader is not None:
            # A name, and what a program says at its head, are no reasons where nothing in the tree is one.
            inside = real if editable and self.tree.settings.no_waivers else within
            self._take_in(real, reader.read(real, name, editable=editable, within=inside), editable)
        else:
            self._manifests(real, name, editable)

    def _beside(self, real: str, name: str) -> None:
        """Read a file that is no manifest, and may hold commands or objects all the same."""
        if real.endswith(_JSONNET):
            self.tree.problems.append(Problem("template", real, name, "not looked at: objects in Jsonnet", _OF_JSONNET))
            return
        try:
            content = files.read(real)
        except UnreadableError:
            self._pass_by("no-manifest", True)
            return
        if script.is_of_interest(content.text, is_gate=True):
            self.tree.files.append(script.load(real, name, content, script.SCRIPT, editable=True))
        else:
            self._pass_by("no-manifest", True)

    def _is_met_elsewhere(self, path: str, real: str, name: str, within: str) -> bool:
        """Whether a link is not followed: what it leads to lies outside, which is a problem, or is met on its own
        path."""
        if not files.is_inside(real, within):
            advice = "name its target to have it hardened"
            self.tree.problems.append(Problem("symbolic-link", path, name, "a symbolic link out of the tree", advice))
            return True
        return os.path.exists(real) and not (self.tree.settings.no_waivers and _is_hidden(real))

    def _is_no_manifest(self, real: str, name: str, editable: bool, *, is_named: bool) -> bool:
        """Whether a file is no manifest by its name, and is done with."""
        if editable and self.tree.is_gate and _is_beside(real):
            self._beside(real, name)
            return True
        return files.is_other(real) and self._is_other(real, name, editable, is_named=is_named)

    def _is_other(self, real: str, name: str, editable: bool, *, is_named: bool) -> bool:
        """Whether a file that is no manifest by its name is done with: it holds a credential, or nobody named it."""
        if self._other(real, name, editable):
            return True
        if not is_named:
            self._pass_by("no-manifest", editable)
        return not is_named

    def _reader(self, entry: registry.Entry) -> Reader | None:
        """What reads the files of a language in this tree."""
        if entry.module not in self.readers:
            self.readers[entry.module] = entry.source.reader(self.tree)
        return self.readers[entry.module]

    def _take_in(self, path: str, read: Reading, editable: bool) -> None:
        tree = self.tree
        self.places[path] = len(tree.files)
        tree.named_namespaces.update(read.namespaces)
        tree.problems += read.problems
        tree.unread_evidence += read.is_unread
        if read.file is not None:
            tree.files.append(read.file if read.file.source.is_program else _without_crowds(read.file))
        elif read.unseen is not None:
            tree.passed.unseen[path] = read.unseen
        elif read.passed:
            self._pass_by(read.passed, editable)
        if read.sighted:
            tree.sightings[os.path.relpath(path)] = [Sighting(line, "program", what) for line, what in read.sighted]

    def _manifests(self, real: str, name: str, editable: bool) -> None:
        """Read a file of YAML or JSON, as what kustomize, Helm or a cluster makes of it."""
        tree, base = self.tree, os.path.basename(real)
        try:
            content = files.read(real)
        except UnreadableError as error:
            self._take_in(real, unreadable(error, real, name, editable=editable), editable)
            return
        tree.named_namespaces.update(_NAMESPACE.findall(content.text))
        if editable and (kind := release_files.kind_of(real)) is not None:
            self._release_file(kind, real, name, content)
        if editable and _ARGOCD_SOURCE.fullmatch(base):
            self.tree.problems.append(Problem("argocd-source", real, name, _BY_ARGO, _WITHOUT_ARGO))
        if base in kustomize.NAMES:
            file = _load(real, name, content, editable=editable, wanted=lambda text: True, optional=lambda text: False)
            self._kustomization(file)
            tree.files.append(file)
            return
        if base.startswith("skaffold"):
            file = manifests.load(real, name, content, editable=False, wanted=lambda text: "skaffold/" in text)
            tree.skaffold += self._documents(file)
        wanted, optional = self._interest(real, editable)
        if self._values(real, name, content, editable, wanted):
            return
        if not wanted(content.text):
            self._tool_file(real, name, content, editable)
            if release_files.kind_of(real) in (None, release_files.CHART):
                self._without_object(real, name, content, editable)
        elif (chart := _chart_of(real)) is not None:
            self._of_chart(chart, real, name, content, editable)
        else:
            known = self.pieces if editable else None
            file = _load(real, name, content, editable=editable, wanted=wanted, optional=optional, known=known)
            if "k8s:" in content.text and file.holds("definition"):
                from hardener.sources.embedded import tasks  # late: few trees hold playbooks

                tasks.add(file)
            tree.files.append(file)

    def _release_file(self, kind: str, real: str, name: str, content: Content) -> None:
        """Note a file that names charts; templates of helmfile may hide what it names."""
        self.tree.release_files.setdefault(kind, []).append(real)
        if kind == release_files.HELMFILE:
            found = (
                without_templates(content.text) if "{{" in content.text else WithoutTemplates(content.text, [], [], [])
            )
            if "{{" in content.text:
                self._templates_of(real, name, found)
            if found is not None:
                self._helmfile(real, name, replace(content, text=found.text, _starts=None), found)

    def _helmfile(self, real: str, name: str, content: Content, found: WithoutTemplates) -> None:
        """Note the documents of a helmfile, which hold no object of Kubernetes."""
        file = manifests.load(
            real, name, content, editable=True, wanted=lambda text: True, optional=lambda text: True
        )  # fmt: skip
        for item in self._documents(file):
            self.tree.helmfiles.append(Object(self.tree, item.piece, item.path, found.filled(item.data)))

    def _templates_of(self, real: str, name: str, found: WithoutTemplates | None) -> None:
        """Note what templates decide of a helmfile: some lines of it, or all where it cannot be read without them."""
        message, line = "a helmfile with templates", 1
        if found is not None and _is_yaml(found.text):
            if not found.blocks:
                return
            some = list(map(str, found.blocks[:_MOST_BLOCKS]))
            more = "" if len(found.blocks) == len(some) else " and others"
            message = f"not looked at: what templates decide of a helmfile, {', '.join(some)}{more}"
            line = found.blocks[0].first
        advice = "helmfile template ... | harden filter hardens the result"
        self.tree.problems.append(Problem("template", real, name, message, advice, line))

    def _interest(self, real: str, editable: bool) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
        """Which pieces of a file are read, and of which it is no problem that they cannot be."""
        if is_node_configuration(real):
            wanted: Callable[[str], bool] = lambda text: True  # noqa: E731
        else:
            wanted = _may_hide if editable and self.tree.settings.no_waivers else interest.is_interesting
        if editable and self.tree.settings.no_waivers:
            return wanted, lambda text: False
        return wanted, interest.is_evidence_only

    def _tool_file(self, real: str, name: str, content: Content, editable: bool) -> None:
        """Note the workloads that another tool makes of a file."""
        has_templates = os.path.isdir(os.path.join(os.path.dirname(real), "templates"))  # of a chart: that is said
        if editable and not has_templates and (found := unread_forms.in_yaml(name, content.text)):
            self.tree.sightings[name] = found

    def _without_object(self, real: str, name: str, content: Content, editable: bool) -> None:
        if definitions.KIND in content.text and "containers" in content.text:
            self.tree.definition_files.append(real)
        is_gate = editable and self.tree.is_gate
        is_package = is_gate and os.path.basename(real) == command_files.PACKAGE
        if interest.is_interesting_pipeline(content.text, any_command=is_gate) or (
            is_package and script.is_of_interest(content.text, is_gate=True)
        ):
            self.tree.files.append(script.load(real, name, content, script.SCRIPT, editable=editable))
        else:
            self._pass_by("no-manifest", editable)

    def _of_chart(self, chart: str, real: str, name: str, content: Content, editable: bool) -> None:
        """Note what a template of the Helm chart in folder ``chart`` says before it is rendered."""
        for account in SERVICE_ACCOUNT.findall(content.text):
            self.tree.chart_accounts.setdefault(account, name)
        if editable:
            self._template(chart, name, real)

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
                        message = f"{item.piece.file.name} takes it in, and its name is not that of a manifest"
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
        if not path.endswith(registry.endings()) and any(files.is_inside(path, given) for given in self.tree.given):
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
            file = script.load(path, name, content, interest.TOKENS, editable=editable)
        else:
            return False
        self.tree.files.append(file)
        return True

    def read_again(self) -> None:
        """Put in the files that come out otherwise now that all are read."""
        for reader in self.readers.values():
            if reader is not None:
                self._put_in(reader, {path: rest for path, *rest in reader.read_again()})

    def _put_in(self, reader: Reader, found: dict[str, Any]) -> None:
        tree = self.tree
        order = {path: number for number, path in enumerate(self.places)}
        known = {file.path: number for number, file in enumerate(tree.files)}
        tree.problems = [each for each in tree.problems if each.path not in found]
        # From the last one on: what is put in changes no place before it.
        for path in sorted(found, key=order.__getitem__, reverse=True):
            file, problems, namespaces = found[path]
            tree.problems += problems
            tree.sightings.pop(file.name, None)
            if path in known:
                tree.files[known[path]] = file
                continue
            tree.files.insert(self.places[path], file)
            tree.named_namespaces.update(namespaces)
            if file.editable and tree.passed.unseen.pop(path, None) is None:
                tree.passed.files["no-manifest"] -= 1
        for path in reader.seen_elsewhere() & tree.passed.unseen.keys():
            del tree.passed.unseen[path]
            self._pass_by("no-manifest", True)

    def _values(self, path: str, name: str, content: Content, editable: bool, wanted: Callable[[str], bool]) -> bool:
        """Read the values of a Helm chart that may name images, and tell whether it is such a file."""
        folder, base = os.path.split(path)
        if not helm_values.is_values_name(base) or not helm_values.may_name_images(content.text):
            return False
        if not os.path.isfile(os.path.join(folder, "Chart.yaml")):
            return False
        # What a chart makes of it only its templates say: that it cannot be read is no problem.
        file = _load(
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


def _absent_submodules(tree: Tree) -> Iterator[Problem]:
    """The submodules below the given paths of which the files are not there."""
    roots = {files.git_root(path) or tree.root for path in tree.given}
    for folder in dict.fromkeys(folder for root in sorted(roots) for folder in submodules.absent(root)):
        is_given = any(files.is_inside(folder, given) for given in tree.given)
        if is_given and not tree.selection.excludes(folder, True):
            message, name = "a submodule that is not checked out", os.path.relpath(folder)
            yield Problem("submodule", folder, name, message, "run git submodule update --init --recursive before")


def _language_of(path: str) -> registry.Entry:
    """What the file ``path`` is read as: kubectl reads whatever ends in .json, by another name of a language, too."""
    entry = registry.entry_of(path)
    if not path.endswith(entry.also or registry.NEVER):
        return entry
    try:
        text = files.read(path).text
    except UnreadableError:
        return entry  # whose reader says so
    return registry.MANIFESTS if second_reading.holds_object(text) else entry


def _is_yaml(text: str) -> bool:
    try:
        return all(yaml.parse(part.text) for part in yaml.segments(text))
    except yaml.TextError:
        return False


def _is_beside(path: str) -> bool:
    """Whether only a gate reads the file ``path``: for its commands, or since it is a template of objects."""
    return path.endswith(_JSONNET) or (
        command_files.holds_commands(path) and not path.endswith(registry.endings()) and not files.is_other(path)
    )


def _is_also_read(path: str) -> bool:
    """Whether a file is read whose ending is that of no language."""
    return files.is_other(path) or release_files.is_templated(path)


def _is_of_gate(path: str) -> bool:
    return _is_also_read(path) or _is_beside(path)


def _is_foreign(path: str) -> bool:
    """Whether the name is that of no manifest, for all that kustomize asks, and by which something else is read."""
    is_of_another = registry.entry_of(path) is not registry.MANIFESTS
    return is_of_another or path.endswith(registry.NEVER) or files.is_other(path)


def _is_hidden(path: str) -> bool:
    """Whether a walk does not meet the file ``path``, which a link leads to: its name is that of no manifest."""
    return os.path.isfile(path) and not path.endswith(registry.endings()) and os.path.basename(path) not in files.NAMES


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
