from dataclasses import dataclass
from typing import ClassVar

from hardener import Basis, Grade, Ingress, Severity, Steps, transform

ALLOWED = "nginx.ingress.kubernetes.io/whitelist-source-range"


@dataclass(frozen=True)
class Office:
    """``domain``: of the hosts that are for the office; ``ranges``: its addresses, with commas."""

    GROUP: ClassVar[str] = "office"
    domain: str = "office.example.com"
    ranges: str = "192.0.2.0/24"


@transform(each=Ingress, stage="exposure", severity=Severity.HIGH, risk="K06", options=Office)
def office_only(ingress: Ingress, options: Office) -> Steps:
    """Restrict an Ingress for office hosts to the office.

    Problem: the Ingress serves a host of the office to every address.

    Result: The Ingress answers only the addresses of the office.

    Why: what is written for colleagues has a login that was never meant for the internet, or none.

    May break: who works from elsewhere without the VPN no longer gets in.
    """
    if ingress.object.kind != "Ingress":
        return  # a route of another API takes no annotation of ingress-nginx
    inside = [host for host in ingress.hosts if host.endswith("." + options.domain)]
    if not inside:
        return
    allowed = ingress.get("metadata", "annotations", ALLOWED)
    if allowed is None:
        yield ingress.set(
            "metadata",
            "annotations",
            ALLOWED,
            to=options.ranges,
            grade=Grade.REVIEW,
            basis=Basis.PROVED,
            evidence=[ingress.fact(f"{inside[0]} is a host of the office", "spec", "rules")],
        )
    elif "0.0.0.0/0" in str(allowed):
        yield ingress.finding(
            f"{inside[0]} is open to all addresses",
            "metadata",
            "annotations",
            ALLOWED,
            advice=f"name those who need it beside {options.ranges}",
            severity=Severity.HIGH,
        )
