"""For a Pulumi program: every pod that it makes is hardened where it says nothing itself.

Import this module before the first resource is made. Charts and YAML files that the program renders are covered too.
"""

from typing import Any

import pulumi

from .manifest_pods import missing


def harden_pods(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if not args.type_.startswith("kubernetes:"):
        return None
    additions = list(missing(args.type_.rpartition(":")[2], args.props))
    for path, value in additions:
        holder: Any = args.props
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value
    return pulumi.ResourceTransformResult(props=args.props, opts=args.opts) if additions else None


pulumi.runtime.register_resource_transform(harden_pods)
