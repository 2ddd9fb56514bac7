from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.secrets import ExternalSecrets, moves_of
from hardener.kubernetes.secrets.external_secret import API, GROUP

from ._options import Secrets


@transform(each=ExternalSecrets, stage="secrets", severity=Severity.MEDIUM, options=Secrets)
def externalsecret_api_v1(item: ExternalSecrets, options: Secrets) -> Steps:
    """Update the API version of ExternalSecrets.

    Problem: the object has an API version that External Secrets no longer serves.

    Result: The ExternalSecret and its store have an API version that is served.

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
    backends = moves_of(item).backends
    shown = backends.serves_v1()
    elsewhere = None if shown else backends.installed_by()
    if shown is None and (elsewhere is not None or not options.unseen_api):
        nothing = "nothing shows which one runs"
        runs = f"{elsewhere.text}, and shows no release with v1" if elsewhere is not None else nothing
        text = f"v1beta1 is not served since release 0.17 of the operator, and {runs}"
        advice = f"write {API} where it is 0.16 or newer"
        yield item.finding(text, "apiVersion", advice=advice, severity=Severity.MEDIUM)
        return
    unseen = Evidence("nothing in the tree shows which release of the operator runs")
    found = verdict(known=[shown], basis=Basis.PROVED) if shown else verdict(doubts=[unseen], basis=Basis.ASSUMED)
    before = () if shown else ("check that release 0.16 or newer of the External Secrets Operator runs",)
    yield item.set("apiVersion", to=API, requires=before, **found.words)
