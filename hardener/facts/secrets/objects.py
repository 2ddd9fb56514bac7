"""The objects that hold secrets, or say where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from hardener.kubernetes.secrets.external_secret import GROUP, STORES
from hardener.kubernetes.secrets.secret_values import SecretClass, classify
from hardener.kubernetes.secrets.secret_words import is_placeholder
from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.support.data_path import Path
from hardener.tree.core_views import View
from hardener.tree.tree import Tree


class ConfigMap(View):
    """A ConfigMap."""

    __slots__ = ()
    KINDS = frozenset({("", "ConfigMap")})
    type_name = "Object"


class ExternalSecrets(View):
    """An ExternalSecret, or a store that it reads."""

    __slots__ = ()
    KINDS = frozenset({(GROUP, kind) for kind in ("ExternalSecret", "ClusterExternalSecret", *STORES)})
    type_name = "Object"


class EncryptionConfiguration(View):
    """What the API server encrypts in etcd, and how."""

    __slots__ = ()
    KINDS = frozenset({("apiserver.config.k8s.io", "EncryptionConfiguration")})
    type_name = "Object"


class ClusterConfig(View):
    """A cluster as eksctl makes it."""

    __slots__ = ()
    KINDS = frozenset({("eksctl.io", "ClusterConfig")})
    type_name = "Object"


class GeneratedSecret(NamedTuple):
    """A place of a kustomization that puts a credential into what it generates: the key of the generator, the name of
    what it makes, what the credential is called, where."""

    generator: str
    name: str
    what: str
    path: Path


class Kustomization(View):
    """A kustomization.yaml."""

    __slots__ = ()
    type_name = "Kustomization"
    NEEDS = "kustomizations"

    @classmethod
    def of_tree(cls, tree: Tree) -> list[Kustomization]:
        """Those of the files that may be edited."""
        return [cls(item, item.path, item.data) for item in tree.kustomizations.values() if item.editable]

    def secrets(self) -> Iterator[GeneratedSecret]:
        """The literals and files of its generators that hold credentials. Raises WrongShapeError."""
        folder = os.path.dirname(self.object.piece.file.path)
        for generator in ("configMapGenerator", "secretGenerator"):
            for index, entry in enumerate(self.items(generator)):
                name = entry.text("name") or ""
                everything = generator == "secretGenerator"
                for number, line in enumerate(entry.strings("literals")):
                    key, _, value = line.partition("=")
                    if _is_one(key, value.strip("\"'"), everything):
                        yield GeneratedSecret(generator, name, key, (generator, index, "literals", number))
                for field in ("envs", "files"):
                    for number, line in enumerate(entry.strings(field)):
                        file = line.rpartition("=")[2]
                        found = _in_file(os.path.join(folder, file), self.tree.root, field, everything)
                        if found is not None:
                            what = f"{file} holds {found}"
                            yield GeneratedSecret(generator, name, what, (generator, index, field, number))


def _is_one(key: str, value: str, everything: bool) -> bool:
    """Whether a value is a credential; of a Secret each is, that is no stand-in."""
    verdict = classify(key, value)[0]
    if verdict in (SecretClass.SECRET, SecretClass.WEAK):
        return True
    return everything and bool(value) and verdict is not SecretClass.PLACEHOLDER and not is_placeholder(value)


def _in_file(path: str, root: str, field: str, everything: bool) -> str | None:
    """The first credential in a file that a kustomization of the tree names, by its key; None where there is none."""
    real = os.path.realpath(path)
    if not files.is_inside(real, root):
        return None
    try:
        text = files.read(real).text
    except UnreadableError:
        return None
    if "ENC[" in text and "sops" in text:
        return None
    if field == "files":
        verdict, rule = classify("", text)
        embedded = rule.partition(":")[2] or "a credential"
        return embedded if verdict in (SecretClass.SECRET, SecretClass.SUSPECT) else None
    for line in text.splitlines():
        key, sign, value = line.strip().partition("=")
        if sign and not key.startswith("#") and _is_one(key, value.strip("\"'"), everything):
            return key
    return None
