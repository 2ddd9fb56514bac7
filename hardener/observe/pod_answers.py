"""What the containers of a pod that runs answer, as it is and then again with changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from hardener.observe import timers
from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity
from hardener.observe.differences import answers_differ, has_answered, missing, staying_root
from hardener.observe.engine import Engine
from hardener.observe.questions import Asks, Heard, Hint, asked, discovered, most, steady
from hardener.observe.timers import has_daemon

_ANSWER_SECONDS, _GREETING_SECONDS = 6.0, 1.0
_TIMER_SECONDS = 10.0
_MOST_ASKED = 4  # times in a row
# Answers as before in a row, others in a row, and the seconds between them.
_ASKED_WELL, _ASKED_ENOUGH, _BETWEEN_ASKS = 3, 8, 1.0


class Asked(Protocol):
    """A container that runs: its ``spec``, its ``name`` in the engine, its first process, and what was seen of it."""

    spec: dict[str, Any]
    name: str
    pid: int
    seen: Activity


class PodAnswers:
    """The answers of the containers ``running`` of the pod at ``address``. ``before`` is what was seen of it as it is:
    None where this is that run. ``pause`` waits some seconds."""

    def __init__(
        self,
        engine: Engine,
        agent: AgentClient,
        address: str,
        running: Sequence[Asked],
        pause: Callable[[float], None],
    ) -> None:
        self._engine, self._agent, self._address, self._running = engine, agent, address, running
        self._pause = pause
        self.before: Mapping[str, Activity] | None = None
        self._next_ask, self._alike, self._otherwise = 0.0, 0, 0

    def ask(self, hints: Mapping[int, Hint]) -> None:
        """Find out what its ports answer, by ``hints``: once more for what is not the same each time."""
        for container in self._running:
            self._start_timers(container)
        if self.before is not None:
            self._ask_again(self.before)
            return
        for container in self._running:
            found = [
                answer
                for port in most(container.seen.listens)
                for answer in discovered(self._asks(container), port, hints.get(int(port.partition("/")[0]), Hint()))
            ]
            again = [asked(self._asks(container), answer.question) for answer in found]
            container.seen.answers = steady(found, again)

    def _start_timers(self, container: Asked) -> None:
        """Start once what waits for its hour; what did not end well as it is says nothing."""
        old = (self.before or {}).get(str(container.spec.get("name")))
        if old is not None:
            todo = [entry for entry, well in old.timers.items() if well]
        elif has_daemon(container.seen.programs) and container.pid:
            todo = timers.entries(self._agent("crontabs", container.pid) or ())
        else:
            return
        for entry in todo:
            done = self._engine.call("exec", container.name, *entry.words, seconds=_TIMER_SECONDS, output=65536)
            container.seen.timers[entry] = done.ok

    def _ask_again(self, before: Mapping[str, Activity]) -> None:
        """Ask what was asked ``before``, and some times more where it is answered otherwise: it may still begin."""
        for container in self._running:
            old = before.get(str(container.spec.get("name")))
            for attempt in range(1 if self._otherwise else _MOST_ASKED):
                if old is None or not self._asked_as(container, old):
                    break
                if attempt < _MOST_ASKED - 1:
                    self._pause(1)

    def _asked_as(self, container: Asked, old: Activity) -> bool:
        """Ask what was asked of a container as it is; whether it answers otherwise now."""
        container.seen.answers = [asked(self._asks(container), each.question) for each in old.answers]
        return answers_differ(old, container.seen)

    def is_known(self, now: float) -> bool:
        """Whether each container answers as before for some time, or does not for longer."""
        if self.before is None or now < self._next_ask:
            return False
        pairs = [(each, self.before.get(str(each.spec.get("name")))) for each in self._running]
        if any(old is None or _may_come_yet(old, each.seen) for each, old in pairs):
            return False
        self._next_ask = now + _BETWEEN_ASKS
        differ = any([old is not None and self._asked_as(each, old) for each, old in pairs])
        self._otherwise = self._otherwise + 1 if differ else 0
        self._alike = 0 if differ else self._alike + 1
        return self._alike >= _ASKED_WELL or self._otherwise >= _ASKED_ENOUGH

    def _asks(self, container: Asked) -> Asks:
        def ask(port: int, transport: str, secure: bool, words: list[str], greets: bool) -> Heard:
            seconds = _ANSWER_SECONDS if words else _GREETING_SECONDS
            place = container.pid, self._address, port
            wait = seconds * (len(words) + 2) + 5
            found = self._agent("ask_words", *place, transport, secure, words, greets, seconds, seconds=wait)
            return Heard(*found) if isinstance(found, list) else Heard(False)

        return ask


def _may_come_yet(old: Activity, new: Activity) -> bool:
    """Whether an answer as before does not say that all of it is there by now."""
    return bool(not has_answered(old) or missing(old, new) or staying_root(old, new))
