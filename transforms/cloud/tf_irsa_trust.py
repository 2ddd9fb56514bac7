from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.support.data_path import Path
from hardener.tree.blocks import ENCODED
from hardener.tree.cloud_views import Role, TrustPolicy

_ACTION = "sts:AssumeRoleWithWebIdentity"
_AUDIENCE = "sts.amazonaws.com"
_BARE = re.compile(r"\$\{(aws_iam_openid_connect_provider\.[\w-]+\.url)\}(:\w+)")
_OTHERS = re.compile(r"github|gitlab|bitbucket|circleci|buildkite|spacelift|terraform\.io|accounts\.google", re.I)
_STATEMENT = ("assume_role_policy", ENCODED, "Statement")


@transform(each=Role | TrustPolicy, stage="cloud", severity=Severity.HIGH)
def tf_irsa_trust(role: Role | TrustPolicy) -> Steps:
    """Restrict the trust policy of the role (Terraform).

    Problem: the role accepts tokens of other accounts or for other audiences.

    Result: The role accepts only tokens of its service account that were made for AWS.

    Why: without an audience check any token of this cluster with the right subject is accepted. Write the issuer
    without `https://` in a condition; otherwise the condition matches nothing.

    May break: a client that asks for a token with another audience; the webhook of EKS asks for sts.amazonaws.com.
    """
    if isinstance(role, TrustPolicy):
        yield from _document(role)
        return
    count = role.count(*_STATEMENT)
    for path in [(*_STATEMENT, index) for index in range(count)] if count else [_STATEMENT]:
        yield from _statement(role, path)


def _statement(role: Role, path: Path) -> Steps:
    if _ACTION not in role.texts(*path, "Action"):
        return
    tests = {test: role.mappings(*path, "Condition", test) for test in role.mappings(*path, "Condition")}
    keys = [(test, key) for test, names in tests.items() for key in names]
    if _is_of_another_issuer(role, path, [key for _, key in keys]):
        return
    subjects = [(test, key) for test, key in keys if key.endswith(":sub")]
    yield from _too_many(role, path, subjects)
    if not subjects:
        return
    for test, key in keys:
        yield from _rename(role, (*path, "Condition", test), key)
    if not any(key.endswith(":aud") for _, key in keys):
        _, key = next((pair for pair in subjects if pair[0] == "StringEquals"), subjects[0])
        yield _audience(role, (*path, "Condition"), tests, key)


def _too_many(role: Role, path: Path, subjects: list[tuple[str, str]]) -> Iterator[Finding]:
    """The accounts that may take the role, where that is more than those of a namespace."""
    if not subjects:
        message = "every service account of the cluster may take this role: no condition names one (:sub)"
        advice = 'add "ISSUER:sub" = "system:serviceaccount:NS:SA" to StringEquals'
        yield role.finding(message, *path, advice=advice, severity=Severity.HIGH)
    for test, key in subjects:
        subject = role.texts(*path, "Condition", test, key)
        if any(text.startswith("system:serviceaccount:*") or text == "*" for text in subject):
            message = "service accounts of every namespace may take this role"
            advice = "name the namespace: system:serviceaccount:NS:SA"
            yield role.finding(message, *path, "Condition", test, key, advice=advice, severity=Severity.HIGH)


def _is_of_another_issuer(role: Role, path: Path, keys: list[str]) -> bool:
    """Whether the tokens come from no cluster: GitHub and others use the same action."""
    named = [*keys, *role.texts(*path, "Principal")]
    if any(text.startswith("system:serviceaccount:") for text in role.texts(*path, "Condition")):
        return False
    if any(_OTHERS.search(text) for text in named):
        return True
    for address in role.references(*path, "Principal"):
        provider = role.tree.blocks.at(address, role.folder)
        if provider is not None and any(_OTHERS.search(text) for text in provider.texts("url")):
            return True
    return not any("eks" in text.lower() or "oidc" in text.lower() or "openid" in text for text in named)


def _rename(role: Role, path: Path, key: str) -> list[Edit]:
    """The key with the issuer of a provider without its scheme."""
    new = _without_scheme(key)
    if new == key:
        return []
    value = role.text(*path, key)
    if value is None:
        return []
    why = Evidence("the url of the provider may begin with https://, the condition compares without it")
    found = verdict(why=[why], effect=Effect.WATCHED)
    return [
        role.drop(*path, key, **found.words),
        role.set(*path, new, to=value, follow_up=("terraform plan",), **found.words),
    ]


def _without_scheme(key: str) -> str:
    return _BARE.sub(r'${replace(\1, "https://", "")}\2', key)


def _audience(role: Role, path: Path, tests: dict[str, tuple[str, ...]], subject: str) -> Edit:
    key = _without_scheme(subject).removesuffix(":sub") + ":aud"
    found = verdict(why=[Evidence("no condition asks for an audience (:aud)")], effect=Effect.WATCHED)
    after = ("terraform plan",)
    if "StringEquals" in tests:
        return role.set(*path, "StringEquals", key, to=_AUDIENCE, follow_up=after, **found.words)
    return role.set(*path, "StringEquals", to={key: _AUDIENCE}, follow_up=after, **found.words)


def _document(document: TrustPolicy) -> Steps:
    for index in range(document.count("statement")):
        path = ("statement", index)
        if _ACTION not in document.texts(*path, "actions"):
            continue
        named = document.texts(*path)
        if any(_OTHERS.search(text) for text in named) or document.has(*path, "dynamic condition"):
            continue
        for suffix, value in ((":sub", "system:serviceaccount:NS:SA"), (":aud", _AUDIENCE)):
            if not any(text.endswith(suffix) for text in named):
                message = f"a token of the cluster is accepted without a check of {suffix}"
                advice = f'add a condition: StringEquals, variable "ISSUER{suffix}", values ["{value}"]'
                yield document.finding(message, *path, advice=advice, severity=Severity.HIGH)
