from __future__ import annotations

import re

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.script_views import Script

_WEAK = re.compile(
    r"--(?:authorization-mode[= ]['\"]?AlwaysAllow|anonymous-auth(?:=true)?(?![=\w-])|"
    r"read-only-port[= ]['\"]?[1-9]\d*|insecure-port[= ]['\"]?[1-9]\d*|token-auth-file[= ])"
)


@transform(each=Script, stage="components", severity=Severity.HIGH, only_reports=True)
def component_script_flags(script: Script) -> Steps:
    """Remove insecure flags from scripts.

    Problem: the script starts a component with an insecure flag.

    Result: The script starts components without insecure flags.

    Why: flags in KUBELET_EXTRA_ARGS or in the command of a unit override the configuration file, and reviewers rarely
    look for them there.

    May break: nothing, since it only reports.
    """
    for number, line in enumerate(script.strings("lines")):
        if line.lstrip().startswith("#"):
            continue
        found = [match.rstrip(" =") for match in _WEAK.findall(line)]
        if found:
            verb = "are" if len(found) > 1 else "is"
            text = f"{' and '.join(found)} {verb} passed to a component"
            advice = "remove it, and set the field in the configuration file of the component"
            yield script.finding(text, "lines", number, severity=Severity.HIGH, advice=advice)
