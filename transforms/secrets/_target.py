"""Where the values of an object go, and what stands in its place then."""

from __future__ import annotations

import os
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Basis, Evidence, Kept
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.secrets import Backend, SecretMoves, Store, moves_of
from hardener.kubernetes.objects.object_names import as_object_name, is_object_name
from hardener.kubernetes.secrets import external_secret, sealed_secret
from hardener.kubernetes.secrets.external_secret import SECRET_KEY
from hardener.support.shell_words import command, quoted_path, refusal
from hardener.tree.view import View

from ._options import Secrets

_HISTORY = "every clone of the repository has the old values, also after this change"


class Target(Struct, frozen=True):
    """A Secret ``name`` in ``namespace`` (None where that is unset), and what it is made from."""

    moves: SecretMoves
    backend: Backend
    store: Store
    key: str
    namespace: str | None
    name: str
    api: str
    certificate: bytes
    file: str
    known: View | None  # the ExternalSecret of the tree that makes it already

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on a move that needs a cluster with the backend."""
        if self.backend.shown is not None:
            return verdict(known=[self.backend.shown], effect=Effect.WATCHED, basis=Basis.ASSUMED)
        not_shown = Evidence("nothing shows which backend for secrets the cluster has: set secrets.backend")
        return verdict(against=[not_shown], basis=Basis.ASSUMED)

    def kept(self, values: dict[str, bytes], source: str) -> tuple[Kept, ...]:
        """Return ``values`` as they go to the folder of ``--secrets-out``; ``source`` is what held them."""
        way: tuple[str, ...] = ("sealed",)
        if self.backend.name == "external-secrets":
            tool = self.store.provider or "vault"
            way = (tool + "-patch" * (self.known is not None), self.store.mount) if tool == "vault" else (tool,)
        elif self.backend.name == "sops":
            way = ("sops", f"{self.file.rpartition('.')[0]}-{self.name}.enc.yaml")
        elif self.backend.name == "secret":
            way = ("kubectl",)
        secret = (self.namespace, self.name)
        return tuple(Kept(self.key, name, value, secret, source, way) for name, value in values.items())

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the Secret has already; what they hold, only the store knows."""
        entries = self.known.items("spec", "data") if self.known is not None else []
        return tuple(entry.text("secretKey") or "" for entry in entries)

    def entries(self, values: dict[str, bytes]) -> list[dict[str, Any]]:
        return external_secret.entries(self.key, ((name, _is_binary(value)) for name, value in values.items()))

    def body(
        self,
        values: dict[str, bytes],
        *,
        type: str | None = None,
        metadata: dict[str, Any] | None = None,
        immutable: bool = False,
    ) -> dict[str, Any]:
        """Return what stands beside the metadata of the object: the Secret that it makes has ``type`` and ``metadata``.

        Raises SealingError.
        """
        template: dict[str, Any] = ({"type": type} if type else {}) | ({"metadata": metadata} if metadata else {})
        if self.backend.name == "external-secrets":
            store = (self.store.kind, self.store.name)
            data = self.entries(values)
            spec = external_secret.spec(store, self.name, data, template=template, immutable=immutable)
            return {"apiVersion": self.api, "kind": "ExternalSecret", "spec": spec}
        if self.backend.name == "sealed-secrets":
            sealed = {
                name: sealed_secret.seal(self.certificate, self.namespace or "", self.name, value)
                for name, value in values.items()
            }
            template |= {"immutable": True} if immutable else {}
            return {
                "apiVersion": sealed_secret.API,
                "kind": "SealedSecret",
                "spec": {"encryptedData": sealed} | ({"template": template} if template else {}),
            }
        return {"apiVersion": "v1", "kind": "Secret"} | ({"type": type} if type else {})

    def steps(self, what: str) -> tuple[str, ...]:
        """Return what a person does before it is applied; ``what`` are the values to rotate, by their names."""
        script = command("sh {file}", file=self.moves.commands)  # one for all of them, so one step
        first = {
            "external-secrets": f"write the values to the store: {script}",
            "sealed-secrets": f"keep the values where the cluster cannot lose them: {quoted_path(self.moves.commands)}",
            "sops": f"encrypt the values and replace the empty Secrets by the result: {script}",
            "secret": f"make the Secrets: {script}",
        }[self.backend.name]
        return first, f"rotate {what}: {_HISTORY}"


def target(view: View, options: Secrets, name: str, secret: str, *, exactly: bool = False) -> Target | str:
    """Return where values go that the store calls ``name``, as Secret ``secret``, or with a number unless it is
    ``exactly`` that; a text says why nowhere."""
    moves = moves_of(view)
    if exactly and "$" not in secret and not is_object_name(secret):
        return "the API server would refuse its name"
    if not options.move:
        return "the profile moves no secrets (secrets.move)"
    if moves.sink is None:
        return "no folder for the values is given (--secrets-out DIR, outside of the repository)"
    backend = moves.backends.chosen(options.backend, options.store)
    renamed = moves.renamed(view, backend.name)
    if renamed is not None:
        return renamed
    store = moves.backends.store(view.object, options.store) if backend.name == "external-secrets" else Store("", "")
    if isinstance(store, str):
        return store
    certificate = _certificate(view, options) if backend.name == "sealed-secrets" else b""
    if isinstance(certificate, str):
        return certificate
    wanted = moves.expected(view, store, options.remote_key, name)
    known = None
    if not exactly:
        secret, known = _named(view, secret, wanted if backend.name == "external-secrets" else None)
    key = wanted if known is not None else moves.key(view, wanted)
    # What a script names: the key, the mount of the store, and the file that sops writes beside this one.
    named = [key, *filter(None, [store.mount]), os.path.join(os.curdir, view.object.piece.file.name)]
    refused = next(filter(None, map(refusal, named)), None)
    if refused is not None:
        return f"no command can take it to the store: {refused}"
    api = f"{external_secret.GROUP}/{options.eso_api}"
    file, namespace = view.object.piece.file.name, moves.namespace(view)
    return Target(moves, backend, store, key, namespace, secret, api, certificate, file, known)


def _named(view: View, secret: str, wanted: str | None) -> tuple[str, View | None]:
    """A free name like ``secret``, or that of the ExternalSecret which made the key ``wanted`` before, and that."""
    moves = moves_of(view)
    name = secret if "$" in secret else as_object_name(secret)
    known = moves.made_before(view, name, wanted) if wanted is not None else None
    return (moves.free_name(view, name) if known is None else name), known


def _certificate(view: View, options: Secrets) -> bytes | str:
    """What Sealed Secrets encrypts with; a text says why nothing can be encrypted."""
    moves = moves_of(view)
    if not options.sealed_secrets_cert:
        return "the tree shows Sealed Secrets: name their certificate with secrets.sealed-secrets-cert"
    if moves.namespace(view) is None:
        return "a SealedSecret is for one namespace, and the object names none"
    return moves.certificate(options.sealed_secrets_cert) or b""


def is_key(name: str) -> bool:
    """Return whether ``name`` is legal as a key of a Secret."""
    return SECRET_KEY.fullmatch(name) is not None


def listed(names: list[str]) -> str:
    """Return ``A, B and C``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _is_binary(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False
