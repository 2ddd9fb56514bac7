"""The workloads of a namespace as one application: on a private network of their own, with their Services as names."""

from __future__ import annotations

import base64
import json
import random
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.kubernetes.objects.object_names import as_dns_label
from hardener.observe import pod_network
from hardener.observe.accepted import is_namespace
from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity
from hardener.observe.engine import Engine, EngineError
from hardener.observe.exercise import Exercise, problem_with
from hardener.observe.generated import generated
from hardener.observe.image_folders import ImageFolders
from hardener.observe.images import Image, Images
from hardener.observe.log_evidence import paths
from hardener.observe.pod_network import Network
from hardener.observe.pod_run import Came, Planned, PodRun
from hardener.observe.pod_values import Given, MissingError, content_of
from hardener.observe.port_hints import hints
from hardener.observe.questions import Hint
from hardener.observe.refusal import NotStartedError, Refusal
from hardener.observe.supported_fields import refusal
from hardener.support.data_path import Path
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

Map = dict[str, Any]
DEFAULT = "default"
_MOST_WORKLOADS = 250  # of one application, which are up at a time
_TESTS = frozenset(("test", "test-success"))
_TRIES = 12  # for a subnet that nobody has
# A certificate of an authority that signs nothing: programs read the file before they look at what is in it.
_AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUN27/GM/zyS+eNytSvq4OxqZ/lIkwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjgxNTIxMDVaGA8yMTI2MTEw
NDE1MjEwNVowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABO4QDtgtGG/ShYQ4co2CO9DcjDJtMdu1FAQcdPGV3uvZdJj3pPB1
KOjkX/aBBq3ulq9MasPzdOQDcBqSn9hPnASjUzBRMB0GA1UdDgQWBBSnl7rkN5vD
moWl4Mm/m7WebZFi+TAfBgNVHSMEGDAWgBSnl7rkN5vDmoWl4Mm/m7WebZFi+TAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQC9AJ4g+EttoxKPHCId
6cKJE4ktMUb6bvYV/QPfuwqJawIgWYlE3BpNL11gPkKqvzNlXYs1BOtOXA68l8SM
PyFfeFo=
-----END CERTIFICATE-----
"""
# A controller of the cluster puts it into every namespace (root-ca-cert-publisher).
_ROOT = {"kube-root-ca.crt": {"ca.crt": _AUTHORITY.encode()}}


class Workload(Struct, eq=False):
    """A workload of the tree: ``key`` ("Deployment/web"), its spec as read, and what became of it.

    ``refused``: why it is not run at all, and where that stands; ``missing``: the image that could not be pulled.
    ``came``: how it came up as it is. ``seen``: of its containers, as it is. ``violates``: what kept it from the level
    restricted in each run, where an API server tells.
    """

    key: str
    pod: PodTemplate
    spec: Map
    images: dict[str, Image] = field(default_factory=dict)
    refused: Refusal | None = None
    missing: Refusal | None = None
    came: Came | None = None
    seen: dict[str, Activity] = field(default_factory=dict)
    runs: int = 0
    lost: list[str] = field(default_factory=list)
    violates: list[str] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        return self.came is not None and self.came.up


class Application:
    """The ``workloads`` of the namespace ``name`` of ``tree``; of what several folders hold, ``folder`` is meant.

    ``mask`` takes secrets out of a text; ``stop`` ends all that waits. ``shows_output``: a line of what a container
    prints may be part of a reason. ``sees_calls``: it is seen who calls whom. ``reads_images``: the configs of its
    images are known, so that it is known who starts as root.
    """

    sees_calls = True
    reads_images = True

    def __init__(
        self,
        engine: Engine,
        agent: AgentClient,
        tree: Tree,
        name: str,
        folder: str,
        workloads: list[Workload],
        mask: Callable[[str], str],
        stop: threading.Event,
        *,
        shows_output: bool = True,
    ) -> None:
        self._shows_output = shows_output
        self._engine, self._agent = engine, agent
        self.name, self.workloads = name, workloads
        self._mask, self._stop = mask, stop
        self._network: str | None = None
        self._places: Network | None = None
        self._running: dict[str, PodRun] = {}
        self._tests = threading.Lock()  # a workload of the tree that tests another one runs once at a time
        there = [item for item in tree.objects if (item.namespace or DEFAULT) == name]
        core = _by_kind([item for item in there if item.group == ""], folder)
        self._config_maps = _ROOT | generated(tree, "ConfigMap", name) | _contents(core["ConfigMap"])
        self._secrets = generated(tree, "Secret", name) | _contents(core["Secret"])
        self._services = list(core["Service"].values())
        self._ingresses = [item.data for item in there if item.kind == "Ingress"]
        self._accounts = core["ServiceAccount"]

    def secrets(self) -> Iterable[tuple[str, str]]:
        """The keys and values of its Secrets, for whoever masks them."""
        for held in self._secrets.values():
            yield from ((key, value.decode("utf-8", "replace")) for key, value in held.items())

    def prepare(self, images: Images) -> None:
        """Bring the images of its workloads, and say of each workload whether it can be run."""
        for number, workload in enumerate(self.workloads):
            workload.refused = refusal(workload.spec, workload.pod.metadata.data) or self._misplaced(number)
            if workload.refused is not None:
                continue
            for text, path in _images_of(workload.spec).items():
                try:
                    workload.images[text] = images.get(text)
                except MissingError as error:
                    workload.missing = Refusal(path, str(error), "name an image that a registry has, or the engine")
                    break

    def _misplaced(self, number: int) -> Refusal | None:
        """Why a workload of this ``number`` is not run here, whatever it is."""
        if not is_namespace(self.name):
            text = f"{self.name!a} is no name of a namespace"
            return Refusal(("metadata", "namespace"), text, "write lower-case letters, digits and dashes")
        if number >= _MOST_WORKLOADS:
            text = f"its namespace has more than {_MOST_WORKLOADS} workloads"
            return Refusal((), text, "give harden observe a folder with fewer of them")
        return None

    def begin(self) -> None:
        """Make its network. Raises EngineError."""
        numbers = random.Random(secrets.token_bytes(8))
        problem = ""
        for _ in range(_TRIES):
            subnet = f"10.{numbers.randrange(100, 250)}.{numbers.randrange(0, 256, 16)}.0/20"
            name = f"harden-{secrets.token_hex(6)}"
            options = ["--disable-dns"] if self._engine.name == "podman" else []
            done = self._engine.call(
                "network", "create", "--internal", *options, "--subnet", subnet, *self._engine.labels(), name
            )
            if done.ok:
                self._network = name
                pods = [placed(workload) for workload in self.workloads if self.may_run(workload)]
                self._places = Network(subnet, self.name, pods, self._services)
                return
            problem = done.reason
        raise EngineError(f"no private network can be made: {problem}")

    def take_policies(self, tree: Tree) -> None:
        """Have the policies of ``tree`` enforced from now on, where somebody does: no container engine knows them."""

    @staticmethod
    def may_run(workload: Workload) -> bool:
        return workload.refused is None and workload.missing is None

    @property
    def network(self) -> Network:
        assert self._places is not None
        return self._places

    def run(
        self,
        workload: Workload,
        spec: Map,
        seconds: float,
        *,
        whole: bool,
        restarts: bool,
        stays: bool = False,
        serves: Mapping[str, Collection[str]] | None = None,
        before: Mapping[str, Activity] | None = None,
        goes_down: bool = False,
        exercises: Iterable[Exercise] = (),
    ) -> tuple[Came, dict[str, Activity]]:
        """Run ``workload`` with ``spec`` in place of what runs of it, and tell how it came up and what was seen of it,
        with what it answers. With ``stays`` it goes on running where it came up; ``serves`` and ``before`` are what
        ``PodRun.run`` has. ``goes_down``: it is told to end, and that is looked at, too. Where one of the
        ``exercises`` goes wrong it has not come up."""
        self.end(workload)
        workload.runs += 1
        pod: PodRun | None = None
        try:
            problem = refusal(spec, workload.pod.metadata.data)
            if problem is not None:
                return Came(False, problem.text, refused=problem), {}
            planned = self._planned(workload, spec)
            assert self._network is not None
            pod = PodRun(
                self._engine,
                self._agent,
                self._network,
                self.network.endpoints[workload.key],
                list(self.network.hosts()),
                planned,
                self._mask,
                self._stop,
                shows_output=self._shows_output,
            )
            came = pod.run(seconds, whole=whole, restarts=restarts, serves=serves, before=before)
            if came.up:
                came = self._asked(came, pod, workload, exercises)
            if came.refused is not None:
                workload.runs -= 1
            elif not came.up or before is not None:  # what is compared may speak against it
                came = replace(came, said=pod.said())
            workload.lost = [*self.network.endpoints[workload.key].unreachable, *pod.carried]
            goes_down = goes_down and came.up
            seen = pod.facts(ends=goes_down and not whole)
            if goes_down:
                pod.go_down()
            if stays and came.up:
                self._running[workload.key], pod = pod, None
            return came, seen
        except (MissingError, NotStartedError) as error:
            return Came(False, self._mask(str(error))), {}
        finally:
            if pod is not None:
                pod.end()

    def _asked(self, came: Came, pod: PodRun, workload: Workload, exercises: Iterable[Exercise]) -> Came:
        """``came``, after the ports of ``pod`` were asked, and ``exercises`` tried: it has not come up where one goes
        wrong."""
        pod.ask(self._hints(workload))
        wrong = next(filter(None, (self._exercised(pod, each) for each in exercises)), None)
        return came if wrong is None else replace(came, up=False, reason=self._mask(wrong))

    def exercise(self, workload: Workload, exercise: Exercise) -> str | None:
        """What goes wrong with ``exercise`` against what runs of ``workload``; None where nothing does."""
        found = self._exercised(self._running[workload.key], exercise)
        return None if found is None else self._mask(found)

    def _exercised(self, pod: PodRun, exercise: Exercise) -> str | None:
        if exercise.key is None:
            target = pod.target(self.name)
            problem = pod.looked_at(lambda: problem_with(exercise, target, self._engine, self._agent))
        else:
            problem = self._run_of_tree(exercise.key)
        if problem is None:
            pod.note_exercise()
            return None
        return f"{exercise.key or '--exercise'}: {problem}"

    def _run_of_tree(self, key: str) -> str | None:
        """What goes wrong with the workload ``key``, which is to end with 0."""
        test = next((each for each in self.workloads if each.key == key and self.may_run(each)), None)
        if test is None:
            return "the tree has no such workload in this namespace that can be run"
        with self._tests:
            came, _ = self.run(test, test.spec, 1, whole=False, restarts=True)
        return None if came.up else came.reason

    def ask_again(self, workload: Workload) -> dict[str, Activity]:
        """Ask what runs of ``workload`` what it was asked as it ran first, and return what was seen of it until now."""
        pod = self._running[workload.key]
        pod.ask({})
        return pod.facts()

    def facts(self, workload: Workload) -> dict[str, Activity]:
        """What was seen until now of what runs of ``workload``."""
        return self._running[workload.key].facts()

    def go_down(self, workload: Workload) -> dict[str, Activity]:
        """Tell what runs of ``workload`` to end, and return what was seen of it until it had."""
        pod = self._running.pop(workload.key)
        try:
            return pod.go_down()
        finally:
            pod.end()

    def _hints(self, workload: Workload) -> dict[int, Hint]:
        """What the tree says of the ports of ``workload``, by their numbers."""
        return hints(workload.spec, self.network.endpoints[workload.key].services, self._services, self._ingresses)

    def is_running(self, workload: Workload) -> bool:
        return workload.key in self._running

    def ended(self, workload: Workload) -> str | None:
        """What ``workload`` said that came up, went on, and has ended by now; None where it runs, or was not to."""
        return self._running[workload.key].ended() if self.is_running(workload) else None

    def end(self, workload: Workload) -> None:
        """End what runs of ``workload``."""
        running = self._running.pop(workload.key, None)
        if running is not None:
            running.end()

    def places(self, workload: Workload, container: str, lines: list[str], mounted: Collection[str]) -> set[str]:
        """The folders of its image to which ``container`` may have to write by what it said, as ``ImageFolders.places``
        has them."""
        spec = next((each for each in containers_of(workload.spec) if each.get("name") == container), {})
        image = workload.images.get(str(spec.get("image")))
        if image is None or not paths(lines):
            return set()
        own = (str(each.get("mountPath")).rstrip("/") for each in mappings(spec.get("volumeMounts")))
        with ImageFolders(self._engine, image.reference, f"harden-{secrets.token_hex(6)}") as folders:
            return folders.places(lines, {*mounted, *own})

    def close(self) -> None:
        """End all, and remove the network."""
        for workload in self.workloads:
            self.end(workload)
        if self._network is not None:
            force = ["-f"] if self._engine.name == "podman" else []
            self._engine.call("network", "rm", *force, self._network)
            self._network = None

    def _planned(self, workload: Workload, spec: Map) -> Planned:
        metadata = workload.pod.metadata.data
        labels, annotations = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
        account = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")
        links = spec.get("enableServiceLinks") is not False
        given = Given(
            self._config_maps,
            self._secrets,
            self.network.variables() if links else self.network.api_variables(),
            _token(self.name, account),
            pod_name(workload),
            self.name,
            self.network.endpoints[workload.key].address,
            labels,
            annotations,
            account,
        )
        own = spec.get("automountServiceAccountToken")
        if own is None:
            own = self._accounts.get(account, {}).get("automountServiceAccountToken")
        images = {text: (image.reference, image.config) for text, image in workload.images.items()}
        return Planned(
            workload.key, ends(workload), _with_claims(spec, workload), given, images, own is not False
        )  # fmt: skip


def _by_kind(objects: Iterable[Object], folder: str) -> dict[str, dict[str, Map]]:
    """The data of ``objects`` by kind and name: of several with one name the last, and one in ``folder`` first of
    all."""
    found: dict[str, dict[str, Map]] = defaultdict(dict)
    for item in sorted(objects, key=lambda item: bool(folder) and item.piece.file.name.startswith(f"{folder}/")):
        found[item.kind][item.name] = item.data
    return found


def _contents(objects: Mapping[str, Map]) -> dict[str, dict[str, bytes]]:
    return {name: content_of(data) for name, data in objects.items()}


def ends(workload: Workload) -> bool:
    """Whether it is to come to an end by itself: a Job, and a pod that tests the release of a chart."""
    return workload.pod.kind in ("Job", "CronJob") or is_test(workload)


def is_test(workload: Workload) -> bool:
    """Whether helm runs it to test a release (helm.sh/docs/topics/chart_tests)."""
    annotations = (mapping(each.get("metadata")).get("annotations") for each in (workload.pod.object.data,))
    hooks = [
        str(mapping(each).get("helm.sh/hook")) for each in (*annotations, workload.pod.metadata.data.get("annotations"))
    ]
    return any(name.strip() in _TESTS for hook in hooks for name in hook.split(","))


def containers_of(spec: Map) -> list[Map]:
    """The containers of a pod with ``spec``, those that come first before the others."""
    return [each for key in ("initContainers", "containers") for each in mappings(spec.get(key))]


def _with_claims(spec: Map, workload: Workload) -> Map:
    """``spec`` with the volumes that a StatefulSet makes of its volumeClaimTemplates."""
    templates = mapping(workload.pod.object.data.get("spec")).get("volumeClaimTemplates")
    names = [mapping(each.get("metadata")).get("name") for each in templates or [] if isinstance(each, dict)]
    claims = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    return spec | {"volumes": [*(spec.get("volumes") or []), *claims]} if claims else spec


def _images_of(spec: Map) -> dict[str, Path]:
    """The images of a pod, each with where it stands first."""
    found: dict[str, Path] = {}
    for key in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(key) or []):
            found.setdefault(str(container.get("image")), (key, number, "image"))
    return found


def placed(workload: Workload) -> pod_network.Pod:
    """``workload`` as its network knows it."""
    item = workload.pod.object
    governing = mapping(item.data.get("spec")).get("serviceName") if item.kind == "StatefulSet" else None
    labels = mapping(workload.pod.metadata.data.get("labels"))
    name = str(governing) if governing else None
    return pod_network.Pod(workload.key, item.kind, item.name, labels, workload.spec, name)


def pod_name(workload: Workload) -> str:
    """What its pod is called."""
    name = as_dns_label(workload.pod.object.name, 50)
    ending = {"StatefulSet": "-0", "Pod": "", "DaemonSet": "-observe", "Job": "-observe"}
    return name + ending.get(workload.pod.kind, "-observe-0")


def _token(namespace: str, account: str) -> dict[str, bytes]:
    """The files of a service account that no API server knows."""

    def part(value: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": f"system:serviceaccount:{namespace}:{account}", "iss": "https://kubernetes.default.svc"}
    token = f"{part({'alg': 'RS256', 'kid': 'observe'})}.{part(claims)}.{secrets.token_urlsafe(64)}"
    return {"token": token.encode(), "namespace": namespace.encode(), "ca.crt": _AUTHORITY.encode()}
