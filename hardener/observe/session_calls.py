"""Who calls whom among the workloads of a session, by what was seen, and what that makes of the order of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hardener.observe.application import Application
from hardener.observe.container_activity import Activity
from hardener.observe.session_case import Case


def note_connections(case: Case, seen: Mapping[str, Activity], cases: list[Case]) -> None:
    """Name what its containers connected to, and who of ``cases`` connected to it, by what was ``seen``."""
    network = case.application.network
    for name, found in seen.items():
        for address, port in found.connections:
            key = network.key_at(address)
            if address == network.api_server:
                case.connects.setdefault(name, set()).add("kubernetes")
            elif key is not None:
                case.connects.setdefault(name, set()).add(network.called(key, port))
        for address, port in found.callers:
            caller = next(
                (
                    each
                    for each in cases
                    if each.application is case.application and each.workload.key == network.key_at(address)
                ),
                None,
            )
            if caller is not None and caller is not case:
                first = str((caller.workload.spec.get("containers") or [{}])[0].get("name"))
                caller.connects.setdefault(first, set()).add(network.called(case.workload.key, port))


def beside(case: Case, cases: list[Case]) -> list[Case]:
    """Those of ``cases`` that it calls, or that are called by what it calls, of its application; all of it where nobody
    sees calls."""
    if not case.application.sees_calls:
        return [each for each in cases if each is not case and _is_up_in(case.application, each)]
    found = [case]
    for each in found:
        called = {name for names in each.connects.values() for name in names}
        for other in cases:
            if other.application is case.application and other not in found and other.workload.is_up:
                services = case.application.network.endpoints[other.workload.key].services
                if any(one.startswith(f"Service/{name}:") for name in services for one in called):
                    found.append(other)
    return found[1:]


def is_placed(case: Case) -> bool:
    """Whether it has a place in the network of its application."""
    return case.application.may_run(case.workload)


def may_call(application: Application, cases: list[Case]) -> bool:
    """Whether any of ``cases`` calls another one, or nobody can see that."""
    return len(cases) > 1 and (not application.sees_calls or any(case.connects for case in cases))


def _is_up_in(application: Application, case: Case) -> bool:
    return case.application is application and case.workload.is_up


def groups_of(todo: list[Any], of: Callable[[Any], Case], cases: list[Case]) -> list[list[Any]]:
    """``todo`` in groups, of which none leads to a workload of another through the calls of any of ``cases``."""
    families: list[list[Case]] = []
    for case in cases:
        near = [family for family in families if any(_call(case, other) for other in family)]
        joined = [*(one for family in near for one in family), case]
        families = [family for family in families if family not in near] + [joined]
    found = ([each for each in todo if of(each) in family] for family in families)
    return [group for group in found if group]


def _call(one: Case, other: Case) -> bool:
    """Whether they belong together: one calls the other, or somebody that the other calls, too."""
    if one.application is not other.application:
        return False
    if not one.application.sees_calls:
        return True
    own = {name for names in one.connects.values() for name in names}
    others = {name for names in other.connects.values() for name in names}
    if own & others:
        return True
    for names, called in ((own, other), (others, one)):
        services = called.application.network.endpoints[called.workload.key].services
        if any(each.startswith(f"Service/{name}:") for name in services for each in names):
            return True
        if any(each.startswith(f"{called.workload.key}:") for each in names):
            return True
    return False
