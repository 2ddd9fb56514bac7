from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.cluster.cloud_nodes import admin_policy
from hardener.tree.cloud_views import Module

from ._blueprints import GROUPS, groups_with_template, what_stays
from ._imds import HOPS, TOKENS, Imds, change, is_enough, reader_finding, reader_of
from ._scaffold import IRSA

_OPTIONS = "metadata_options"
_TEMPLATES = "launch_template_config"  # of the EKS blueprints
_POLICIES = "iam_role_additional_policies"
_POLICIES_OF_BLUEPRINTS = "additional_iam_policies"
_GROUPS = ("eks_managed_node_groups", "self_managed_node_groups")
_DEFAULTS = ("eks_managed_node_group_defaults", "self_managed_node_group_defaults")


@transform(each=Module, stage="cloud", severity=Severity.HIGH, options=Imds)
def tf_eks_module(module: Module, options: Imds) -> Steps:
    """Restore the metadata defaults of the EKS module (Terraform).

    Problem: the EKS module weakens the metadata service of its nodes.

    Result: The nodes use session tokens and a hop limit of 1.

    Why: IMDSv1 answers a simple GET, and with a higher hop limit the answer, which holds the credentials of the node,
    reaches pods. Since version 21 the module asks for tokens and sets the hop limit to 1 by itself. The EKS blueprints
    up to version 4 ask for tokens, too, with a hop limit of 2, and only where they make the launch template of the
    group.

    May break: pods that use the role of their node, or read region and VPC there.
    """
    if module.eks_part is None and not module.makes_templates and not module.is_blueprints:
        return
    policies = _POLICIES_OF_BLUEPRINTS if module.is_blueprints else _POLICIES
    for name in dict.fromkeys((*_GROUPS, *_DEFAULTS, *GROUPS)):
        given = [admin[1] for text in module.texts(name) if (admin := admin_policy(text)) is not None]
        if given:
            said = f"every pod on these nodes can use {', '.join(dict.fromkeys(given))}"
            advice = f"take it out of {policies}, and give the pods that used it {IRSA}"
            yield module.finding(said, name, advice=advice, severity=Severity.CRITICAL)
    if module.is_blueprints:
        yield from what_stays(module, options)
    for path in _places(module):
        for name, wanted in ((TOKENS, "required"), (HOPS, options.hop_limit)):
            if module.is_computed(*path, name):
                message = f"an expression sets {name}, so the value for the nodes is not known"
                to_do = f"check that its value is {wanted}"
                yield module.finding(message, *path, name, advice=to_do, not_looked_at=True)
        if TOKENS in module.mappings(*path) and not module.is_computed(*path, TOKENS):
            if not is_enough(module.literal(*path, TOKENS), "required"):
                yield [change(module, (*path, TOKENS), "required", [module.fact("the module call sets it", *path)])]
        now = module.literal(*path, HOPS)
        if isinstance(now, int) and not is_enough(now, options.hop_limit):
            reader = reader_of(module)
            if reader is not None:
                yield from reader_finding(module, (*path, HOPS), options.hop_limit, reader)
            else:
                yield [
                    change(module, (*path, HOPS), options.hop_limit, [module.fact("the module call sets it", *path)])
                ]


def _places(module: Module) -> Iterator[tuple[str, ...]]:
    """Where the module takes metadata options."""
    if module.makes_templates:
        yield from ((_TEMPLATES, name) for name in module.mappings(_TEMPLATES))
        return
    if module.is_blueprints:
        yield from groups_with_template(module)
        return
    yield (_OPTIONS,)
    for name in _DEFAULTS:
        yield name, _OPTIONS
    for name in _GROUPS:
        for group in module.mappings(name):
            if _OPTIONS in module.mappings(name, group):
                yield name, group, _OPTIONS
