"""Node groups of the EKS blueprints of AWS, version 4: what they do to the metadata service where a call leaves it out.

Source: aws-ia/terraform-aws-eks-blueprints v4, modules/aws-eks-managed-node-groups (``managed-launch-templates.tf``,
``locals.tf``, ``main.tf``) and modules/aws-eks-self-managed-node-groups (``self-managed-launch-templates.tf``): each
group takes ``enable_metadata_options``, ``http_endpoint``, ``http_tokens`` ("required") and
``http_put_response_hop_limit`` (2). A managed group has a launch template, and with it these options, only with
``create_launch_template = true``. Its pull request 657 (June 2022) moved the options into the groups: releases of
version 4 before it ignore them there.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding
from hardener.authoring.transform import Steps
from hardener.tree.cloud_views import Module

from ._imds import HOPS, Imds, reader_finding, reader_of

_MANAGED = "managed_node_groups"
GROUPS = (_MANAGED, "self_managed_node_groups")
_DEFAULT_HOPS = 2
_ENDPOINT = "http_endpoint"
_CREATE = "create_launch_template"
_ENABLE = "enable_metadata_options"
_RELEASE = "v4.32.1 reads it there, releases before June 2022 do not"

Place = tuple[str, str]


def groups_with_template(module: Module) -> Iterator[Place]:
    """Yield where the node groups stand whose launch template takes the metadata options of the call."""
    for place in _groups(module):
        if _takes_options(module, place) and not _is_off(module, place):
            yield place


def what_stays(module: Module, options: Imds) -> Steps:
    """Yield what is said of node groups that the call gives no metadata options, or none that reach the nodes."""
    for name in GROUPS:
        if not module.mappings(name) and module.is_computed(name):
            yield _not_known(module, name, options=options)
    for place in _groups(module):
        unknown = _unknown(module, place)
        if unknown is not None:
            yield _not_known(module, *unknown, options=options)
        elif not _makes_template(module, place):
            yield _no_template(module, place, options)
        elif module.literal(*place, _ENABLE) is False:
            yield _left_out(module, place, options)
        elif not _is_off(module, place) and HOPS not in module.mappings(*place) and options.hop_limit < _DEFAULT_HOPS:
            yield from _default_hops(module, place, options)


def _unknown(module: Module, place: Place) -> tuple[str, ...] | None:
    """Return where an expression decides whether the metadata options of a group reach its nodes, None for nowhere."""
    if not module.mappings(*place) and module.is_computed(*place):
        return place
    decisive = (_CREATE, _ENABLE, _ENDPOINT) if place[0] == _MANAGED else (_ENABLE, _ENDPOINT)
    return next(((*place, name) for name in decisive if module.is_computed(*place, name)), None)


def _not_known(module: Module, *path: str, options: Imds) -> Finding:
    return module.finding(
        f"an expression sets {path[-1]}, so the metadata options of the nodes are not known",
        *path,
        advice=f"check that each group has {HOPS} = {options.hop_limit}, and each managed group {_CREATE} = true",
        not_looked_at=True,
    )


def _no_template(module: Module, place: Place, options: Imds) -> Finding:
    return module.finding(
        "this group has no launch template, so EKS blueprints v4 sets no metadata options for its nodes",
        *place,
        advice=f"set {_CREATE} = true and {HOPS} = {options.hop_limit} in the group ({_RELEASE}); a launch template"
        " takes block_device_mappings in place of disk_size",
    )


def _left_out(module: Module, place: Place, options: Imds) -> Finding:
    return module.finding(
        f"{_ENABLE} = false leaves the metadata options of the nodes out of their launch template",
        *place,
        _ENABLE,
        advice=f"remove it, and set {HOPS} = {options.hop_limit} in the group ({_RELEASE})",
    )


def _default_hops(module: Module, place: Place, options: Imds) -> Steps:
    reader = reader_of(module)
    if reader is not None:
        yield from reader_finding(module, place, options.hop_limit, reader)
        return
    yield module.finding(
        f"EKS blueprints v4 sets a hop limit of {_DEFAULT_HOPS} for these nodes, so pods reach the metadata service and"
        " the credentials of the node",
        *place,
        advice=f"set {HOPS} = {options.hop_limit} in the group ({_RELEASE})",
    )


def _groups(module: Module) -> Iterator[Place]:
    for name in GROUPS:
        for group in module.mappings(name):
            yield name, group


def _makes_template(module: Module, place: Place) -> bool:
    return place[0] != _MANAGED or module.literal(*place, _CREATE) is True


def _takes_options(module: Module, place: Place) -> bool:
    return _makes_template(module, place) and module.literal(*place, _ENABLE) is not False


def _is_off(module: Module, place: Place) -> bool:
    """Whether the nodes have no metadata service: the option counts only where the launch template takes it."""
    return _takes_options(module, place) and module.literal(*place, _ENDPOINT) == "disabled"
