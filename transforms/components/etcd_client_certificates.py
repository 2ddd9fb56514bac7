from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import Component, ControlPlane, components, how

_SIDES = (("", "clients"), ("peer-", "other members"))


@transform(each=ControlPlane, stage="components", severity=Severity.CRITICAL, cis="2.2")
def etcd_client_certificates(carrier: ControlPlane) -> Steps:
    """Require client certificates in etcd.

    Problem: etcd accepts clients without a certificate.

    Result: Etcd asks every client for a certificate.

    Why: anyone who can connect to etcd can read and change every object, Secrets included.

    May break: a client or member without a certificate, or with one of another CA, is refused; without etcd the API
    server fails.
    """
    for etcd in components(carrier, "etcd"):
        if etcd.get("config-file") is None:
            edits: list[Edit] = []  # of both sides, since the places of flags in one list move with each other
            for side, who in _SIDES:
                found = _one(etcd, side, who)
                if isinstance(found, Finding):
                    yield found
                else:
                    edits += found
            if edits:
                yield edits


def _one(etcd: Component, side: str, who: str) -> list[Edit] | Finding:
    asks, makes = f"{side}client-cert-auth", f"{side}auto-tls"
    files = [f"{side}{name}" for name in ("trusted-ca-file", "cert-file", "key-file")]
    weak = [flag for flag, good in ((asks, "true"), (makes, "false")) if (etcd.value(flag) or good) != good]
    if not weak:
        return []
    facts = [etcd.state(flag) for flag in weak]
    missing = [flag for flag in files if etcd.value(flag) is None]
    if missing:
        text = f"etcd accepts {who} without a certificate of a known CA: {' and '.join(fact.text for fact in facts)}"
        advice = f"give it {', '.join(f'--{flag}' for flag in missing)}, then --{asks}=true"
        return etcd.finding(text, weak[0], advice=advice, severity=Severity.CRITICAL if not side else Severity.HIGH)
    see = (
        f"check that all {who} have a certificate of the CA in --{files[0]}: openssl verify -CAfile CA CERTIFICATE",
        "take a snapshot: etcdctl snapshot save FILE",
    )
    stops = Evidence("without the right certificates nothing reaches etcd, and the API server stops")
    words = how(etcd, *facts, against=[stops], requires=see)
    edits: list[Edit] = []
    if asks in weak:
        edits += etcd.set(asks, "true", words)
    if makes in weak:
        edits += etcd.unset(makes, words)
    return edits
