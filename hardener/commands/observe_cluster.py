"""What ``harden observe`` does in a cluster: the context that is named, and a plan that somebody agrees to first."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from hardener.errors import InputError
from hardener.observe.cluster import NAME, Cluster
from hardener.observe.cluster_application import ClusterApplication
from hardener.observe.engine import Engine
from hardener.observe.session import Session
from hardener.support.printable import plain
from hardener.support.programs import ProgramError

_SHOWN = 12  # names in one line


def wants_cluster(engine: str | None, context: str | None, seccomp: str | None, exercise: str | None = None) -> bool:
    """Whether a cluster is the engine. Raises InputError where options do not fit together."""
    if engine != NAME:
        if context is not None:
            raise InputError("--context names a cluster: it goes with --engine kubectl")
        return False
    if not context:
        raise InputError("--engine kubectl talks to a cluster: name the context with --context NAME")
    if seccomp is not None:
        raise InputError("--seccomp-profile FILE: a cluster takes profiles from its nodes: leave it out")
    if exercise is not None:
        raise InputError("--exercise CMD: its command does not reach the pods of a cluster: leave it out")
    return True


def cluster_of(context: str, root: str) -> Cluster:
    """The cluster that the kubeconfig calls ``context``. Raises InputError."""
    try:
        return Cluster.of(context, root)
    except ProgramError as error:
        raise InputError(plain(str(error))) from None


def agreed(engine: Engine, session: Session, seconds: int, *, yes: bool) -> bool:
    """Show what is about to be made where the ``engine`` is a cluster, and tell whether somebody agrees. Raises
    InputError where nobody can be asked."""
    if not isinstance(engine, Cluster):
        return True
    for line in plan(engine, session, seconds):
        print(plain(line), file=sys.stderr)
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("nobody can be asked here: look at the plan above, and add --yes")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def plan(cluster: Cluster, session: Session, seconds: int) -> Iterator[str]:
    """What a run makes in ``cluster``, line by line."""
    yield f"harden observe talks to the cluster of the context {cluster.context}: {cluster.server}, {cluster.version}"
    for application in session.applications:
        assert isinstance(application, ClusterApplication)
        pods = [workload for workload in application.workloads if application.may_run(workload)]
        kinds = Counter(str(each["kind"]) for each in application.objects())
        made = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield f"  of the namespace {application.name}, in the new namespace {application.space}"
        yield "    Pod Security enforce: baseline, warn: restricted"
        yield f"    it gets {made}; values of Secrets go there"
        yield f"    {_count(len(pods))}, each as a pod of its own, as it is and hardened, {seconds} s each:"
        yield f"      {_listed([workload.key for workload in pods])}"
        images = sorted({str(each.get("image")) for workload in pods for each in workload.spec.get("containers") or []})
        yield f"    its nodes pull {_listed(images)}"
    yield "  and deletes all of it in the end. It changes and reads nothing else there, but asks for storage classes."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _count(number: int) -> str:
    return "1 workload" if number == 1 else f"{number} workloads"
