"""For a cdk8s app: every pod that it makes is hardened where it says nothing itself.

Call harden_pods(app) before app.synth().
"""

from typing import Any

from cdk8s import ApiObject, App, JsonPatch

from .manifest_pods import missing


def harden_pods(app: App) -> None:
    for made in app.node.find_all():
        if ApiObject.is_api_object(made):
            found: Any = made
            for path, value in missing(found.kind, found.to_json()):
                pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
                found.add_json_patch(JsonPatch.add(pointer, value))
