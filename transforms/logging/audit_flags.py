from __future__ import annotations

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.audit.defaults import LOG, MOUNTED_BY_KUBEADM, POLICY, ROTATION, paths
from hardener.kubernetes.audit.rules import policy_text
from hardener.tree.control_plane import HOSTED, Component, ControlPlane, How, components, how

from ._policy import AuditPolicyOptions

_BY_HAND = {
    "kops": "set auditLogPath and auditPolicyFile, and write the policy with spec.fileAssets",
    HOSTED: f"mount a policy from a ConfigMap, name it with --{POLICY}, and set --{LOG}=-, the log of the container",
}


@transform(
    each=ControlPlane,
    stage="logging",
    severity=Severity.HIGH,
    cis="1.2.16",
    after=("audit-policy-generate",),
    options=AuditPolicyOptions,
)
def audit_flags(carrier: ControlPlane, options: AuditPolicyOptions) -> Steps:
    """Enable the audit log.

    Problem: the API server keeps no complete audit log.

    Result: The API server records who did what.

    Why: without an audit log an intrusion cannot be reconstructed.

    May break: the server does not start without the policy file, and the log takes up to ten files of 100 MB.
    """
    for server in components(carrier, "kube-apiserver"):
        yield from _one(server, options.strength)


def _one(server: Component, strength: str) -> Steps:
    yield from _not_mounted(server)
    if server.get("audit-webhook-config-file") is not None and server.get("audit-log-path") is None:
        text = "audit events go only to a webhook: an event that it misses is lost"
        advice = "add --audit-log-path as a second backend, or check that the webhook keeps all events"
        yield server.finding(text, "audit-webhook-config-file", advice=advice, severity=Severity.LOW)
        return
    yield from _endless(server)
    folders = paths(server.installer)
    if folders is None:
        if server.installer in _BY_HAND and server.get(LOG) is None:
            yield server.finding("no audit log is kept", advice=_BY_HAND[server.installer], severity=Severity.MEDIUM)
        return
    policy, log = folders
    wanted = {POLICY: policy, LOG: log} | ({} if server.get(LOG) == "-" else ROTATION)
    missing = {flag: value for flag, value in wanted.items() if _is_short(server.get(flag), value)}
    if not missing:
        return
    evidence = [server.state(flag) for flag in missing]
    if not {POLICY, LOG} & missing.keys():  # the files are in place
        yield [edit for flag, value in missing.items() for edit in server.set(flag, value, how(server, *evidence))]
        return
    yield from _whole(server, missing, policy, log, evidence, strength)


def _whole(
    server: Component, missing: dict[str, str], policy: str, log: str, evidence: list[Evidence], strength: str
) -> Steps:
    """Flags, mounts and policy in one step: a part of them stops the server."""
    stops = Evidence("without the policy file the server does not start")
    source = "the audit policy of the tree" if server.view.tree.of("audit.k8s.io", "Policy") else "audit-policy.yaml"
    before = server.placing(source, policy)
    requires = (before,) if POLICY in missing else ()
    words = how(server, *evidence[:2], against=[stops], requires=requires)
    edits: list[Edit] = []
    if POLICY in missing and source == "audit-policy.yaml":
        for item in server.view.host_file("audit-policy.yaml", policy_text(strength), **words.words):
            if isinstance(item, Finding):
                continue  # it is there, and its owner knows what for
            edits.append(item)
    edits += [edit for flag, value in missing.items() for edit in server.set(flag, value, words)]
    edits += _mounts(server, missing, policy, log, words)
    yield edits


def _mounts(server: Component, missing: dict[str, str], policy: str, log: str, words: How) -> list[Edit]:
    """Folders, not files: a file that is mounted hides what is written over it later."""
    edits: list[Edit] = []
    if POLICY in missing and not server.mounts(policy):
        folder = policy.rpartition("/")[0]
        edits += server.mount("audit-policy", folder, read_only=True, type="Directory", how=words)
    if LOG in missing and not server.mounts(log):
        folder = log.rpartition("/")[0]
        edits += server.mount("audit-logs", folder, read_only=False, type="DirectoryOrCreate", how=words)
    return edits


def _not_mounted(server: Component) -> Steps:
    policy = server.get(POLICY) or ""
    if not policy.startswith("/") or not server.takes_files or server.mounts(policy):
        return
    if server.installer in ("kubeadm", "cluster-api") and policy.startswith(MOUNTED_BY_KUBEADM):
        return
    text = f"the API server does not start: no volume holds its audit policy {policy}"
    advice = f"mount {policy.rpartition('/')[0] or policy} of the host, read only"
    yield server.finding(text, POLICY, advice=advice, severity=Severity.MEDIUM)


def _is_short(value: str | None, wanted: str) -> bool:
    """Whether a flag is unset, or a number lower than wanted; 0 keeps everything."""
    if value is None:
        return True
    return wanted.isdigit() and value.isdigit() and 0 < int(value) < int(wanted)


def _endless(server: Component) -> Steps:
    for flag in ("audit-log-maxage", "audit-log-maxbackup"):
        if server.get(flag) == "0" and all(
            server.get(other) in (None, "0") for other in ROTATION if "size" not in other
        ):
            text = f"--{flag}=0 keeps every log file: the disk fills up"
            advice = "write a number, once the logs are shipped elsewhere"
            yield server.finding(text, flag, severity=Severity.LOW, advice=advice)
