from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.secrets import ExternalSecrets, moves_of
from hardener.kubernetes.secrets.external_secret import API, GROUP

from ._options import Secrets


@transform(each=ExternalSecrets, stage="secrets", severity=Severity.MEDIUM, options=Secrets)
def externalsecret_api_v1(item: ExternalSecrets, options: Secrets) -> Steps:
    """An ExternalSecret, and the store that it reads, has the API version that is served.

    Why: current operator releases no longer serve v1beta1, so the object would be refused. The v1 schema is identical
    for this object.

    May break: a release of the operator before 0.16 does not know v1.
    """
    version = item.text("apiVersion")
    if version == f"{GROUP}/v1alpha1":
        yield item.finding(
            "v1alpha1 is no longer served", "apiVersion",
            advice="rewrite it as v1: dataFrom has another form there", severity=Severity.MEDIUM,
        )  # fmt: skip
    if version != f"{GROUP}/v1beta1":
        return
    path = ("spec", "externalSecretSpec") if item.object.kind == "ClusterExternalSecret" else ("spec",)
    if item.text(*path, "target", "template", "engineVersion") == "v1":
        yield item.finding(
            "v1 of the API has no template engine v1", *path, "target", "template", "engineVersion",
            advice="rewrite the template for engine v2, then change apiVersion", severity=Severity.MEDIUM,
        )  # fmt: skip
        return
    shown = moves_of(item).backends.serves_v1()
    if shown is None and not options.unseen_api:
        yield item.finding(
            "v1beta1 is not served since release 0.17 of the operator, and nothing shows which one runs", "apiVersion",
            advice=f"write {API} where it is 0.16 or newer", severity=Severity.MEDIUM,
        )  # fmt: skip
        return
    found = verdict(known=[shown], basis=Basis.PROVED) if shown else verdict(sure=False)
    before = () if shown else ("check that release 0.16 or newer of the External Secrets Operator runs",)
    yield item.set("apiVersion", to=API, requires=before, **found.words)
