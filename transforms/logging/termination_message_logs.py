from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.images.container_commands import spoken
from hardener.facts.kustomize.overlays.states import signs
from hardener.tree.core_views import Container

_PATH, _POLICY = "terminationMessagePath", "terminationMessagePolicy"
_DEFAULT_PATH = "/dev/termination-log"


@transform(
    each=Container, stage="logging", severity=Severity.LOW, any_image=True,
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"),
)  # fmt: skip
def termination_message_logs(container: Container) -> Steps:
    """Set terminationMessagePolicy: FallbackToLogsOnError.

    Problem: {container} may fail without a message.

    Result: A container that fails without a message leaves the end of its log in the status of its pod.

    Why: the log is deleted with the container: if it fails again and again, only one earlier log is kept. The status
    then shows an exit code and no reason.

    May break: up to 80 lines or 2048 bytes of the log, and what a program should not have logged, are shown to whoever
    may read pods but not logs; a program that parses the message may get lines of the log instead of an empty message.
    """
    if _is_given(container):
        return
    written = container.get(_POLICY)
    own = list(signs(container, _own_message))
    if not written:
        nothing = Evidence("nothing shows that the container writes a termination message")
        found = verdict(doubts=own) if own else verdict(absent=[nothing])
        yield container.set(_POLICY, to="FallbackToLogsOnError", **found.words)
    elif written == "File" and not own:  # with a message of its own, the file may be all that somebody wants to read
        text = "File is set, and nothing shows that the container writes a termination message"
        advice = "set FallbackToLogsOnError, unless its log must be hidden from people who may read pods"
        yield container.finding(text, _POLICY, advice=advice, severity=Severity.LOW, topic="failure without a message")


def _is_given(container: Container) -> bool:
    """Source: github.com/knative/serving pkg/reconciler/revision/resources/deploy.go, which sets it where none is
    written; not for init containers."""
    return container.pod.object.group == "serving.knative.dev" and not container.init and not container.has(_POLICY)


def _own_message(container: Container) -> Iterator[Evidence]:
    path = container.text(_PATH) or _DEFAULT_PATH
    if path != _DEFAULT_PATH:  # the default stands in whatever was exported from a cluster
        yield container.fact("its termination message has its own file", _PATH)

    def mentioned(words: tuple[str, ...]) -> list[str]:
        return [path] if any(path in word for word in words) else []

    for _, speaker in spoken(container, mentioned):
        yield speaker.says("mentions the file of its termination message")
    for name, value in container.env.items():
        if path in value:
            yield container.fact(f"variable {name} names the file of its termination message", "env")
