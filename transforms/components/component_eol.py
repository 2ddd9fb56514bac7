from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.components.end_of_life import find
from hardener.tree.core_views import Container


@transform(
    each=Container, stage="components", severity=Severity.MEDIUM,
    classes=("system-namespace", "node-agent", "control-plane"),
    only_reports=True,
)  # fmt: skip
def component_eol(container: Container) -> Steps:
    """Replace components that are no longer maintained.

    Problem: {container} runs a component that is no longer maintained.

    Result: The components of the cluster are maintained.

    Why: nobody fixes new vulnerabilities of a project that has ended.

    May break: nothing, since it only reports.
    """
    known = container.image and find(container.image.repository)
    if known:
        yield container.finding(
            f"{known.name}: {known.why}",
            "image",
            advice=known.instead,
            severity=Severity.HIGH,
            topic=f"image of {known.name}, a project that has ended",
        )
