"""What a run closes when a part of a tree is taken away: a file, a document of one, a source of an image.

    python -m tests.taken_away [--every N] [FOLDER...]

Of each part that names pairs of workloads, the tree is hardened without it. A pair that was named there must stay
open, or the report has to say that the policy may shut that workload out. Prints the counts of each tree, and every
pair that is closed without a word; exit 1 where there is one. Without a folder all trees of `corpus`, `apps` and
`truth` beside the repository are asked.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hardener.authoring.config import Config
from hardener.commands.run import Choices, plan_with
from hardener.engine import pipeline
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.facts.network.connections.model import Connections, Edge
from hardener.kubernetes.network.network_policy import Direction, Pod, judge
from hardener.report.reachability.layout import Place
from hardener.report.reachability.measure import _asked, _Both, _edge, _meetings, _passes, measure
from hardener.report.reachability.shut_out import Unseen
from hardener.report.reachability.state import State
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
_SEPARATOR = re.compile(r"(?m)^---(?:[ \t].*)?$")
_POLICIES = frozenset({"netpol-workload", "netpol-default-deny", "netpol-allow-dns"})
On = tuple[int | str | None, str]  # a port and its protocol
Key = tuple[str, str, str | None, str]  # the file of a workload, its kind, its namespace and its name


@dataclass(frozen=True)
class Part:
    """What is taken away: a file by its path in the tree, whole or one document of it."""

    path: str
    document: int | None = None
    is_source: bool = False

    @property
    def sort(self) -> str:
        return "source" if self.is_source else "file" if self.document is None else "document"

    def __str__(self) -> str:
        return self.path if self.document is None else f"{self.path}, document {self.document + 1}"


@dataclass
class Counts:
    """What came out of a tree: by sort of part, how many ``parts`` name a pair, how many pairs were ``tried``, are
    ``closed``, and of these ``named`` by the report; the others in words."""

    parts: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    unsaid: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        for mine, its in ((self.parts, other.parts), (self.tried, other.tried), (self.closed, other.closed)):
            mine.update(its)
        self.named.update(other.named)
        self.unsaid += other.unsaid

    def __str__(self) -> str:
        found = (self.parts, self.tried, self.closed, self.named)
        numbers = [f"{sort} " + "/".join(str(each[sort]) for each in found) for sort in ("file", "document", "source")]
        return f"{', '.join(numbers)}; without a word {len(self.unsaid)}"


def trees() -> list[Path]:
    """The public trees beside the repository; of the bundles of maintainers what they wrote without policies."""
    plain = [folder for kind in ("corpus", "apps") for folder in sorted((SHARED / kind).glob("*"))]
    return [*plain, *sorted((SHARED / "truth" / "cases").glob("*/naked"))]


def take_away(folder: Path, every: int = 1, first: int = 0) -> Counts:
    """Take each ``every``-th part of a copy of ``folder`` away, from the one with the number ``first`` on."""
    with tempfile.TemporaryDirectory() as there:
        root = Path(there).resolve() / "tree"
        shutil.copytree(folder, root, ignore=shutil.ignore_patterns(".git"))
        counts = Counts()
        whole = Tree.read([str(root)], root=str(root))
        named = _named_in(whole)
        for part in list(named)[first::every]:
            with _without(root, part):
                counts.add(_compared(part, whole, named[part], _hardened(root)))
        return counts


def _hardened(root: Path) -> Tree:
    plan = plan_with(Choices(), Config())
    tree = Tree.read([str(root)], root=str(root), settings=plan.settings)
    pipeline.run(tree, plan.profile, plan.gate, only=_POLICIES, forks=False)
    return tree


# Which part names which pairs.


def _named_in(tree: Tree) -> dict[Part, list[Edge]]:
    """The pairs that each part of ``tree`` names, or holds an end of."""
    found: dict[Part, dict[Edge, None]] = {}
    connections = tree.ask(Connections)
    certain = set(connections.edges)
    documents = {file.path: sum(bool(piece.data) or piece.problem is not None for piece in file.pieces)
                 for file in tree.files}  # fmt: skip
    sources = {tree.ask(RepositoryFiles).name(path): path for path in tree.ask(RepositoryFiles).paths}
    for edge in (*connections.edges, *connections.doubts):
        if edge.client is edge.server:
            continue
        pieces = [fact.piece for fact in edge.evidence if fact.piece is not None]
        ends = [edge.client.object]
        if edge in certain:  # a bare word is no address where no Service has that name
            ends += filter(None, (edge.server.object, edge.service))
        pieces += [item.piece for item in ends]
        for piece in pieces:
            path = os.path.relpath(piece.file.path, tree.root)
            found.setdefault(Part(path), {})[edge] = None
            if documents[piece.file.path] > 1 and not piece.source.is_code:
                found.setdefault(Part(path, _index(piece)), {})[edge] = None
        for fact in edge.evidence:
            name = fact.text.partition(" names ")[0].rpartition(":")[0]
            if fact.piece is None and name in sources:
                path = os.path.relpath(sources[name], tree.root)
                found.setdefault(Part(path, is_source=True), {})[edge] = None
    order = sorted(found, key=lambda part: (part.path, -1 if part.document is None else part.document))
    return {part: list(found[part]) for part in order}


def _index(piece: object) -> int:
    """The number of the separators before a piece in its file, and whether text stands before the first."""
    before = piece.file.content.text[: piece.start]  # type: ignore[attr-defined]
    return len(_SEPARATOR.findall(before))


@contextmanager
def _without(root: Path, part: Part) -> Iterator[None]:
    path = root / part.path
    text = path.read_bytes()
    if part.document is None:
        path.unlink()
    else:
        path.write_bytes(_cut(text.decode(), part.document).encode())
    try:
        yield
    finally:
        path.write_bytes(text)


def _cut(text: str, number: int) -> str:
    """``text`` without the document behind its separator with that number."""
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text)), len(text)]
    return text[: starts[number]] + text[starts[number + 1] :]


# What is left.


class _Left:
    """A hardened tree of which a part was taken, as asked for the workloads of the whole one."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.both = _Both(tree)
        self.states = (self.both.before, self.both.after)
        self.pods: dict[Key, PodTemplate] = {}
        for pod in self.both.layout.pods:
            self.pods.setdefault(_key(pod), pod)
        found = measure(tree)
        self.shut = {_key(shut.server): shut for shut in found.shut}

    def closes(self, edge: Edge) -> bool:
        client, server = self.pods.get(_key(edge.client)), self.pods.get(_key(edge.server))
        if client is not None and server is not None:
            return _edge(self.both, Edge(client, server, edge.ports, ()))[1]
        if server is not None:
            return any(self._refuses(server, place, edge.client, edge, "ingress") for place in self.both.places(server))
        if client is not None:
            return any(self._refuses(client, place, edge.server, edge, "egress") for place in self.both.places(client))
        return False

    def _refuses(self, own: PodTemplate, place: Place, gone: PodTemplate, edge: Edge, direction: Direction) -> bool:
        """Whether the run closes ``direction`` of ``own``, which stands at ``place``, to the other end."""
        for on in _asked(edge.ports):
            before, after = (self._lets(state, own, place, gone, on, direction) for state in self.states)
            if before and not after:
                return True
        return False

    def _lets(
        self, state: State, own: PodTemplate, place: Place, gone: PodTemplate, on: On, direction: Direction
    ) -> bool:
        pod, policies = state.end(own, place)
        other = _as_read(gone, pod)
        client, server = (other, pod) if direction == "ingress" else (pod, other)
        verdict = judge(policies, client, server, *on, blocks_cover_pods=False)
        return (verdict.ingress if direction == "ingress" else verdict.egress).open

    def says(self, edge: Edge) -> bool:
        """Whether the report names the policy that closes ``edge``, and whom it may shut out: the client where it is in
        the tree, else pods that the tree does not show."""
        client, shut = self.pods.get(_key(edge.client)), self.shut.get(_key(edge.server))
        refused = shut is not None and (
            any(each is client for each in shut.clients) if client is not None else shut.unseen is not Unseen.NONE
        )
        calls = self.shut.get(_key(edge.client))
        return refused or (self._is_let_in(edge) and calls is not None and calls.out is not Unseen.NONE)

    def _is_let_in(self, edge: Edge) -> bool:
        """Whether it is the egress of the client that closes ``edge``, and that only where an ipBlock means no pods."""
        client, server = self.pods.get(_key(edge.client)), self.pods.get(_key(edge.server))
        if client is None or server is None:
            return client is not None
        here = Edge(client, server, edge.ports, ())
        return not any(
            not _passes(here, meeting, *on, self.both.after, True)
            for meeting in _meetings(self.both, here)
            for on in _asked(edge.ports)
            if _passes(here, meeting, *on, self.both.before, True)
        )


