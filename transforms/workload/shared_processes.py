from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate

_FIELD = "shareProcessNamespace"


@transform(each=PodTemplate, stage="host", severity=Severity.LOW, only_reports=True)
def shared_processes(pod: PodTemplate) -> Steps:
    """Remove shareProcessNamespace.

    Problem: the containers of the pod can see each other's processes.

    Result: Each container sees only its own processes.

    Why: with shareProcessNamespace each container reads the command lines and, with the same user, the variables and
    files of the others (/proc/PID/root), and can stop them: whoever breaks into one container controls all.

    May break: nothing, since it only reports: a sidecar that sends signals to the application, or looks into its
    processes, needs it.
    """
    if pod.get(_FIELD) is not True or len(pod.containers) < 1:
        return
    several = len(pod.containers) > 1
    text = "each container sees the processes, and the files, of the others" if several else "nobody shares with it"
    advice = (
        "remove it where no sidecar sends signals to another container; give the containers users of their own else"
        if several
        else "remove it: there is no second container"
    )
    yield pod.finding(
        f"shareProcessNamespace is true: {text}", _FIELD, advice=advice, topic="pod whose containers share processes",
        severity=Severity.LOW,
    )  # fmt: skip
