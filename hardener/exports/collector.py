"""The facts of the exports of one import, before they are kept: put in by readers, by the name that an export has for
a workload; owners and selectors are resolved when all files were read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from hardener.exports.audit_log import usage as audit
from hardener.exports.audit_log.event import Request
from hardener.exports.model import (
    OUTSIDE,
    About,
    Account,
    Calls,
    Capabilities,
    ClusterFact,
    Facts,
    Image,
    ImageConfig,
    ImageFacts,
    Peer,
    Programs,
    Ran,
    Recorded,
    Right,
    Source,
    Usage,
    Workload,
    Writes,
    is_day,
)
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.pods.recorded_signs import refused_calls, setuid_programs

# What a node or the runtime mounts: a write there tells nothing of the image.
_OF_THE_NODE = ("/proc", "/sys", "/dev", "/run/secrets", "/var/run/secrets")
_WITH_CHILDREN = 12  # folders of one parent from which on the parent stands for them
_MOST_PATHS = 60
# What kubescape writes for a part of a path that differs in each run. Source: kubescape/storage dynamicpathdetector.
_DYNAMIC = "⋯"
# Names that controllers make: of a ReplicaSet, of a Pod, of a Job that a CronJob made.
# Source: k8s.io/apimachinery pkg/util/rand (the alphabet), kubernetes pkg/controller/cronjob (the minutes of a Job).
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_REPLICA_SET = re.compile(rf"(.+)-{_SAFE}{{8,10}}")
_OF_REPLICA_SET = re.compile(rf"{_REPLICA_SET.pattern}-{_SAFE}{{5}}")
_OF_CRON_JOB = re.compile(rf"(.+)-[0-9]{{8,}}(?:-{_SAFE}{{5}})?")
_OF_STATEFUL_SET = re.compile(r"(.+)-[0-9]{1,4}")
_OF_DAEMON_SET = re.compile(rf"(.+)-{_SAFE}{{5}}")
_MADE_NAMES = (
    ("CronJob", _OF_CRON_JOB), ("Deployment", _OF_REPLICA_SET), ("DaemonSet", _OF_DAEMON_SET),
    ("StatefulSet", _OF_STATEFUL_SET),
)  # fmt: skip

# Source: k8s.io/apimachinery pkg/util/validation (IsDNS1123Subdomain); a name of RBAC may have more, and runs nothing.
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_PLAIN = re.compile(r"[\w./:@+=, -]{1,253}")
_PORTS = 1 << 16
_SERVICE = "Service"
_NO_END = Workload("", "", "")
_MOST_ENDS = 100_000  # pods and workloads at the ends of connections that are held by name
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_MOST_CONNECTIONS = 100_000
_MOST_PORTS = 20  # of one pair; who talks on more is taken to talk on all: passive FTP, RPC, a scan
_ALL_PORTS = (0, "TCP")
# Labels of a pod that a controller or an injector puts there, and others that tell nothing of the workload.
_LABELS_OF_CONTROLLERS = (
    "pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/",
    "apps.kubernetes.io/", "batch.kubernetes.io/", "controller-uid", "job-name", "topology.kubernetes.io/",
)  # fmt: skip
_MOST_LABELS, _LONGEST_LABEL = 20, 128
_INSTANCE = "app.kubernetes.io/instance"

_Owner = tuple[str, str]  # kind and name
_Pair = tuple[Workload | None, Workload | None, tuple[str, str]]  # who calls, who is called, and who saw it
_Advised = tuple[str, dict[str, str], int, str, bool]
_Selected = tuple[Workload, str, dict[str, str], tuple[str, str], list[tuple[int, str]], bool]


class _Seen(Struct):
    """What one source tells of one container so far; None where it did not watch."""

    images: set[tuple[str, str]] = field(default_factory=set)
    ran: set[tuple[int, int | None, bool]] = field(default_factory=set)
    folders: set[str] | None = None
    files: set[str] = field(default_factory=set)
    capabilities: set[str] | None = None
    usage: dict[str, int] = field(default_factory=dict)
    calls: set[str] | None = None
    programs: set[str] | None = None

    def joined(self, other: _Seen) -> _Seen:
        """What the same source tells of another pod of the workload, too; of usage the most."""
        usage = {name: max(self.usage.get(name, 0), other.usage.get(name, 0)) for name in self.usage | other.usage}
        return _Seen(
            self.images | other.images, self.ran | other.ran, _either(self.folders, other.folders),
            self.files | other.files, _either(self.capabilities, other.capabilities), usage,
            _either(self.calls, other.calls), _either(self.programs, other.programs),
        )  # fmt: skip


def _either(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    return (one or set()) | (other or set()) if one is not None or other is not None else None


class Collector:
    """Takes in what readers find. ``file`` is the name of the export that is being read, ``today`` the day of the
    import, for exports that tell no time."""

    def __init__(self, today: str) -> None:
        self.file = ""
        self.locked: dict[str, dict[str, Any]] = {}  # stanzas of harden.lock, by image
        # Of images that only the name of the file names.
        self.configs: dict[str, tuple[ImageConfig, tuple[str, str]]] = {}
        self.unresolved = 0  # profiles of containers whose workload no export shows
        self._today = today
        self._tools: dict[tuple[str, str], list[str | None]] = {}  # by tool and file: first and last day
        self._containers: dict[tuple[Workload, str], dict[tuple[str, str], _Seen]] = {}
        self._ends: dict[Workload, Workload] = {}
        self.left_out = 0  # flows of connections beyond those that are kept
        self._ports: dict[_Pair, set[tuple[int, str]]] = {}  # on which the two talk
        self._connections = 0
        self._selected: list[_Selected] = []
        self._owners: dict[tuple[str, str, str], _Owner] = {}  # of a namespace, kind and name
        self._labels: dict[str, list[tuple[dict[str, str], Workload]]] = {}  # of pods, by namespace
        self._templates: dict[str, list[str]] = {}  # the containers that they name, by workload
        self._running: dict[str, set[str]] = {}
        self._services: dict[tuple[str, str], tuple[dict[str, str], dict[int, Any]]] = {}  # selector, target ports
        self._periods: dict[tuple[Workload, str], dict[bool, float]] = {}
        self._behind: dict[tuple[str, str], set[Workload]] = {}  # pods behind a Service
        self._about: dict[Workload, tuple[tuple[str, str], dict[str, str], str]] = {}
        self._images: dict[str, dict[str, list[Any]]] = {}
        self._cluster: dict[tuple[str, str], tuple[tuple[str, str], dict[str, str]]] = {}
        self._audits: dict[tuple[str, str], audit.Usage] = {}
        self._recordings: dict[tuple[str, str], list[tuple[str, dict[str, str]]]] = {}
        self._profiles: list[Profile] = []
        self._advised: list[tuple[str, dict[str, str], tuple[str, str], list[_Advised]]] = []

    # Where a fact is from.

    def source(self, tool: str, *days: str | None) -> tuple[str, str]:
        """The source of a fact that ``tool`` tells, at ``days`` ("2026-11-30T12:00:00Z" or None)."""
        key = (tool, self.file)
        period = self._tools.setdefault(key, [None, None])
        for day in (day[:10] for day in days if day and is_day(day[:10])):
            period[0] = min(period[0] or day, day)
            period[1] = max(period[1] or day, day)
        return key

    def put_owner(self, namespace: str, kind: str, name: str, owner: _Owner) -> None:
        """An object is made by ``owner``, which is in the same namespace."""
        if _is_legal(Workload(owner[0], namespace, owner[1])):
            self._owners[namespace, kind, name] = owner

    def put_labels(self, workload: Workload, labels: dict[str, str]) -> None:
        """Pods of ``workload`` have ``labels``."""
        self._labels.setdefault(workload.namespace, []).append((labels, workload))

    def put_template(self, workload: Workload, containers: Iterable[str]) -> None:
        """The template of ``workload`` names these containers: others in its pods were put in by somebody else."""
        self._templates[workload.text] = list(containers)

    def put_running(self, workload: Workload, containers: Iterable[str]) -> None:
        """A pod of ``workload`` has these containers."""
        self._running.setdefault(self.owner(workload).text, set()).update(containers)

    # Facts of a container.

    def _seen(self, workload: Workload, container: str, key: tuple[str, str]) -> _Seen:
        if not (_is_legal(workload) and _NAME.fullmatch(container)):
            return _Seen()  # of nothing that a cluster could hold
        return self._containers.setdefault((workload, container), {}).setdefault(key, _Seen())

    def put_image(self, workload: Workload, container: str, key: tuple[str, str], name: str, digest: str) -> None:
        """Its image ``name`` was this ``digest``."""
        self._seen(workload, container, key).images.add((name, digest))

    def put_user(
        self, workload: Workload, container: str, key: tuple[str, str], uid: int, gid: int | None, *, by_image: bool
    ) -> None:
        """It ran as ``uid``."""
        self._seen(workload, container, key).ran.add((uid, gid, by_image))

    def watch_writes(self, workload: Workload, container: str, key: tuple[str, str]) -> None:
        """A recorder watched where it writes, whether or not it did."""
        seen = self._seen(workload, container, key)
        seen.folders = seen.folders or set()

    def put_write(self, workload: Workload, container: str, key: tuple[str, str], path: str, *, made: bool) -> None:
        """It opened ``path`` for writing; ``made``: and had it made where it was not there."""
        self.watch_writes(workload, container, key)
        seen = self._seen(workload, container, key)
        clean = _path(path)
        if clean is None or seen.folders is None:
            return
        if _DYNAMIC in path:
            seen.folders.add(clean)
        elif made:
            seen.folders.add(posixpath.dirname(clean))
        else:
            seen.files.add(clean)

    def put_capabilities(self, workload: Workload, container: str, key: tuple[str, str], names: Iterable[str]) -> None:
        """It used these capabilities; a recorder watched."""
        seen = self._seen(workload, container, key)
        seen.capabilities = (seen.capabilities or set()) | {name.removeprefix("CAP_") for name in names}

    def put_usage(self, workload: Workload, container: str, key: tuple[str, str], **most: int | None) -> None:
        """What it used, as in ``model.Usage``; of several the most."""
        found = self._seen(workload, container, key).usage
        for name, amount in most.items():
            if amount is not None:
                found[name] = max(found.get(name, 0), amount)

    def put_periods(
        self, workload: Workload, container: str, key: tuple[str, str], count: float, *, throttled: bool
    ) -> None:
        """So many of its periods of cpu were counted, in all or ``throttled``; of both comes a share."""
        found = self._periods.setdefault((workload, container), {})
        found[throttled] = max(found.get(throttled, 0.0), count)
        if found.get(False):
            self.put_usage(
                workload, container, key, throttled=min(1000, round(1000 * found.get(True, 0) / found[False]))
            )

    def put_peer(
        self, source: Workload | None, target: Workload | None, port: int, protocol: str, key: tuple[str, str]
    ) -> None:
        """A connection from ``source`` to ``target`` was seen; None is what is no pod of the cluster."""
        one, other = self._end(source), self._end(target)
        said = protocol.upper() or "TCP"  # of ICMP no policy speaks
        if one != other and _NO_END not in (one, other) and port < _PORTS and said in _PROTOCOLS:
            self._put_port((one, other, key), (port, said))

    def _put_port(self, pair: _Pair, port: tuple[int, str]) -> None:
        ports = self._ports.get(pair)
        if ports is None:
            if self._connections >= _MOST_CONNECTIONS:
                self.left_out += 1
                return
            ports = self._ports[pair] = set()
        if port in ports or _ALL_PORTS in ports:
            return
        if port == _ALL_PORTS or len(ports) >= _MOST_PORTS or self._connections >= _MOST_CONNECTIONS:
            self._connections -= len(ports)
            ports.clear()
            port = _ALL_PORTS
        ports.add(port)
        self._connections += 1

    def _end(self, workload: Workload | None) -> Workload | None:
        """The end of a connection, the same object for each of its connections: its owner where that is known, or
        where more pods are seen than are kept; ``_NO_END`` for what no cluster could hold."""
        if workload is None:
            return None
        found = self._ends.get(workload)
        if found is None:
            found = workload if _is_legal(workload) else _NO_END
            if len(self._ends) >= _MOST_ENDS:
                found = self.owner(found)
                return self._ends.get(found, found)
            self._ends[workload] = found
        return found

    def put_selected_peer(
        self, workload: Workload, namespace: str, labels: dict[str, str], key: tuple[str, str],
        ports: list[tuple[int, str]], *, calls: bool,
    ) -> None:  # fmt: skip
        """Connections between ``workload`` and the pods in ``namespace`` with ``labels``, {} for what is no pod;
        ``calls``: it is the one that calls. Who has the labels is known when all was read."""
        self._selected.append((workload, namespace, labels, key, ports or [(0, "")], calls))

    def put_selected_peers(
        self, namespace: str, labels: dict[str, str], key: tuple[str, str],
        peers: list[tuple[str, dict[str, str], int, str, bool]],
    ) -> None:  # fmt: skip
        """Connections of the pods in ``namespace`` with ``labels``: of each peer its namespace and labels, port and
        protocol, and whether it is called."""
        self._advised.append((namespace, labels, key, peers))

    def put_calls(self, workload: Workload, container: str, key: tuple[str, str], names: Iterable[str]) -> None:
        """It made these system calls; a recorder watched."""
        seen = self._seen(workload, container, key)
        seen.calls = (seen.calls or set()) | refused_calls(names)

    def put_programs(self, workload: Workload, container: str, key: tuple[str, str], paths: Iterable[str]) -> None:
        """It started these programs; a recorder watched."""
        seen = self._seen(workload, container, key)
        clean = filter(None, map(_path, setuid_programs(paths)))
        seen.programs = (seen.programs or set()) | set(clean)

    def put_recording(self, namespace: str, name: str, labels: dict[str, str]) -> None:
        """A recording ``name`` is of the pods with ``labels`` in the namespace."""
        self._recordings.setdefault((name, namespace), []).append((namespace, labels))

    def put_profile(self, profile: Profile) -> None:
        """What a profile holds that names its recording, or no more than its container: of which workload it is, is
        known when all was read."""
        self._profiles.append(profile)

    # Facts of workloads, images and the cluster.

    def put_service(self, namespace: str, name: str, selector: dict[str, str], ports: dict[int, Any]) -> None:
        """A Service selects the pods with the labels of ``selector``, and leads ``ports`` to those of the pods."""
        self._services[namespace, name] = (selector, ports)

    def put_endpoint(self, namespace: str, service: str, pod: str) -> None:
        """A Service leads to this pod."""
        self._behind.setdefault((namespace, service), set()).add(Workload("Pod", namespace, pod))

    def put_about(self, workload: Workload, key: tuple[str, str], labels: dict[str, str], release: str) -> None:
        """A workload has pods with these ``labels``; Helm made it with the ``release``, "" where nothing says so."""
        if _is_legal(workload):
            self._about[workload] = (key, labels, release or labels.get(_INSTANCE, ""))

    def put_image_fact(self, image: str, kind: str, fact: Callable[[str], Any], key: tuple[str, str]) -> None:
        """A fact of the field ``kind`` of ``ImageFacts`` about an image; ``fact`` makes it with the key of its
        source."""
        if parse_image(image) is not None:
            self._images.setdefault(image, {}).setdefault(kind, []).append((fact, key))

    def put_cluster(self, kind: str, name: str, key: tuple[str, str], said: dict[str, str]) -> None:
        """What holds for the cluster; of two that have a name, what both say."""
        _, before = self._cluster.get((kind, name), (key, {}))
        if _PLAIN.fullmatch(name):
            plain = {word: text for word, text in said.items() if _PLAIN.fullmatch(text)}
            self._cluster[kind, name] = (key, before | plain)

    def put_request(self, key: tuple[str, str], request: Request) -> None:
        """A request that an audit log records."""
        self._audits.setdefault(key, audit.Usage()).add(request)

    def put_locked(self, image: str, stanza: dict[str, Any]) -> None:
        """An engine described ``image``, which the lock keeps: what stands there for it."""
        self.locked[image] = stanza

    # The result.

    def owner(self, workload: Workload) -> Workload:
        """Who made the pods of ``workload``, along the owners that the exports show, else by the names that
        controllers make."""
        kind, name = workload.kind, workload.name
        for _ in range(4):  # a Pod of a ReplicaSet of a Deployment of something
            found = self._owners.get((workload.namespace, kind, name))
            if found is None:
                break
            kind, name = found
        if kind == "ReplicaSet":
            return Workload("Deployment", workload.namespace, into_deployment(name) or name.rpartition("-")[0] or name)
        if kind in ("Pod", "Job"):
            return _by_name(kind, workload.namespace, name)
        return Workload(kind, workload.namespace, name)

    def selected(self, namespace: str, labels: dict[str, str]) -> Workload | None:
        """The workload whose pods have ``labels``; None where there is none, or several."""
        found = {
            self.owner(workload)
            for have, workload in self._labels.get(namespace, ())
            if labels and labels.items() <= have.items()
        }
        return found.pop() if len(found) == 1 else None

    def result(self) -> Recorded:
        """All that was put in, as it is kept."""
        self.resolve()
        keys = {key: f"a{index}" for index, key in enumerate(sorted(self._tools), 1)}
        return Recorded(
            {keys[key]: self._source(key) for key in self._tools},
            self._kept_containers(keys),
            self._injected(),
            tuple(sorted(self._kept_peers(keys))),
            {name: _image_facts(facts, keys) for name, facts in self._images.items()},
            self._kept_workloads(keys),
            self._kept_accounts(keys),
            tuple(sorted(
                ClusterFact(kind, name, keys[key], tuple(sorted(said.items())))
                for (kind, name), (key, said) in self._cluster.items()
            )),
        )  # fmt: skip

    def resolve(self) -> None:
        """Find the workloads of what names none, now that all was read; ``unresolved`` counts what is left."""
        self._resolve_selected()
        self._resolve_profiles()

    def _source(self, key: tuple[str, str]) -> Source:
        (tool, file), (first, last) = key, self._tools[key]
        log = self._audits.get(key, audit.Usage())
        days = (last or self._today, first if first != last else None)
        return Source(tool, file, *days, log.events, log.reads, log.notes, log.left_out)

    def _kept_containers(self, keys: dict[tuple[str, str], str]) -> dict[str, Facts]:
        together: dict[str, dict[tuple[str, str], _Seen]] = {}  # the pods of one workload are one
        for (workload, container), by_key in self._containers.items():
            held = together.setdefault(f"{self.owner(workload).text}/{container}", {})
            for key, seen in by_key.items():
                held[key] = seen.joined(held[key]) if key in held else seen
        found = {}
        for name, held in together.items():
            facts: dict[str, list[Any]] = {}
            for key, seen in held.items():
                _add(facts, keys[key], seen)
            found[name] = Facts(**{kind: tuple(sorted(set(each))) for kind, each in facts.items()})
        return {name: facts for name, facts in found.items() if facts != Facts()}

    def _kept_peers(self, keys: dict[tuple[str, str], str]) -> set[Peer]:
        found = set()
        for (one, other, key), ports in self._ports.items():
            for port, protocol in ports:
                target, behind = self._leads_to(other, port)
                found.add(Peer(self._text(one), self._text(target), behind, keys[key], protocol))
        return {peer for peer in found if peer.source != peer.target}

    def _leads_to(self, target: Workload | None, port: int) -> tuple[Workload | None, int]:
        """The workload behind a Service and its port there, where the exports show them; the Service itself else."""
        if target is None or target.kind != _SERVICE:
            return target, port
        name = (target.namespace, target.name)
        selector, ports = self._services.get(name, ({}, {}))
        pods = {self.owner(pod) for pod in self._behind.get(name, ())}
        found = pods.pop() if len(pods) == 1 else self.selected(target.namespace, selector) if selector else None
        behind = ports.get(port, port)
        return (found, behind) if found is not None and isinstance(behind, int) else (target, port)

    def _kept_workloads(self, keys: dict[tuple[str, str], str]) -> dict[str, About]:
        found: dict[str, About] = {}
        of_pods: set[str] = set()
        # What runs are the pods: their labels count before those of a template, and those that all of them have.
        for workload, (key, labels, release) in sorted(self._about.items(), key=lambda item: item[0].kind == "Pod"):
            name, kept = self.owner(workload).text, {each for each in labels.items() if _is_own_label(*each)}
            before = found.get(name, About(""))
            if name in of_pods:
                kept &= set(before.labels)
            elif workload.kind == "Pod":
                of_pods.add(name)
            found[name] = About(keys[key], before.release or release, tuple(sorted(kept))[:_MOST_LABELS])
        return {name: about for name, about in found.items() if about.release or about.labels}

    def _kept_accounts(self, keys: dict[tuple[str, str], str]) -> dict[str, tuple[Account, ...]]:
        found: dict[str, tuple[Account, ...]] = {}
        for key, log in self._audits.items():
            for (namespace, name), account in log.accounts.items():
                if _NAME.fullmatch(namespace) and _NAME.fullmatch(name):
                    kept = Account(keys[key], account.events, tuple(_rights(account)), account.whole)
                    found[f"{namespace}/{name}"] = (*found.get(f"{namespace}/{name}", ()), kept)
        return found

    def _resolve_profiles(self) -> None:
        """Put in what profiles hold of the workloads that their recordings select, or whose only container has their
        name."""
        profiles, self._profiles = self._profiles, []
        for profile in profiles:
            workload = self._recorded_by(profile) if profile.recording else self._only_with(profile.container)
            if workload is None:
                self.unresolved += 1
            else:
                profile.put(self, workload)

    def _recorded_by(self, profile: Profile) -> Workload | None:
        named = self._recordings.get((profile.recording, profile.namespace), ())
        found = {self.selected(namespace, labels) for namespace, labels in named}
        return found.pop() if len(found) == 1 else None

    def _only_with(self, container: str) -> Workload | None:
        found = {self.owner(workload) for workload, name in self._containers if name == container}
        return found.pop() if len(found) == 1 else None

    def _resolve_selected(self) -> None:
        advised, self._advised = self._advised, []
        for space, own, key, peers in advised:
            workload = self.selected(space, own)
            self.unresolved += workload is None
            if workload is None:
                continue
            for namespace, labels, port, protocol, calls in peers:
                self._selected.append((workload, namespace, labels, key, [(port, protocol)], calls))
        selected, self._selected = self._selected, []
        for workload, namespace, labels, key, ports, calls in selected:
            other = self.selected(namespace, labels) if labels else None
            if labels and other is None:
                continue  # pods that the exports do not show, or several workloads
            source, target = (workload, other) if calls else (other, workload)
            for port, protocol in ports:
                self.put_peer(source, target, port, protocol, key)

    def _text(self, workload: Workload | None) -> str:
        return OUTSIDE if workload is None else self.owner(workload).text

    def _injected(self) -> dict[str, tuple[str, ...]]:
        found = {}
        for text, names in self._templates.items():
            if more := self._running.get(text, set()) - set(names):
                found[text] = tuple(sorted(more))
        return found


class Profile(Struct, frozen=True):
    """A profile of one ``container`` that does not name its workload: it is of the ``recording`` in ``namespace``, ""
    where it names none. ``put`` puts in what it holds of a workload."""

    container: str
    put: Callable[[Collector, Workload], None]
    recording: str = ""
    namespace: str = ""


def _image_facts(facts: dict[str, list[Any]], keys: dict[tuple[str, str], str]) -> ImageFacts:
    made = {kind: tuple(sorted({fact(keys[key]) for fact, key in each})) for kind, each in facts.items()}
    return ImageFacts(**made)


def _is_own_label(name: str, text: str) -> bool:
    return not name.startswith(_LABELS_OF_CONTROLLERS) and len(name) + len(text) <= _LONGEST_LABEL and (
        bool(_PLAIN.fullmatch(name)) and (not text or bool(_PLAIN.fullmatch(text)))
    )  # fmt: skip


def _rights(account: audit.Account) -> Iterable[Right]:
    """What an account did, with the verbs together that it used on the same."""
    together: dict[tuple[str, str, str, tuple[str, ...], str], set[str]] = {}
    for (namespace, group, resource, verb), names in account.grants.items():
        key = (group, resource, namespace or "", tuple(sorted(names or ())), "")
        together.setdefault(key, set()).add(verb)
    for url, verb in account.urls:
        together.setdefault(("", "", "", (), url), set()).add(verb)
    return sorted(Right(tuple(sorted(verbs)), *key) for key, verbs in together.items())


def into_deployment(name: str) -> str | None:
    """The Deployment that makes a ReplicaSet of this name, None where no Deployment names one so."""
    found = _REPLICA_SET.fullmatch(name)
    return found[1] if found is not None else None


def _is_legal(workload: Workload) -> bool:
    """Whether a cluster could hold a workload of this name."""
    named = _NAME.fullmatch(workload.namespace) and _NAME.fullmatch(workload.name)
    return bool(named and (not workload.kind or _KIND.fullmatch(workload.kind)))


def _by_name(kind: str, namespace: str, name: str) -> Workload:
    for maker, pattern in _MADE_NAMES:
        if (found := pattern.fullmatch(name)) is not None:
            return Workload(maker, namespace, found[1])
    return Workload(kind, namespace, name)


def _path(path: str) -> str | None:
    """The path as it is kept; None for what is no path of the image. Of one with a part that differs in each run, the
    folder before that part."""
    clean = posixpath.normpath(path.partition(_DYNAMIC)[0])
    if not clean.startswith("/") or clean.startswith("//") or not clean.isprintable():
        return None
    if clean == "/" or any(clean == top or clean.startswith(f"{top}/") for top in _OF_THE_NODE):
        return None
    return clean


def _add(facts: dict[str, list[Any]], by: str, seen: _Seen) -> None:
    facts.setdefault("images", []).extend(Image(by, *image) for image in seen.images)
    facts.setdefault("ran", []).extend(Ran(by, *ran) for ran in seen.ran)
    if seen.folders is not None:
        writes = Writes(by, _collapsed(seen.folders), tuple(sorted(seen.files)[:_MOST_PATHS]))
        facts.setdefault("writes", []).append(writes)
    if seen.capabilities is not None:
        facts.setdefault("capabilities", []).append(Capabilities(by, tuple(sorted(seen.capabilities))))
    if seen.usage:
        facts.setdefault("usage", []).append(Usage(by, **seen.usage))
    if seen.calls is not None:
        facts.setdefault("calls", []).append(Calls(by, tuple(sorted(seen.calls))))
    if seen.programs is not None:
        facts.setdefault("programs", []).append(Programs(by, tuple(sorted(seen.programs)[:_MOST_PATHS])))


def _collapsed(folders: set[str]) -> tuple[str, ...]:
    """The folders without those below another one; many beside each other become their parent."""
    found = _outermost(folders)
    while len(found) > _MOST_PATHS and (deepest := max(path.count("/") for path in found)) > 1:
        found = _outermost(posixpath.dirname(path) if path.count("/") == deepest else path for path in found)
    by_parent: dict[str, list[str]] = {}
    for path in found:
        by_parent.setdefault(posixpath.dirname(path), []).append(path)
    kept: list[str] = []
    for parent, paths in by_parent.items():
        kept += [parent] if len(paths) > _WITH_CHILDREN and parent != "/" else paths
    return tuple(_outermost(kept))


def _outermost(folders: Iterable[str]) -> list[str]:
    found: list[str] = []
    for path in sorted(set(folders), key=lambda path: path.split("/")):
        if not found or not path.startswith(f"{found[-1]}/"):
            found.append(path)
    return found
