"""The workloads of a namespace as one application in a cluster: in a namespace of its own, with what they need.

Pods are native there: the API server admits them, kubelets start and probe them, accounts have real tokens, and the
network plugin of the cluster enforces policies. What leads outside of the namespace, or to one node, is left out.
"""

from __future__ import annotations

import base64
import itertools
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from hardener.kubernetes.images.reference import parse as parse_image
from hardener.observe.application import Application, Workload, placed, pod_name
from hardener.observe.cluster import Cluster
from hardener.observe.cluster_pod import ClusterPod, declared_ports
from hardener.observe.container_activity import Activity
from hardener.observe.engine import LABEL, Engine, EngineError
from hardener.observe.exercise import Exercise
from hardener.observe.images import Image, Images
from hardener.observe.pod_network import Network
from hardener.observe.pod_run import Came
from hardener.observe.pod_values import MissingError
from hardener.observe.supported_fields import refusal
from hardener.support.printable import plain
from hardener.support.shapes import mapping, mappings
from hardener.tree.tree import Tree

Map = dict[str, Any]
_SUBNET = "10.0.0.0/16"  # addresses of nobody: the cluster has its own
_MOST_SECONDS = 3600  # that a pod runs, should nobody delete it
_MEMORY, _DISK = "4Gi", "4Gi"  # of a container without a limit
# Where a pod runs, and what has to be there first: nothing of this changes what a run shows, and another cluster may
# have no such node, class or gate.
_OF_PLACE = (
    "nodeName nodeSelector affinity topologySpreadConstraints priorityClassName priority preemptionPolicy "
    "schedulerName schedulingGates readinessGates"
).split()
# What makes a Service more than a name in its namespace.
_OF_SERVICE = ("ports", "selector", "sessionAffinity", "publishNotReadyAddresses", "ipFamilyPolicy")
_FIXED = ("StatefulSet", "Pod")  # whose pods have names that others know
_FALLBACK = "FallbackToLogsOnError"
_OTHER = "the node ran another image than harden.lock names: harden lock --update, or name the digest in the manifest"


class NodeImages(Images):
    """Images that nodes pull: what is known of one is what the lock says."""

    def _get(self, text: str) -> Image:
        reference = parse_image(text)
        if reference is None or reference.normalized is None or reference.opaque:
            raise MissingError("it is no image by name and tag or digest")
        locked = self._lock.find(reference)
        key = self._names[id(locked)] if locked is not None else reference.text
        return Image(text, reference.digest or (locked.digest if locked is not None else None), {}, key)


