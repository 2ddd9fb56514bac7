from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import HOSTED, Component, ControlPlane, components, how

_FLAG = "token-auth-file"


@transform(each=ControlPlane, stage="authentication", severity=Severity.CRITICAL, cis="1.2.2")
def token_auth_file_remove(carrier: ControlPlane) -> Steps:
    """Remove token-auth-file.

    Problem: the API server accepts static tokens from a file.

    Result: The API server accepts no static tokens.

    Why: such tokens never expire, and revoking one needs a restart of the server.

    May break: the users in the file are locked out; give them a certificate or an account of the identity provider
    first.
    """
    for server in components(carrier, "kube-apiserver"):
        path = server.get(_FLAG)
        if path is not None and server.can(_FLAG):
            yield _removed(server, path)


def _removed(server: Component, path: str) -> list[Edit]:
    lost = Evidence("the users in the file are locked out, perhaps also the one who would revert this")
    where, gone = f"on a control-plane node (cut -d, -f2,4 {path})", f"shred -u {path} on each control-plane node"
    if server.installer == HOSTED:
        where, gone = "in the volume that holds it", f"delete what holds {path}, a Secret most likely"
    before = (
        f"list the users of {path} {where}, and give each a certificate (kubectl certificate approve) or an account of "
        "the identity provider, with the same groups",
    )
    after = (f"once the servers run without it: {gone}",)
    words = how(server, server.state(_FLAG), against=[lost], requires=before, follow_up=after)
    return [*server.unset(_FLAG, words), *server.unmount(path, words)]
