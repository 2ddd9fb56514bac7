"""What a strategic merge patch of a kustomization makes of an object, as plain data.

It has the shape of its object. What no patch speaks of stays as it is; kustomize also drops nulls there, and items of
lists that have the key of another one, which Kubernetes refuses anyway. JSON patches are in ``operations``.

Sources: sigs.k8s.io/kustomize, kyaml/yaml/walk and merge2; of the lists that have keys, kyaml/openapi/kubernetesapi.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardener.errors import HardenError

DIRECTIVE = "$patch"
# Directives of kubectl that kustomize knows nothing of; it would leave them in the object.
_UNKNOWN_DIRECTIVES = ("$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys")

Keys = tuple[str, ...]
_TEMPLATE_SPEC = "PodTemplateSpec"
# Type -> field -> (type below it, keys that tell the items of a list apart). Other lists are replaced whole.
_FIELDS: dict[str, dict[str, tuple[str, Keys]]] = {
    "Workload": {"metadata": ("ObjectMeta", ()), "spec": ("WorkloadSpec", ())},
    "WorkloadSpec": {"template": (_TEMPLATE_SPEC, ())},
    "CronJob": {"metadata": ("ObjectMeta", ()), "spec": ("CronJobSpec", ())},
    "CronJobSpec": {"jobTemplate": ("Workload", ())},
    "PodTemplate": {"metadata": ("ObjectMeta", ()), "template": (_TEMPLATE_SPEC, ())},
    _TEMPLATE_SPEC: {"metadata": ("ObjectMeta", ()), "spec": ("PodSpec", ())},
    "PodSpec": {
        "initContainers": ("Container", ("name",)),
        "containers": ("Container", ("name",)),
        "ephemeralContainers": ("Container", ("name",)),
        "volumes": ("", ("name",)),
        "imagePullSecrets": ("", ("name",)),
        "hostAliases": ("", ("ip",)),
        "topologySpreadConstraints": ("", ("topologyKey", "whenUnsatisfiable")),
    },
    "Container": {
        "env": ("", ("name",)),
        "ports": ("", ("containerPort", "protocol")),
        "volumeMounts": ("", ("mountPath",)),
        "volumeDevices": ("", ("devicePath",)),
    },
    "ObjectMeta": {"finalizers": ("", ("",)), "ownerReferences": ("", ("uid",))},
    "Service": {"metadata": ("ObjectMeta", ()), "spec": ("ServiceSpec", ())},
    "ServiceSpec": {"ports": ("", ("port", "protocol"))},
    "ServiceAccount": {"metadata": ("ObjectMeta", ()), "secrets": ("", ("name",))},
    "Object": {"metadata": ("ObjectMeta", ())},
    "WebhookConfiguration": {"metadata": ("ObjectMeta", ()), "webhooks": ("", ("name",))},
}
# The types that kustomize has a schema of; of all others it replaces every list.
_TYPES = {
    **{("apps/v1", kind): "Workload" for kind in ("Deployment", "DaemonSet", "ReplicaSet", "StatefulSet")},
    ("batch/v1", "Job"): "Workload",
    **{(version, "CronJob"): "CronJob" for version in ("batch/v1", "batch/v1beta1")},
    ("v1", "Pod"): _TEMPLATE_SPEC,
    ("v1", "PodTemplate"): "PodTemplate",
    ("v1", "ReplicationController"): "Workload",
    ("v1", "Service"): "Service",
    ("v1", "ServiceAccount"): "ServiceAccount",
    **{
        (f"admissionregistration.k8s.io/{version}", f"{kind}WebhookConfiguration"): "WebhookConfiguration"
        for version in ("v1", "v1beta1")
        for kind in ("Validating", "Mutating")
    },
    **{("v1", kind): "Object" for kind in ("ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret")},
}


class PatchError(HardenError):
    """kustomize would refuse to apply the patch to this object. The message says why, without a value of either."""


def merge(document: dict[str, Any], patch: Mapping[str, Any], *, renames: bool = False) -> dict[str, Any] | None:
    """``document`` with a strategic merge patch; None where the patch deletes it. Neither is changed, and the result
    shares with both what it does not change, so it is for reading only.

    ``renames``: the patch may change name and kind (options allowNameChange, allowKindChange).
    Raises PatchError where the two have different shapes at one place, or a directive has no meaning.
    """
    type_name = _TYPES.get((str(document.get("apiVersion")), str(document.get("kind"))), "")
    found = _merged(document, patch, type_name, ())
    if not isinstance(found, dict) or not found:
        return None
    metadata, written = found.get("metadata"), document.get("metadata")
    if not renames:
        found["kind"] = document.get("kind")
    if isinstance(metadata, dict) and isinstance(written, dict):
        kept = ("namespace",) if renames else ("name", "namespace")
        others = {key: value for key, value in metadata.items() if key not in kept}
        found["metadata"] = {key: written[key] for key in kept if key in written} | others
    return found


def patch_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a strategic merge patch that makes ``new`` of the object ``old``; None where they are no object of one
    kind and name. Whoever uses it looks what ``merge`` makes of it."""
    metadata = old.get("metadata")
    if not isinstance(metadata, dict) or any(old.get(key) != new.get(key) for key in ("apiVersion", "kind")):
        return None
    named = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    type_name = _TYPES.get((str(old.get("apiVersion")), str(old.get("kind"))), "")
    found = _patch_of(old, new, type_name)
    own = found.pop("metadata", None) or {}
    return {"apiVersion": old.get("apiVersion"), "kind": old.get("kind"), "metadata": {**named, **own}, **found}


