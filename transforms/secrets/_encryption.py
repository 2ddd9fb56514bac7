"""How an EncryptionConfiguration reads: which entries are about Secrets, and who encrypts them.

Source: k8s.io/apiserver pkg/apis/apiserver/validation and pkg/server/options/encryptionconfig.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.tree.view import View

PLAIN = "identity"
_ALL_OF_THE_CORE = ("*.", "*.*")


def entries(configuration: View) -> list[View]:
    """Return the entries of `resources`."""
    return configuration.items("resources")


def covering(configuration: View) -> Iterator[View]:
    """Yield the entries that say how Secrets are kept."""
    for entry in entries(configuration):
        if covers(entry):
            yield entry


def covers(entry: View) -> bool:
    """Return whether an entry is about Secrets."""
    return any(name == "secrets" or name in _ALL_OF_THE_CORE for name in entry.strings("resources"))


def providers(entry: View) -> list[tuple[str, View]]:
    """Return name and settings of the providers of an entry; the first one writes, all of them read."""
    return [(next(iter(item.keys()), ""), item) for item in entry.items("providers")]
