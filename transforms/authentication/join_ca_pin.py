from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane
from hardener.tree.script_views import Script

from ._nodes import places

_FLAG, _PIN = "--discovery-token-unsafe-skip-ca-verification", "--discovery-token-ca-cert-hash"
_PATH = ("discovery", "bootstrapToken")
_HASH = (
    "on a control-plane node, openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform"
    " der | sha256sum prints it"
)


@transform(each=ControlPlane | Script, stage="authentication", severity=Severity.HIGH, only_reports=True)
def join_ca_pin(target: ControlPlane | Script) -> Steps:
    """Pin the CA for joining nodes.

    Problem: a joining node accepts any API server that knows the token.

    Result: A joining node checks that it talks to its own cluster.

    Why: without the hash of the CA, any server that knows the join token can pose as the API server, and then controls
    the node.

    May break: nothing, since it only reports: only the cluster knows the hash of its CA.
    """
    if isinstance(target, Script):
        for index, command in target.commands():
            if "kubeadm join" in command and _FLAG in command and f"{_FLAG}=false" not in command:
                if _PIN not in command:
                    text = "the node joins without a check of the cluster's CA"
                    advice = f"replace {_FLAG} by {_PIN} sha256:HASH; {_HASH}"
                    yield target.finding(text, "lines", index, advice=advice, severity=Severity.HIGH)
        return
    for path in places(target, "JoinConfiguration"):
        token = target.view(*path, *_PATH)
        if token.get("unsafeSkipCAVerification") is True and not token.strings("caCertHashes"):
            text = "the node joins without a check of the cluster's CA"
            advice = f'write caCertHashes: ["sha256:HASH"] in its place; {_HASH}'
            yield token.finding(text, "unsafeSkipCAVerification", advice=advice, severity=Severity.HIGH)
