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
        advice = "rewrite it as v1: dataFrom has another form there"
        yield item.finding("v1alpha1 is no longer served", "apiVersion", advice=advice, severity=Severity.MEDIUM)
    if version != f"{GROUP}/v1beta1":
        return
    path = ("spec", "externalSecretSpec") if item.object.kind == "ClusterExternalSecret" else ("spec",)
    if item.text(*path, "target", "template", "engineVersion") == "v1":
        text = "v1 of the API has no template engine v1"
        advice = "rewrite the template for engine v2, then change apiVersion"
        yield item.finding(text, *path, "target", "template", "engineVersion", advice=advice, severity=Severity.MEDIUM)
        return
    shown = moves_of(item).backends.serves_v1()
    if shown is None and not options.unseen_api:
        text = "v1beta1 is not served since release 0.17 of the operator, and nothing shows which one runs"
        advice = f"write {API} where it is 0.16 or newer"
        yield item.finding(text, "apiVersion", advice=advice, severity=Severity.MEDIUM)
        return
    found = verdict(known=[shown], basis=Basis.PROVED) if shown else verdict(sure=False)
    before = () if shown else ("check that release 0.16 or newer of the External Secrets Operator runs",)
    yield item.set("apiVersion", to=API, requires=before, **found.words)