class ClusterApplication(Application):
    """An application in the cluster that is the engine."""

    sees_calls = False
    reads_images = False

    def __init__(self, engine: Engine, agent: Any, tree: Tree, name: str, *more: Any, **options: Any) -> None:
        super().__init__(engine, agent, tree, name, *more, **options)
        assert isinstance(engine, Cluster)
        self._cluster = engine
        self.space = f"harden-observe-{secrets.token_hex(4)}"
        objects = [item for item in tree.objects if (item.namespace or "default") == name]
        self._types = {item.name: item.data.get("type") for item in objects if item.kind == "Secret"}
        self._policies = [item.data for item in objects if item.kind == "NetworkPolicy"]
        self._pods: dict[str, ClusterPod] = {}
        self._answers: dict[str, Mapping[int, str]] = {}
        self._numbers = itertools.count(1)
        self._claims = False
        self._is_made = False

    # What is made.

    def begin(self) -> None:
        """Make its namespace, and what its pods need there. Raises EngineError."""
        self._claims = self._cluster.provides_claims()
        pods = [placed(workload) for workload in self.workloads if self.may_run(workload)]
        self._places = Network(_SUBNET, self.name, pods, self._services)
        self._is_made = True
        for objects in ([self.namespace()], list(self.objects())):
            done = self._cluster.make(objects)
            if not done.ok:
                raise EngineError(f"the namespace {self.space} cannot be made: {done.reason}")

    def namespace(self) -> Map:
        """Its Namespace."""
        levels = {"enforce": "baseline", "warn": "restricted"}
        labels = {f"pod-security.kubernetes.io/{key}": value for key, value in levels.items()}
        metadata = {"name": self.space, "labels": {LABEL: self._cluster.run} | labels}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    def objects(self) -> Iterator[Map]:
        """What is made in its namespace beside pods: what these name, and the Services and policies of the tree."""
        yield from self._contents()
        for name in sorted({account_of(workload.spec) for workload in self.workloads} | {"default"}):
            own = self._accounts.get(name, {}).get("automountServiceAccountToken")
            more = {} if own is None else {"automountServiceAccountToken": own}
            yield self._object("v1", "ServiceAccount", name, **more)
        inside = (each for each in self._services if mapping(each.get("spec")).get("type") != "ExternalName")
        yield from map(self._service, inside)
        yield from self._bounds()
        yield from (self._policy(each) for each in self._policies)

    def _contents(self) -> Iterator[Map]:
        """The ConfigMaps and Secrets that pods name."""
        words = {word for workload in self.workloads for word in _words(workload.spec)}
        for name, files in self._config_maps.items():
            if name in words and name != "kube-root-ca.crt":
                yield self._object("v1", "ConfigMap", name, binaryData=_encoded(files))
        for name, files in self._secrets.items():
            if name in words:
                kind = self._types.get(name)
                more = {"type": kind} if kind and kind != "kubernetes.io/service-account-token" else {}
                yield self._object("v1", "Secret", name, data=_encoded(files), **more)

    def _service(self, service: Map) -> Map:
        """A Service of the tree as a name in the namespace, without an address from outside."""
        spec = mapping(service.get("spec"))
        kept = {key: spec[key] for key in _OF_SERVICE if key in spec}
        ports = mappings(spec.get("ports"))
        kept["ports"] = [{key: value for key, value in port.items() if key != "nodePort"} for port in ports]
        headless = {"clusterIP": "None"} if spec.get("clusterIP") == "None" else {}
        return self._object("v1", "Service", str(mapping(service.get("metadata")).get("name")), spec=kept | headless)

    def _bounds(self) -> Iterator[Map]:
        most = {"memory": _MEMORY, "ephemeral-storage": _DISK}
        least = {"memory": "16Mi", "cpu": "10m", "ephemeral-storage": "0"}  # what is not said is requested whole
        limits = [{"type": "Container", "default": most, "defaultRequest": least}]
        yield self._object("v1", "LimitRange", "harden-observe", spec={"limits": limits})

    def _policy(self, data: Map) -> Map:
        name = str(mapping(data.get("metadata")).get("name"))
        return self._object("networking.k8s.io/v1", "NetworkPolicy", name, spec=data.get("spec"))

    def _object(self, version: str, kind: str, name: str, **more: Any) -> Map:
        metadata = {"name": name, "namespace": self.space, "labels": {LABEL: self._cluster.run}}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}

    def take_policies(self, tree: Tree) -> None:
        """Make the policies of ``tree``, which are those of a run of harden, so that what runs from now on is under
        them. Raises EngineError."""
        found = [
            self._policy(item.data)
            for item in tree.objects
            if item.kind == "NetworkPolicy" and (item.namespace or "default") == self.name
        ]
        done = self._cluster.make(found)
        if not done.ok:
            raise EngineError(f"its policies cannot be made: {done.reason}")

    # What is run.

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
        """As ``Application.run``; nothing is compared with ``before`` there, the way down is not looked at, and what
        the user gave as ``exercises`` is refused before."""
        self.end(workload)
        problem = refusal(spec, workload.pod.metadata.data)
        if problem is not None:
            return Came(False, problem.text, refused=problem), {}
        workload.runs += 1
        pod, claims = self._pod(workload, spec)
        try:
            if claims and not (done := self._cluster.make(claims)).ok:
                raise EngineError(f"its claims cannot be made: {done.reason}")
            came = pod.run(seconds, whole=whole, restarts=restarts, serves=serves)
            if serves is None and came.up:
                self._answers.setdefault(workload.key, pod.answers)
            self._note(workload, pod)
            if stays and came.up:
                self._pods[workload.key] = pod
            return came, pod.seen
        finally:
            if self._pods.get(workload.key) is not pod:
                self._delete(pod)

    def _pod(self, workload: Workload, spec: Map) -> tuple[ClusterPod, list[Map]]:
        """The pod of ``workload`` with ``spec``, and the claims that it needs."""
        name = pod_name(workload)
        if workload.pod.kind not in _FIXED:
            name = f"{name[:54]}-{next(self._numbers)}"
        metadata = workload.pod.metadata.data
        told = {"labels": mapping(metadata.get("labels")) | {LABEL: self._cluster.run}}
        if metadata.get("annotations"):
            told["annotations"] = metadata["annotations"]
        volumes, claims = self._volumes(workload, spec, name)
        whole = _placed_anywhere(spec) | volumes | _of_set(workload, name)
        own = {"name": name, "namespace": self.space, **told}
        data = {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": whole}
        called = {
            target for ports in self.network.endpoints[workload.key].services.values() for target in ports.values()
        }
        pod = ClusterPod(
            self._cluster, data, workload.pod.kind in ("Job", "CronJob"), self._mask, self._stop, self._shows_output,
            is_alone=bool(claims) or workload.pod.kind in _FIXED,
            asked=list(dict.fromkeys([*declared_ports(whole), *sorted(called)])),
            expected=self._answers.get(workload.key, {}),
        )  # fmt: skip
        return pod, claims

    def _volumes(self, workload: Workload, spec: Map, pod: str) -> tuple[Map, list[Map]]:
        """The volumes of a pod, with claims of its own in place of those that it names, and these claims. Without a
        class of storage that is the default they are empty folders."""
        templates = mappings(mapping(workload.pod.object.data.get("spec")).get("volumeClaimTemplates"))
        of_set = {str(mapping(each.get("metadata")).get("name")): mapping(each.get("spec")) for each in templates}
        volumes = [*mappings(spec.get("volumes")), *({"name": name, "persistentVolumeClaim": {}} for name in of_set)]
        found, claims = [], []
        for volume in volumes:
            if "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
                found.append(volume)
            elif not self._claims:
                found.append({"name": volume["name"], "emptyDir": {}})
            else:
                name = f"{pod}-{volume['name']}"[:253]
                asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                claims.append(self._object("v1", "PersistentVolumeClaim", name, spec=asked))
                found.append({"name": volume["name"], "persistentVolumeClaim": {"claimName": name}})
        return ({"volumes": found} if found else {}), claims

    def _note(self, workload: Workload, pod: ClusterPod) -> None:
        """Keep what ran: which digest, and what the API server warned of."""
        for container in mappings(pod.pod["spec"].get("containers")):
            text, digest = str(container.get("image")), pod.digests.get(str(container.get("name")))
            image = workload.images.get(text)
            if image is None or image.digest == digest or not pod.seen:
                continue
            if image.digest is not None and digest is not None and _OTHER not in workload.lost:
                workload.lost.append(_OTHER)
            workload.images[text] = replace(image, digest=digest if image.digest is None else None)
        workload.violates.append(plain(pod.violates))

    def places(self, workload: Workload, container: str, lines: list[str], mounted: Collection[str]) -> set[str]:
        """None: the API server does not tell what folders an image has."""
        return set()

    def exercise(self, workload: Workload, exercise: Exercise) -> str | None:
        """That it says nothing: what would have to hold again with changes is not run in a cluster."""
        return f"{exercise.key or '--exercise'}: it is not run in a cluster"

    def ask_again(self, workload: Workload) -> dict[str, Activity]:
        """Nothing: what its ports answer is compared as it comes up."""
        return {}

    def facts(self, workload: Workload) -> dict[str, Activity]:
        """Nothing: what of it is seen is known as it comes up."""
        return {}

    def go_down(self, workload: Workload) -> dict[str, Activity]:
        """Nothing: it goes on running, since how a pod of a cluster ends is not looked at."""
        return {}

    def is_running(self, workload: Workload) -> bool:
        return workload.key in self._pods

    def ended(self, workload: Workload) -> str | None:
        return self._pods[workload.key].ended() if self.is_running(workload) else None

    def end(self, workload: Workload) -> None:
        """Delete the pod of ``workload``."""
        pod = self._pods.pop(workload.key, None)
        if pod is not None:
            self._delete(pod)

    def _delete(self, pod: ClusterPod) -> None:
        volumes = mappings(pod.pod["spec"].get("volumes"))
        claims = [mapping(volume.get("persistentVolumeClaim")).get("claimName") for volume in volumes]
        pod.delete()
        for name in claims:
            if name is not None:
                self._cluster.call("delete", "persistentvolumeclaim", name, "-n", self.space, "--wait=false")

    def close(self) -> None:
        """Delete its namespace with all that is in it."""
        self._pods.clear()
        if self._is_made:
            self._cluster.delete_namespaces([self.space])
            self._is_made = False


def account_of(spec: Map) -> str:
    """The service account of a pod with ``spec``."""
    return str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")


def _placed_anywhere(spec: Map) -> Map:
    """``spec`` for any node, bounded in time, with containers that tell by which line they ended."""
    found = {key: value for key, value in spec.items() if key not in _OF_PLACE}
    for key in ("containers", "initContainers"):
        if found.get(key):
            found[key] = [{"terminationMessagePolicy": _FALLBACK} | each for each in mappings(found[key])]
    grace = spec.get("terminationGracePeriodSeconds")
    return found | {
        "activeDeadlineSeconds": _MOST_SECONDS,
        "terminationGracePeriodSeconds": min(grace, 5) if isinstance(grace, int) else 5,
    }


def _of_set(workload: Workload, name: str) -> Map:
    """What the controller of a StatefulSet gives its first pod."""
    if workload.pod.kind != "StatefulSet":
        return {}
    service = mapping(workload.pod.object.data.get("spec")).get("serviceName")
    return {"hostname": name} | ({"subdomain": str(service)} if service else {})


def _encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in files.items()}


def _words(data: Any) -> Iterable[str]:
    """All texts in ``data``."""
    if isinstance(data, dict):
        for value in data.values():
            yield from _words(value)
    elif isinstance(data, list):
        for value in data:
            yield from _words(value)
    elif isinstance(data, str):
        yield data
