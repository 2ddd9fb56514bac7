from __future__ import annotations

import json
import re

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.audit.defaults import LOG, POLICY, ROTATION, paths
from hardener.kubernetes.audit.rules import policy
from hardener.tree.audit_policy_views import GROUP
from hardener.tree.script_views import Script

from ._policy import AuditPolicyOptions

# A value that is none: nothing, or nothing between quotes.
_FLAG = rf"--({LOG}|{POLICY})(?:[= ](\"[^\"]*\"|'[^']*'|[^\s#\"'\\]+)|=?(?=\s|$))"


@transform(
    each=Script, stage="logging", severity=Severity.MEDIUM, cis="1.2.16", options=AuditPolicyOptions, only_reports=True,
)  # fmt: skip
def audit_flags_in_script(script: Script, options: AuditPolicyOptions) -> Steps:
    """Enable the audit log in scripts.

    Problem: the script configures an API server without an audit log.

    Result: The script configures an API server with an audit log.

    Why: with no audit backend the server keeps no record of who did what, and an intrusion cannot be reconstructed.

    May break: nothing, since it only reports; the finding holds the policy and the settings for kubeadm. A server whose
    policy file is missing does not start.
    """
    empty: dict[str, int] = {}
    for index, line in enumerate(script.lines):
        for found in re.finditer(_FLAG, line):
            if (found[2] or "").strip("\"'"):
                return  # it has a value somewhere
            empty.setdefault(found[1], index)
    if empty:
        flags = " and ".join(f"--{flag}" for flag in empty)
        text = f"an API server without {flags} keeps no record of who did what"
        advice = _advice(script, options.strength)
        yield script.finding(text, "lines", min(empty.values()), advice=advice, severity=Severity.MEDIUM)


def _advice(script: Script, strength: str) -> str:
    found = paths("kubeadm")
    assert found is not None
    file, log = found
    arguments = [{"name": name, "value": value} for name, value in ({POLICY: file, LOG: log} | ROTATION).items()]
    folders = ((file, "audit-policy", "Directory"), (log, "audit-logs", "DirectoryOrCreate"))
    volumes = [
        {
            "name": name,
            "hostPath": path.rpartition("/")[0],
            "mountPath": path.rpartition("/")[0],
            "readOnly": kind == "Directory",
            "pathType": kind,
        }
        for path, name, kind in folders
    ]
    server = {"apiServer": {"extraArgs": arguments, "extraVolumes": volumes}}
    given = "the audit policy of the tree" if script.tree.of(GROUP, "Policy") else "this policy"
    text = "" if given != "this policy" else f": {json.dumps(policy(strength))}"
    return (
        f"first write {given} to {file} on every control-plane node{text}; then give the"
        f" ClusterConfiguration of kubeadm (v1beta4) this: {json.dumps(server)}"
    )
