from __future__ import annotations

import re

from hardener.declare import Steps, transform
from hardener.edits import Severity
from hardener.scripts import Script

_WEAK = re.compile(
    r"--(?:authorization-mode[= ]['\"]?AlwaysAllow|anonymous-auth(?:=true)?(?![=\w-])|read-only-port[= ]['\"]?[1-9]|"
    r"insecure-port[= ]['\"]?[1-9]|token-auth-file[= ])"
)


@transform(each=Script, stage="components", severity=Severity.HIGH)
def component_script_flags(script: Script) -> Steps:
    """No script starts a component with a flag that opens it.

    Why: what stands in KUBELET_EXTRA_ARGS or in the command of a unit wins over the configuration file, and nobody
    looks for it there.

    May break: nothing, since it only reports.
    """
    for number, line in enumerate(script.strings("lines")):
        found = _WEAK.search(line)
        if found and not line.lstrip().startswith("#"):
            yield script.finding(
                f"{found.group().rstrip(' =')} is passed to a component", "lines", number, severity=Severity.HIGH,
                advice="take it out, and set the field in the configuration file of the component",
            )  # fmt: skip