def _patch_of(old: Mapping[str, Any], new: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    found: dict[str, Any] = {key: None for key in old if new.get(key) is None and old[key] is not None}
    fields = _FIELDS.get(type_name, {})
    for key, value in new.items():
        before = old.get(key)
        below, keys = fields.get(key, ("", ()))
        if value is None or (before == value and type(before) is type(value)):
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = _patch_of(before, value, below)
        elif isinstance(before, list) and isinstance(value, list) and keys:
            found[key] = _patch_of_items(before, value, below, keys)
        else:
            found[key] = value
    return found


def _patch_of_items(old: list[Any], new: list[Any], type_name: str, keys: Keys) -> list[Any]:
    """All items of the new list in their order, those that are the same by their key alone, then those that go."""
    own, other = _by_key(old, keys), _by_key(new, keys)
    if own is None or other is None:
        return new
    found: list[Any] = []
    for key, item in other.items():
        named = {keys[0]: item[keys[0]]}
        found.append({**named, **_patch_of(own[key], item, type_name)} if key in own else item)
    return found + [{keys[0]: item[keys[0]], DIRECTIVE: "delete"} for key, item in own.items() if key not in other]


def _merged(target: Any, patch: Any, type_name: str, keys: Keys) -> Any:
    """What becomes of ``target``; None where it goes."""
    if patch is None:
        return None
    if target is not None and _shape(target) is not _shape(patch):
        raise PatchError("object and patch have different shapes at one place")
    if isinstance(patch, dict):
        return _merged_mapping(target, patch, type_name)
    if isinstance(patch, list) and keys:
        return _merged_list(target, patch, type_name, keys)
    return patch


def _shape(value: Any) -> type:
    return dict if isinstance(value, dict) else list if isinstance(value, list) else str


def _directive(patch: Mapping[str, Any]) -> str:
    found = patch.get(DIRECTIVE, "merge")
    if found not in ("merge", "replace", "delete"):
        raise PatchError(f"no {DIRECTIVE} directive has this name")
    return str(found)


def _merged_mapping(target: dict[str, Any] | None, patch: Mapping[str, Any], type_name: str) -> dict[str, Any] | None:
    directive = _directive(patch)
    if directive == "delete":
        return None
    found = dict(target) if target is not None and directive == "merge" else {}
    fields = _FIELDS.get(type_name, {})
    for key, value in patch.items():
        if key == DIRECTIVE or str(key).startswith(_UNKNOWN_DIRECTIVES):
            continue
        new = _merged(found.get(key), value, *fields.get(key, ("", ())))
        if new is None:
            found.pop(key, None)
        else:
            found[key] = new
    return found


def _merged_list(target: list[Any] | None, patch: list[Any], type_name: str, keys: Keys) -> list[Any]:
    """Items of the patch come first, in its order, each merged with the one of the same keys; then all others."""
    if keys == ("",):
        items = [*patch, *(target or ())]
        return list(dict.fromkeys(items)) if not any(isinstance(item, dict | list) for item in items) else patch
    own, other = _by_key(target or [], keys), _by_key(patch, keys)
    if own is None or other is None:
        return _merged_oddly(target, patch, type_name, keys)
    merged = []
    for key, item in other.items():
        # A "replace" has no effect on an item that is there: kustomize puts the old one back.
        known = own.get(key)
        value = known if known and _directive(item) == "replace" else _merged_mapping(known, item, type_name)
        if value:
            merged.append(value)
    return [*merged, *(item for key, item in own.items() if key not in other)]


def _by_key(items: list[Any], keys: Keys) -> dict[str, dict[str, Any]] | None:
    """The items by their one key; None where that does not tell them apart."""
    if len(keys) != 1:
        return None
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        key = _text(item.get(keys[0])) if isinstance(item, dict) else ""
        if not key or key in found:
            return None
        found[key] = item
    return found


# Lists with two keys, or with items that lack one or have the same: kustomize has no rule for them, only what it does.


def _merged_oddly(target: list[Any] | None, patch: list[Any], type_name: str, keys: Keys) -> list[Any]:
    patch = [_copied(item) for item in patch]
    target = patch if target is None else [_copied(item) for item in target]
    found = [dict(zip(keys, values, strict=True)) for values in _values([*patch, *target], keys)]
    used = [key for key in keys if any(values[key] for values in found)] or list(keys)
    items: list[Any] = []
    for values in found:
        own, other = _first(target, values), _first(patch, values)
        value = own if other is None else _merged_in_place(own, other, type_name)
        wanted = [values[key] for key in used]
        if value is None or value == {}:
            _put(target, None, used, wanted)
        else:
            _put(items, value, used, wanted)
    for item in list(target):
        _add(items, item, used)
    return items


def _copied(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise PatchError("an item of a list with keys is no mapping")
    return dict(item)


def _merged_in_place(own: dict[str, Any] | None, other: dict[str, Any], type_name: str) -> dict[str, Any] | None:
    found = _merged_mapping(own, other, type_name)
    if found is not None and own is not None and other.get(DIRECTIVE) != "replace":
        own.clear()
        own.update(found)
        found = own
    other.pop(DIRECTIVE, None)
    return found


def _values(items: list[dict[str, Any]], keys: Keys) -> list[list[str]]:
    """The values of the keys of all items, each once; "" where an item has none."""
    found = [list(one) for one in dict.fromkeys(tuple(_text(item.get(key)) for key in keys) for item in items)]
    if len(keys) > 1:  # a port without a protocol is the one with
        for one in range(len(found)):
            for other in range(len(found)):
                if (both := _common(found[one], found[other])) is not None:
                    found[one] = found[other] = both
    return found


def _common(one: list[str], other: list[str]) -> list[str] | None:
    pairs = list(zip(one, other, strict=True))
    if not any(a == b for a, b in pairs) or any(a and b and a != b for a, b in pairs):
        return None
    return [a or b for a, b in pairs]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _first(items: list[Any], values: dict[str, str]) -> Any:
    """The first of ``items`` that has all of the ``values`` which are not empty; None where all are."""
    known = {key: value for key, value in values.items() if value}
    for item in items:
        if isinstance(item, dict) and known and all(_text(item.get(key)) == value for key, value in known.items()):
            return item
    return None


def _put(items: list[Any], value: Any, keys: list[str], wanted: list[str]) -> None:
    """The item with these keys becomes ``value``, or goes where that is None; a new one goes to the end."""
    found, kept = False, []
    for item in items:
        if _has(item, keys, wanted):
            found = True
            if value is not None:
                kept.append(value)
        elif wanted:
            kept.append(item)
    items[:] = kept
    if value is not None and not found:
        items.append(value)


def _has(item: Any, keys: list[str], wanted: list[str]) -> bool:
    # A value that is not wanted is any; where there are fewer values than keys, the last one stands for the rest.
    has = False
    for number, key in enumerate(keys):
        if number < len(wanted):
            has = isinstance(item, dict) and key in item and wanted[number] in ("", _text(item[key]))
        if not has:
            return False
    return True


def _add(items: list[Any], item: dict[str, Any], keys: list[str]) -> None:
    wanted = []
    for key in keys:
        if item.get(key) is None:
            items.append(item)
        else:
            wanted.append(_text(item[key]))
    if len(keys) > 1:
        _put(items, None, keys, wanted)
    _put(items, item, keys, wanted)


def identity(item: Any) -> Any:
    """What tells ``item`` apart from others of its list: its name or path, what a rule of RBAC is about, or the value
    that it is."""
    if isinstance(item, dict):
        if "apiGroups" in item:
            return "apiGroups", repr(item["apiGroups"]), repr(item.get("resources"))
        for key in ("mountPath", "devicePath", "name", "containerPort", "key", "ip"):
            if isinstance(item.get(key), str | int):
                return key, item[key]
        return tuple(sorted(map(str, item)))
    return repr(item) if isinstance(item, list) else item
