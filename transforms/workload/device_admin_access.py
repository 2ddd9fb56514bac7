from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.data_path import Path
from hardener.tree.addon_views import DeviceClaim
from hardener.tree.view import View

_ADMIN = "adminAccess"
# Until v1beta1 a request holds it itself, since v1beta2 in "exactly" (KEP-5018, stable in 1.36).
_PLACES: tuple[Path, ...] = (("exactly",), ())


@transform(each=DeviceClaim, stage="host", severity=Severity.HIGH, only_reports=True)
def device_admin_access(claim: DeviceClaim) -> Steps:
    """Remove adminAccess from a claim of devices.

    Problem: the claim has admin access to devices that others use.

    Result: The claim gets devices of its own.

    Why: with adminAccess a pod gets devices that others use, and the driver may give it more rights over the device, so
    it can read the data of other namespaces there.

    May break: nothing, since it only reports: an agent that watches devices needs it, in a namespace with the label
    `resource.kubernetes.io/admin-access: "true"`.
    """
    base = ("spec", "spec") if claim.object.kind == "ResourceClaimTemplate" else ("spec",)
    for path in _asking(claim, (*base, "devices", "requests")):
        text = "adminAccess is true: its pods get devices that pods of other namespaces use"
        advice = "remove it, or keep the claim to a namespace of an agent that watches devices"
        yield claim.finding(text, *path, advice=advice, severity=Severity.HIGH)


def _asking(claim: View, requests: Path) -> Iterator[Path]:
    for at, request in enumerate(claim.items(*requests)):
        for place in _PLACES:
            if request.get(*place, _ADMIN) is True:
                yield (*requests, at, *place, _ADMIN)
