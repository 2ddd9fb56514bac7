"""Whether a pod uses the Kubernetes API, and which of its containers do, as far as the tree shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.account_use import DEFAULT, DefaultUsers, ServiceAccounts
from hardener.facts.access.token_users import token_users
from hardener.facts.images.container_commands import Speaker, spoken
from hardener.facts.images.observations import observation, observations, seen
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.config_data import ConfigSources
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.pods.command_evidence import api_client
from hardener.kubernetes.pods.token_users import program
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

_Key = tuple[str, bool]  # of a container: its name, and whether it is an init container

# Where every container finds its token (plugin/pkg/admission/serviceaccount, DefaultAPITokenMountPath), on Windows too.
STANDARD_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_PATHS = frozenset({STANDARD_PATH, STANDARD_PATH.removeprefix("/var")})  # /var/run is a link to /run

_CLIENTS = frozenset({"kubectl", "helm"})  # as a part of the name of an image
_CLIENT_IMAGES = frozenset({"k8s-wait-for", "origin-cli", "ose-cli"})
_KEPT = "api_need"  # by the view of the pod


class Strength(StrEnum):
    """How sure it is that a pod needs the API."""

    PROVED = "proved"
    INFERRED = "inferred"
    NONE = "none"


class Need(Struct):
    """What shows that a pod needs a token of its service account.

    - ``bound``: bindings that give rights to its account. ``sure``: one of them surely does.
    - ``tokens``: volumes that project a token, and mounts where the token stands: somebody took care of it.
    - ``injected``: what is added when the pod is made, or done with it by its operator, and works with its token;
      ``instead``: how a person spares the first of them that. ``maybe``: what does so in some versions.
    - ``by_name``: the bindings name an account that the pod names, or that it alone runs as, and not `default`, which
      others run as too.
    """

    bound: list[Evidence] = field(default_factory=list)
    sure: bool = False
    tokens: list[Evidence] = field(default_factory=list)
    injected: list[Evidence] = field(default_factory=list)
    instead: str = ""
    maybe: list[Evidence] = field(default_factory=list)
    by_name: bool = False
    _shown: dict[_Key, list[Evidence]] = field(default_factory=dict)
    _without: dict[_Key, Evidence | None] = field(default_factory=dict)

    def of(self, container: Container) -> list[Evidence]:
        """What shows that ``container`` itself uses the API."""
        return self._shown.get(_key(container), [])

    def none_of(self, container: Container) -> Evidence | None:
        """Why ``container`` is known to make no use of it; None where that is not known."""
        return None if self.of(container) else self._without.get(_key(container))

    @property
    def evidence(self) -> list[Evidence]:
        """All of it."""
        return [*self.bound, *self.tokens, *self.injected, *(fact for own in self._shown.values() for fact in own)]

    @property
    def tells(self) -> bool:
        """Whether anything is known: of most pods nothing is."""
        told = self.bound or self.sure or self.tokens or self.injected or self.maybe or self._shown
        return bool(told) or any(self._without.values())

    @property
    def is_of_default(self) -> bool:
        """Whether nothing but rights of the account `default` shows it, which each pod without an account runs as."""
        return bool(self.bound) and not (self.by_name or self.tokens or self.injected or self._shown)

    @property
    def strength(self) -> Strength:
        if self.sure or self.tokens:
            return Strength.PROVED
        return Strength.INFERRED if self.evidence else Strength.NONE


_NO_NEED = Need()  # one for all pods of which nothing is known


def api_use(pod: PodTemplate) -> list[Evidence]:
    """What shows that the pod needs a token of its service account; none when nothing does."""
    return need(pod).evidence


def need(pod: PodTemplate) -> Need:
    """What shows whether, and where, ``pod`` uses the API, as it is written and as kustomizations patch it.

    Raises OpaqueError, WrongShapeError.
    """
    tree = pod.tree
    if tree.kustomizations:
        return _find(pod)
    # Several transforms ask; what is known holds until the pod starts or mounts something else, or what there is beside
    # it changes.
    wiring, accounts, relations = pod.object.piece.wiring, tree.ask(ServiceAccounts), tree.ask(Relations)
    known: tuple[int, object, object, Need] | None = pod.__dict__.get(_KEPT)
    if known is None or known[0] != wiring or known[1] is not accounts or known[2] is not relations:
        known = pod.__dict__[_KEPT] = wiring, accounts, relations, _find(pod)
    return known[3]


def _find(pod: PodTemplate) -> Need:
    found = Need()
    for state in states(pod):
        try:
            _look(state, found)
        except (OpaqueError, WrongShapeError):
            if state is pod:
                raise
    return found if found.tells else _NO_NEED


def has_token(container: Container) -> bool:
    """Whether something is mounted where the token stands, so that the API server puts nothing there."""
    return next(_mounts(container), None) is not None


def _look(pod: PodTemplate, found: Need) -> None:
    """Add to ``found`` what ``pod`` shows that is not in it."""
    bindings = pod.tree.ask(ServiceAccounts).bindings(pod)
    found.sure |= any([bound.sure for bound in bindings])
    _add(found.bound, [bound.evidence for bound in bindings])
    _add(found.tokens, list(_tokens(pod)))
    if bindings:
        found.by_name |= pod.service_account != DEFAULT or pod.tree.ask(DefaultUsers).is_alone(pod)
    _add_token_users(found, pod)
    config = pod.tree.ask(ConfigSources)
    for container in pod.containers:
        own = [*_container(container), *config.api_use(container)]
        key = _key(container)
        if own:
            _add(found._shown.setdefault(key, []), own)
        reason = _needless(container)
        found._without[key] = reason if reason is None else found._without.get(key, reason)


def _add_token_users(found: Need, pod: PodTemplate) -> None:
    for user in token_users(pod):
        if user.sure and not found.injected:
            found.instead = user.instead
        _add(found.injected if user.sure else found.maybe, [user.evidence])


def _add(found: list[Evidence], more: list[Evidence]) -> None:
    if not more:
        return
    known = {fact.text for fact in found}
    for fact in more:
        if fact.text not in known:
            known.add(fact.text)
            found.append(fact)


def _key(container: Container) -> _Key:
    """By name: in a patched pod it may stand elsewhere."""
    return container.name, container.init


def _needless(container: Container) -> Evidence | None:
    if container.row is None or not (container.row.api == "no" or _excepted(container)):
        return None
    return container.fact(
        f"{container.row.origin}: container {container.name} makes no use of the Kubernetes API", "image"
    )


def _tokens(pod: PodTemplate) -> Iterator[Evidence]:
    for index, volume in enumerate(pod.items("volumes")):
        if volume.has("projected") and any(
            [source.has("serviceAccountToken") for source in volume.view("projected").items("sources")]
        ):
            yield pod.fact("a volume projects a token", "volumes", index)
    for container in pod.containers:
        yield from _mounts(container)


def _mounts(container: Container) -> Iterator[Evidence]:
    for index, mount in enumerate(container.items("volumeMounts")):
        if (mount.text("mountPath") or "").rstrip("/") in _PATHS:
            yield container.fact("a volume is mounted at the path of the token", "volumeMounts", index)


def _container(container: Container) -> Iterator[Evidence]:
    row, image = container.row, container.image
    if row is not None and row.api == "needed" and not _excepted(container):
        yield container.fact(f"{row.origin}: it uses the Kubernetes API", "image")
    if image is not None and image.name is not None:
        if not _CLIENTS.isdisjoint(image.name.split("-")) or image.name in _CLIENT_IMAGES:
            yield container.fact(f"image {image.name} is a client of the Kubernetes API", "image")
        if (told := program(image.normalized or image.name)) is not None:
            yield container.fact(told.does, "image")
    yield from _seen_to_use(container)
    for name, speaker in _said(container):
        yield speaker.says(f"mentions {name}")


def _said(container: Container) -> Iterable[tuple[str, Speaker]]:
    env = container.env
    return spoken(container, lambda words: api_client(words, env), probes=True, beside=env)


def _seen_to_use(container: Container) -> Iterator[Evidence]:
    for run in filter(None, observations(container)):
        if run.token:
            yield container.fact(f"harden observe saw it read the token of its account ({seen(run)})")
        if "kubernetes" in run.connects:
            yield container.fact(f"harden observe saw it connect to the Kubernetes API ({seen(run)})")


def seen_without(pod: PodTemplate) -> list[Evidence]:
    """For each container that had a token and did not read it when it was observed, that it did not."""
    found: list[Evidence] = []
    if pod.tree.lock is None:
        return found
    for container in pod.containers:
        run = observation(container)
        if run is not None and run.token is False and "kubernetes" not in run.connects:
            text = f"harden observe: container {container.name} read no token in {run.seconds} s ({seen(run)})"
            found.append(container.fact(text))
    return found


def _excepted(container: Container) -> bool:
    return container.row is not None and any(fnmatchcase(container.name, glob) for glob in container.row.api_except)
