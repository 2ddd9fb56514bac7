"""What a registry knows of an image: the digest behind its tag, its platforms, and what its configs say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from hardener.kubernetes.images.reference import is_digest
from hardener.lock.oci.client import INDEXES, Client, Manifest
from hardener.lock.oci.image_secrets import secret_arguments, secret_variables
from hardener.lock.oci.place import Place
from hardener.lock.oci.registry_error import RegistryError

# Of what a registry holds: an image has one of these, a Helm chart or a signature has not.
_IMAGE_CONFIGS = frozenset({
    "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
})  # fmt: skip
_MOST_PLATFORMS = 64
_LONGEST = 1 << 18  # characters of what one config says: a lock is read by people
_T = TypeVar("_T")


class Found(Struct, frozen=True):
    """What was found of an image.

    - `digest`: of the index, where there is one; `media_type`: its own.
    - `platforms`: "linux/amd64", "linux/arm/v7", ...
    - `config`: `user`, `exposedPorts`, `volumes`, `entrypoint`, `cmd`, `workingDir`, `env` (names),
      `secretEnv`, `secretArgs` (names of what holds a credential), `created`; left out
      where the platforms differ. None where it could not be read: `problem` says why.
    """

    digest: str
    media_type: str
    platforms: tuple[str, ...] = ()
    config: dict[str, Any] | None = None
    problem: str | None = None


def look_up(client: Client, normalized: str, name: str) -> Found:
    """The image that the tag or digest ``name`` of a repository, spelled out, names. Raises RegistryError."""
    if ":" in name and not is_digest(name):
        # What comes for it would be taken for a tag, and its own digest for the one that is pinned.
        host = normalized.partition("/")[0]
        raise RegistryError(f"{host}: no digest that a registry knows: sha256: and 64 small hexadecimal digits")

    def ask(place: Place) -> Found:
        manifest = client.manifest(place, name)
        try:
            platforms, config = _read(client, place, manifest)
        except RegistryError as failure:  # the digest is known, and is worth having
            return Found(manifest.digest, manifest.media_type, (), None, str(failure))
        return Found(manifest.digest, manifest.media_type, platforms, config)

    return anywhere(client, normalized, ask)


def digest_now(client: Client, normalized: str, tag: str) -> str:
    """The digest that a tag names now. Raises RegistryError."""
    return anywhere(client, normalized, lambda place: client.digest(place, tag))


def anywhere(client: Client, normalized: str, ask: Callable[[Place], _T]) -> _T:
    """What ``ask`` finds in the first place that has the repository. Raises RegistryError: what each place said."""
    problems: list[RegistryError] = []
    for place in client.places(normalized):
        try:
            return ask(place)
        except RegistryError as failure:
            problems.insert(0, failure)
    raise RegistryError("; ".join(dict.fromkeys(map(str, problems))), problems[0].status)


def _read(client: Client, place: Place, manifest: Manifest) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    if manifest.media_type not in INDEXES:
        read = _config(client, place, manifest)
        return ((), {}) if read is None else ((read[0],), read[1])
    names, facts = set(), []
    for entry in manifest.content["manifests"][:_MOST_PLATFORMS]:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if not isinstance(platform, dict) or platform.get("os") in (None, "unknown"):
            continue  # a signature or an attestation
        names.add(platform_name(platform))
        if platform["os"] != "linux":
            continue
        if not is_digest(entry.get("digest")):
            raise RegistryError(f"{place.host}: an index names a manifest by no digest")
        read = _config(client, place, client.manifest(place, entry["digest"]))
        if read is not None:
            facts.append(read[1])
    return tuple(sorted(names)), _common(facts)


def _common(facts: list[dict[str, Any]]) -> dict[str, Any]:
    """What the configs of all platforms say alike, and the last of the days on which they were made."""
    first = facts[0] if facts else {}
    common = {key: value for key, value in first.items() if all(one.get(key) == value for one in facts)}
    days = [one["created"] for one in facts if "created" in one]
    if days:
        common.setdefault("created", max(days))
    return common


def _config(client: Client, place: Place, manifest: Manifest) -> tuple[str, dict[str, Any]] | None:
    """The platform and facts that the config of an image names; None for anything else that a registry holds."""
    if manifest.media_type in INDEXES:
        raise RegistryError(f"{place.host}: an index holds an index")
    config = manifest.content["config"]
    if str(config.get("mediaType")) not in _IMAGE_CONFIGS:
        return None
    digest = str(config.get("digest"))
    if digest not in client.configs:  # tags of one image have one config
        blob = client.blob(place, digest)
        client.configs[digest] = (platform_name(blob), config_facts(place.host, blob))
    return client.configs[digest]


def platform_name(of: dict[str, Any]) -> str:
    """``linux/arm/v7``, of the platform in an index or of a config."""
    parts = (of.get(key) for key in ("os", "architecture", "variant"))
    return "/".join(part for part in parts if _is_plain(part) and part)


def config_facts(host: str, blob: dict[str, Any]) -> dict[str, Any]:
    """What a lock keeps of the config of an image. Raises RegistryError, which names ``host``, for what is none."""
    config = blob.get("config")
    if not isinstance(config, dict):
        config = {}
    user = config.get("User") or ""
    ports, volumes = _keys(config.get("ExposedPorts")), _keys(config.get("Volumes"))
    entrypoint, cmd, env = (_texts(config.get(key)) for key in ("Entrypoint", "Cmd", "Env"))
    if not _is_plain(user) or env is None or None in (ports, volumes, entrypoint, cmd):
        raise RegistryError(f"{host}: a config is not one of an image")
    optional = {
        "entrypoint": entrypoint,
        "cmd": cmd,
        "workingDir": _plain(config.get("WorkingDir")),
        "created": _plain(blob.get("created")),
        "env": sorted({text.partition("=")[0] for text in env} - {""}),  # names only: a value may be a secret
        "secretEnv": list(filter(_is_plain, secret_variables(env))),
        "secretArgs": list(filter(_is_plain, secret_arguments(blob.get("history")))),
    }
    found: dict[str, Any] = {"user": user, "exposedPorts": ports, "volumes": volumes}
    found |= {key: value for key, value in optional.items() if value}
    if sum(map(_length, found.values())) > _LONGEST:
        raise RegistryError(f"{host}: a config says more than fits into a lock")
    return found


def _is_plain(value: object) -> bool:
    """Whether it is a text of one line, which moves no cursor where it is printed."""
    return isinstance(value, str) and value.isprintable()


def _plain(value: object) -> str:
    return value if isinstance(value, str) and _is_plain(value) else ""


def _length(said: str | list[str]) -> int:
    return 1 + len(said) if isinstance(said, str) else sum(1 + len(word) for word in said)


def _keys(value: object) -> list[str] | None:
    """The keys of a mapping, sorted, [] for none; None for anything else, and for what is no text of one line."""
    mapping = value or {}
    return sorted(mapping) if isinstance(mapping, dict) and all(map(_is_plain, mapping)) else None


def _texts(value: object) -> list[str] | None:
    """A list of texts, [] for none; None for anything else, and for what no file can hold."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return (
        value if all(character.isprintable() or character in "\n\t" for item in value for character in item) else None
    )
