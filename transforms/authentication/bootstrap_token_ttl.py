from __future__ import annotations

import re

from hardener.authoring.edits import Basis, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.kubernetes.secrets.secret_words import is_placeholder
from hardener.support.data_path import Path
from hardener.tree.control_plane import ControlPlane
from hardener.tree.core_views import Secret
from hardener.tree.script_views import Script
from hardener.tree.view import View

from ._nodes import places

_DAY = "24h0m0s"  # what kubeadm takes where nothing is written
_NEVER = re.compile(r"0+|(?:0+(?:\.0+)?(?:h|m|s|ms|us|µs|ns))+")
_TYPE = "bootstrap.kubernetes.io/token"
_NODE = "a token with which anybody can add a node"
_CONTROL_PLANE = "the key that opens the certificates of the control plane"
_NEW = "kubeadm token create --print-join-command"
_SCRIPT_ENDLESS = re.compile(
    r"\bkubeadm\s+(?:init|token\s+create)\b[^\n;|&]{,1000}?--(?:token-)?ttl[ =][\"']?0(?:[hms]|\b)"
)
_SCRIPT_LITERAL = re.compile(
    r"\bkubeadm\b[^\n;|&]{,1000}?--(?:(token|discovery-token|tls-bootstrap-token)[ =][\"']?[a-z0-9]{6}\.[a-z0-9]{16}"
    r"|certificate-key[ =][\"']?[0-9a-f]{64})\b"
)
_JOIN = (
    ("discovery", "bootstrapToken", "token"),
    ("discovery", "tlsBootstrapToken"),
    ("controlPlane", "certificateKey"),
)


@transform(each=ControlPlane | Secret | Script, stage="authentication", severity=Severity.HIGH)
def bootstrap_token_ttl(target: ControlPlane | Secret | Script) -> Steps:
    """Set an expiry for bootstrap tokens.

    Problem: the join token does not expire within a day.

    Result: The join token expires after a day.

    Why: a join token without expiry lets anyone who finds it add a node.

    May break: nodes that are added later with this token, for example by an autoscaler, cannot join.
    """
    if isinstance(target, Secret):
        yield from _secret(target)
        return
    if isinstance(target, Script):
        yield from _script(target)
        return
    for path in places(target, "InitConfiguration"):
        configuration = target.view(*path)
        for token in configuration.items("bootstrapTokens"):
            yield from _token(token)
        yield from _literal(configuration, ("certificateKey",))
    for path in places(target, "JoinConfiguration"):
        for place in _JOIN:
            yield from _literal(target.view(*path), place)


def _token(token: View) -> Steps:
    ttl = token.get("ttl")
    endless = ttl is not None and _NEVER.fullmatch(str(ttl)) is not None
    if endless:
        why = token.fact("the token never expires", "ttl")
        later = Evidence("nodes that join with this token after a day are refused")
        found = verdict(why=[why], doubts=[later], basis=Basis.PROVED)
        yield token.set(
            "ttl",
            to=_DAY,
            **found.words,
            requires=("make sure that whatever adds nodes (an autoscaler, a node image) creates its own token",),
            follow_up=(
                "in a cluster that exists already: kubeadm token list shows tokens that never expire, kubeadm token"
                " delete ID revokes them",
            ),
        )
    yield from _literal(token, ("token",), severity=Severity.CRITICAL if endless else Severity.HIGH)


def _literal(view: View, path: Path, *, severity: Severity = Severity.HIGH) -> Steps:
    value = view.text(*path)
    if value and not is_placeholder(value):
        yield _finding(view, path, _CONTROL_PLANE if path[-1] == "certificateKey" else _NODE, severity)


def _finding(view: View, path: Path, what: str, severity: Severity) -> Finding:
    advice = (
        "treat it as leaked: kubeadm token list and kubeadm token delete ID, and kubeadm init phase upload-certs"
        f" --upload-certs for a new key; keep a new one only where it is used: {_NEW}"
    )
    return view.finding(f"the file holds {what}", *path, severity=severity, advice=advice)


def _secret(secret: Secret) -> Steps:
    if secret.text("type") != _TYPE:
        return
    fields = [key for key in ("stringData", "data") if secret.has(key, "token-secret")]
    if not fields or is_placeholder(secret.text(fields[0], "token-secret") or ""):
        return
    ends = secret.has("stringData", "expiration") or secret.has("data", "expiration")
    yield _finding(
        secret,
        (fields[0], "token-secret"),
        _NODE + ("" if ends else "; it never expires"),
        Severity.HIGH if ends else Severity.CRITICAL,
    )


def _script(script: Script) -> Steps:
    for index, command in script.commands():
        if _SCRIPT_ENDLESS.search(command):
            text = "the script creates a token that never expires; anybody who has it can add a node"
            advice = f"remove the ttl (the default is a day), or set a short one: {_NEW} --ttl 1h"
            yield script.finding(text, "lines", index, advice=advice, severity=Severity.HIGH)
        if found := _SCRIPT_LITERAL.search(command):
            yield _finding(script, ("lines", index), _NODE if found[1] else _CONTROL_PLANE, Severity.HIGH)
