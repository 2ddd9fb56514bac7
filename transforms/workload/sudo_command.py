from __future__ import annotations

from collections.abc import Iterator, Sequence

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.images.container_commands import spoken
from hardener.kubernetes.pods.command_evidence import setuid_commands
from hardener.tree.core_views import Container

_RAISES = frozenset({"sudo", "su"})


@transform(
    each=Container, stage="user", severity=Severity.MEDIUM, classes=("node-agent", "system-namespace"),
    only_reports=True, peers=("kubescape:C-0062",),
)  # fmt: skip
def sudo_command(container: Container) -> Steps:
    """Remove sudo and su from commands.

    Problem: {container} changes its user with sudo or su.

    Result: The container starts as the user that it needs, without sudo or su.

    Why: a command that needs no root needs no sudo, and one that needs root can run in its own container. Where sudo
    works, an intruder can become root, and neither a non-root user nor `allowPrivilegeEscalation: false` can be set.

    May break: nothing, since it only reports: only the owner knows what the command does as root.
    """
    for name, speaker in spoken(container, _raised, probes=True):
        text = speaker.says(f"runs {name}").text
        path = "command" if container.has("command") else "args" if container.has("args") else "image"
        advice = f"start the program without {name}, with runAsUser; do what needs root in the build of its image"
        yield container.finding(text, path, advice=advice, topic="command with sudo or su")
        return


def _raised(words: Sequence[str]) -> Iterator[str]:
    return (name for name in setuid_commands(words) if name in _RAISES)
