"""One pod in a cluster: made, watched until it is ready or cannot be, asked at its ports, and deleted.

What is known of it is what the API server tells: its status, its log, and what its ports answer through the proxy of
the API server. Source of the reasons: kubernetes pkg/kubelet/images and pkg/kubelet/kuberuntime (waiting.reason).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from hardener.observe.cluster import Cluster
from hardener.observe.container_activity import Activity
from hardener.observe.log_lines import telling
from hardener.observe.pod_run import Came, StoppedError
from hardener.observe.questions import HTTP, Answer, Question
from hardener.observe.refusal import NotStartedError, Refusal
from hardener.support.printable import plain
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]
_TICK, _SETTLE = 0.5, 2.0  # seconds
_LOOKS = 6  # until a kubelet has told of a container that ended
_MOST_SECONDS, _LEAST_SECONDS = 300.0, 60.0  # to become ready; a node may have to pull its image first
_MOST_RESTARTS = 5
_LOG_LINES, _LOG_LINE = 40, 400
_GRACE = 1  # seconds to stop in
_ASK_SECONDS = 15.0
_MOST_PORTS = 16  # that are asked
_NEVER = frozenset(
    "CreateContainerConfigError CreateContainerError RunContainerError InvalidImageName ErrImageNeverPull "
    "PreCreateHookError PreStartHookError PostStartHookError".split()
)
"""Reasons for which a container waits that do not pass by themselves."""
_NO_IMAGE = frozenset("ErrImagePull ImagePullBackOff ErrImageNeverPull InvalidImageName RegistryUnavailable".split())
_NOT_SHOWN = "its output is not shown (--show-output)"
_WARNING = re.compile(r"(?m)^Warning: (.+)$")
_VIOLATES = re.compile(r'would violate PodSecurity "restricted:[^"]*": (.+)')
_FINE, _SILENT, _UNREACHED = "answers with success", "does not answer", "error trying to reach service"
_STATUS = re.compile(r"Error from server \(([A-Za-z]+)\)")
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
_PLACES = re.compile(r" \([^()]*\)")  # which container it is about
_POD = re.compile(r' \(pod: "[^"]*", container: [^)]*\)$')
_WHO = re.compile(r'^(?:Error from server \([^)]*\): )?(?:error when creating "[^"]*": )?')


class ClusterPod(Struct, eq=False):
    """The pod of the object ``pod`` (its name and namespace stand in it). ``ends``: it comes to an end by itself.
    ``mask`` takes secrets out of a text; ``stop`` ends every wait. ``is_alone``: no other may be there that is not
    gone yet. ``digests``: of the images that its containers ran,
    by container. ``asked`` are the ports that are asked, ``answers`` what they did, and ``expected`` what they did as
    it is. ``violates``: what keeps it from the level restricted, as the API server warned."""

    cluster: Cluster
    pod: Map
    ends: bool
    mask: Callable[[str], str]
    stop: threading.Event
    shows_output: bool = True
    is_alone: bool = True
    asked: Sequence[int] = ()
    expected: Mapping[int, str] = field(default_factory=dict)
    restarts: int = 0
    answers: dict[int, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    violates: str = ""
    seen: dict[str, Activity] = field(default_factory=dict)
    made: bool = False

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    @property
    def _space(self) -> list[str]:
        return ["-n", str(self.pod["metadata"]["namespace"])]

    def run(
        self, seconds: float, *, whole: bool, restarts: bool, serves: Mapping[str, Collection[str]] | None = None
    ) -> Came:
        """Make it, and watch until it is known whether it comes up; as ``PodRun.run``."""
        try:
            refused = self._make()
            if refused is not None:
                return Came(False, refused.text, 0, refused if serves is None else None)
            status = self._watch(seconds, whole=whole, restarts=restarts)
            return self._served(status, serves)
        except NotStartedError as error:
            self.cluster.note_start(str(error))
            return Came(False, self._line(str(error)), self.restarts)

    def _make(self) -> Refusal | None:
        """Make it. What the API server says against it is returned, where it does."""
        done = self.cluster.make([self.pod])
        warned = [match[1] for match in _WARNING.finditer(done.error)]
        found = [match[1] for each in warned if (match := _VIOLATES.search(each)) is not None]
        self.violates = self.mask(_PLACES.sub("", "; ".join(found)))
        if not done.ok:
            said = [line for line in done.error.splitlines() if line.strip() and not line.startswith("Warning: ")]
            text = self._line(_WHO.sub("", (said or [done.reason])[-1]))
            return Refusal((), f"the cluster does not take it: {text}", "write what its policies ask for")
        self.made = True
        return None

    # Watch.

    def _watch(self, seconds: float, *, whole: bool, restarts: bool) -> Map:
        """Its status when it is up. Raises NotStartedError."""
        until = time.monotonic() + min(max(_LEAST_SECONDS, 3 * seconds, _patience(self.pod) + seconds), _MOST_SECONDS)
        has_probes, since = _has_probes(self.pod), None
        needed = seconds if whole or not has_probes else _SETTLE
        while True:
            status = self._status()
            if self._is_over(status, restarts=restarts):
                return status
            ready = not self.ends and _is_ready(status)
            now = time.monotonic()
            since = (since if since is not None and ready else now) if ready else None
            if since is not None and now - since >= needed:
                return status
            if now > until:
                raise NotStartedError(self._late(status))
            if self.stop.wait(_TICK):
                raise StoppedError("interrupted")

    def _status(self) -> Map:
        found = self.cluster.get("pod", self.name, *self._space)
        if found is None:
            raise NotStartedError("somebody has deleted its pod")
        status = mapping(found.get("status"))
        for each in _statuses(status):
            if mapping(each.get("state")).keys() & {"running", "terminated"}:
                self.cluster.note_start(None)
            digest = _DIGEST.search(str(each.get("imageID")))
            if digest is not None:
                self.digests[str(each.get("name"))] = digest[1]
        return status

    def _is_over(self, status: Map, *, restarts: bool) -> bool:
        """Whether it has done what it had to. Raises NotStartedError where it cannot come up any more."""
        if status.get("phase") == "Succeeded" and self.ends:
            return True
        _refuse_waiting(status)
        count = sum(int(each.get("restartCount") or 0) for each in _statuses(status))
        self.restarts = max(self.restarts, count)
        if not restarts and not self.ends and any(map(_ended, mappings(status.get("containerStatuses")))):
            raise NotStartedError(self._why(status))
        if status.get("phase") in ("Failed", "Succeeded"):
            raise NotStartedError(self._why(status) or str(status.get("message") or "it ended"))
        if count > (_MOST_RESTARTS if restarts else 0):
            raise NotStartedError(self._why(status))
        return False

    def _why(self, status: Map) -> str:
        """Which container ended how, and the line of its log that says why."""
        for each in _statuses(status):
            ended = _ended(each)
            if ended is not None and (ended.get("exitCode") or ended.get("reason") == "OOMKilled" or not self.ends):
                said = self._said(str(each.get("name")), str(ended.get("message") or ""))
                code = f"{each.get('name')} ends with {ended.get('exitCode')}"
                more = " (killed: more memory than its limit)" if ended.get("reason") == "OOMKilled" else ""
                return ": ".join(filter(None, (code + more, said)))
        return ""

    def _late(self, status: Map) -> str:
        """Why it did not come up in time."""
        why = self._why(status)
        for each in _statuses(status):
            waiting = mapping(mapping(each.get("state")).get("waiting"))
            if not why and waiting.get("message"):
                return _waits(each, waiting)
        return why or _unscheduled(status) or self._event() or "it does not become ready"

    def _event(self) -> str:
        """What was last said against it: the answer of a probe, for one."""
        about = f"involvedObject.name={self.name},type=Warning"
        listed = self.cluster.get("events", *self._space, "--field-selector", about)
        messages = [str(each.get("message")) for each in mappings(mapping(listed).get("items"))]
        if not messages:
            return ""
        # A probe repeats what its program printed.
        return messages[-1] if self.shows_output else messages[-1].partition(":")[0]

    def _said(self, container: str, message: str) -> str:
        """The line of its log that says why; of ``message`` where nobody can read the log."""
        if not self.shows_output:
            return _NOT_SHOWN
        for previous in ("--previous=true", "--previous=false"):
            # The kubelet has kept its last lines where it ended with an error.
            if message.strip():
                break
            words = ("logs", self.name, "-c", container, *self._space, f"--tail={_LOG_LINES}", previous)
            message = self.cluster.call(*words, seconds=_ASK_SECONDS).text
        return "".join(telling([line.strip() for line in message.splitlines() if line.strip()]))

    def _line(self, text: str) -> str:
        return plain(self.mask(": ".join(line.strip() for line in text.splitlines() if line.strip())))[:_LOG_LINE]

    # What is seen.

    def _served(self, status: Map, serves: Mapping[str, Collection[str]] | None) -> Came:
        """Whether its ports answer as they did; what is seen of it is noted."""
        self.answers = {} if self.ends else {port: self._answer(port) for port in self.asked[:_MOST_PORTS]}
        for each in _statuses(status):
            self.seen[str(each.get("name"))] = self._activity(each)
        for port, before in self.expected.items() if serves is not None else ():
            now = self.answers.get(port, before)
            if now != before:
                return Came(False, self._ended_since() or self._otherwise(port, now, before), self.restarts)
        return Came(True, "", self.restarts)

    def _otherwise(self, port: int, now: str, before: str) -> str:
        """That a port does something else, and the line of the log that may say why."""
        said = self._said(str(mappings(self.pod["spec"].get("containers"))[0].get("name")), "")
        return self._line(": ".join(filter(None, (f"port {port} {now}, and {before} as it is", said))))

    def _ended_since(self) -> str | None:
        """What a container of it that ended as it was asked said; None where all run."""
        for _ in range(_LOOKS):
            why = self.ended()
            if why is not None:
                return why
            if self.stop.wait(_TICK):
                raise StoppedError("interrupted")
        return None

    def _activity(self, status: Map) -> Activity:
        """What is known of a container by its ``status``."""
        found = Activity()
        user = mapping(mapping(status.get("user")).get("linux"))
        if isinstance(user.get("uid"), int):
            found.user, found.groups = (
                user["uid"],
                tuple(sorted({user["gid"], *(user.get("supplementalGroups") or ())})),
            )
        own = declared_ports(self.pod["spec"], str(status.get("name")))
        found.listens = {f"{port}/tcp" for port in own if self.answers.get(port, _SILENT) != _SILENT}
        fine = [port for port in sorted(own) if self.answers.get(port) == _FINE]
        found.answers = [Answer(Question(f"{port}/tcp", HTTP.name), "with success", works=True) for port in fine]
        ended = mapping(mapping(status.get("state")).get("terminated"))
        found.done = self.ends and ended.get("exitCode") == 0
        return found

    def _answer(self, port: int) -> str:
        """What a port does with ``GET /``, as a verb of a sentence."""
        space = self.pod["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{space}/pods/{self.name}:{port}/proxy/"
        done = self.cluster.call("get", "--raw", path, seconds=_ASK_SECONDS, output=65536, keeps_head=True)
        if done.ok:
            return _FINE
        if _UNREACHED in done.error:
            return _SILENT if "connection refused" in done.error or "i/o timeout" in done.error else "speaks no HTTP"
        found = _STATUS.search(done.error)
        return f"answers with {found[1]}" if found else "answers with an error"

    def ended(self) -> str | None:
        """What a container of it that has ended by now said; None where all run."""
        try:
            status = self._status()
        except NotStartedError as error:
            return str(error)
        count = sum(int(each.get("restartCount") or 0) for each in _statuses(status))
        if self.ends or (count <= self.restarts and _is_ready(status)):
            return None
        self.restarts = count
        return self._line(self._why(status) or self._late(status))

    def delete(self) -> None:
        """Delete it, and wait until it is gone where the next one has the same name, or its claims."""
        if self.made:
            words = ("delete", "pod", self.name, *self._space, "--grace-period", str(_GRACE), "--ignore-not-found")
            self.cluster.call(*words, f"--wait={str(self.is_alone).lower()}", "--timeout=60s")
            self.made = False


def _statuses(status: Map) -> list[Map]:
    keys = ("initContainerStatuses", "containerStatuses")
    return [each for key in keys for each in mappings(status.get(key))]


def _refuse_waiting(status: Map) -> None:
    """Raises NotStartedError where a container waits for what does not come."""
    for each in _statuses(status):
        waiting = mapping(mapping(each.get("state")).get("waiting"))
        if waiting.get("reason") in _NEVER | _NO_IMAGE and "BackOff" not in str(waiting.get("reason")):
            raise NotStartedError(_waits(each, waiting))


def _is_ready(status: Map) -> bool:
    return any(
        each.get("type") == "Ready" and each.get("status") == "True" for each in mappings(status.get("conditions"))
    )


def _unscheduled(status: Map) -> str:
    """Why no node takes it; "" where one does."""
    for each in mappings(status.get("conditions")):
        if each.get("type") == "PodScheduled" and each.get("status") == "False":
            return f"no node takes it: {each.get('message')}"
    return ""


def _ended(status: Map) -> Map | None:
    """How a container ended, now or before it was started again."""
    for key in ("state", "lastState"):
        ended = mapping(status.get(key)).get("terminated")
        if isinstance(ended, dict):
            return ended
    return None


def _waits(status: Map, waiting: Map) -> str:
    """Why a container is not started, in the words of the kubelet."""
    if waiting.get("reason") in _NO_IMAGE:
        return f"its image {status.get('image')} could not be pulled: {waiting.get('message')}"
    return _POD.sub("", str(waiting.get("message") or waiting.get("reason")))


def _has_probes(pod: Map) -> bool:
    """Whether probes tell when each container is ready."""
    containers = mappings(pod["spec"].get("containers"))
    return all(each.get("readinessProbe") or each.get("startupProbe") for each in containers)


def _patience(pod: Map) -> float:
    """Seconds that its probes give it to start."""
    found = 0.0
    for container in mappings(pod["spec"].get("containers")):
        probes = [mapping(container.get(key)) for key in ("startupProbe", "readinessProbe") if container.get(key)]
        found = max(found, sum(map(_seconds, probes)))
    return found


def _seconds(probe: Map) -> float:
    numbers = (probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10), probe.get("failureThreshold", 3))
    delay, period, failures = (number if isinstance(number, int) else 0 for number in numbers)
    return delay + period * failures


def declared_ports(spec: Map, name: str | None = None) -> list[int]:
    """The ports of TCP that the container ``name`` of a pod declares; without it all of them."""
    return [
        port["containerPort"]
        for container in mappings(spec.get("containers"))
        if name is None or container.get("name") == name
        for port in mappings(container.get("ports"))
        if port.get("protocol", "TCP") == "TCP" and isinstance(port.get("containerPort"), int)
    ]