def _as_read(pod: PodTemplate, beside: Pod) -> Pod:
    """``pod`` of a tree that is no longer there, in the namespace of ``beside`` where it names none."""
    found = _Both(pod.tree).before.end(pod, _Both(pod.tree).places(pod)[0])[0]
    return found if pod.namespace else Pod(beside.namespace, found.labels, beside.namespace_labels, found.ports)


def _key(pod: PodTemplate) -> Key:
    item: Object = pod.object
    return os.path.relpath(item.piece.file.path, pod.tree.root), item.kind, item.namespace, item.name


def _compared(part: Part, whole: Tree, edges: Iterable[Edge], left_tree: Tree) -> Counts:
    left, found = _Left(left_tree), Counts()
    found.parts[part.sort] += 1
    for edge in edges:
        if _key(edge.client) not in left.pods and _key(edge.server) not in left.pods:
            continue
        found.tried[part.sort] += 1
        if left.closes(edge):
            found.closed[part.sort] += 1
            if left.says(edge):
                found.named[part.sort] += 1
            else:
                ports = "/".join(map(str, edge.ports))
                found.unsaid.append(
                    f"{part}: {edge.client.object} to {edge.server.object} port {ports}: {edge.evidence[0].text}"
                )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print what came out, tree by tree; 1 where a pair is closed without a word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each N-th part only")
    given = parser.parse_args(arguments)
    total = Counts()
    print("by sort of what is taken: parts that name a pair / pairs tried / closed / of these named by the report")
    for folder in given.folders or trees():
        started = time.process_time()
        found = take_away(folder, given.every)
        name = f"{folder.parent.name}/{folder.name}"
        print(f"{name}: {found} ({time.process_time() - started:.0f} s)", flush=True)
        for text in found.unsaid:
            print(f"  {text}", flush=True)
        total.add(found)
    print(f"all: {total}")
    return 1 if total.unsaid else 0


if __name__ == "__main__":
    sys.exit(main())
