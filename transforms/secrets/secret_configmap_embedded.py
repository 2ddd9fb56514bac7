from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.secrets import ConfigMap
from hardener.kubernetes.secrets.secret_values import SecretClass, classify


@transform(each=ConfigMap, stage="secrets", severity=Severity.HIGH, cis="5.4.2", only_reports=True)
def secret_configmap_embedded(config_map: ConfigMap) -> Steps:
    """Move credentials out of configuration files.

    Problem: a configuration file in the ConfigMap holds a credential.

    Result: The configuration file holds no credentials.

    Why: whoever may read ConfigMaps can read the credential, and ConfigMaps are rarely encrypted in etcd.

    May break: nothing, since it only reports: only part of the file is secret, and the program decides how that part
    may come from elsewhere.
    """
    if config_map.text("kind") != "ConfigMap":
        return
    for key in config_map.keys("data"):
        text = config_map.text("data", key)
        verdict, rule = classify(key, text) if text else (SecretClass.NO, "")
        if verdict is not SecretClass.SUSPECT:
            continue
        name = rule.partition(":")[2]
        what = f"it seems to hold a credential, {name}" if name else "it may be a credential"
        yield config_map.finding(
            f"{key}: {what}",
            "data",
            key,
            advice="if it is one, move the whole file or this one value to a Secret, and rotate it",
            severity=Severity.HIGH if name else Severity.MEDIUM,
            topic="ConfigMap with what may be a credential",
        )
