from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.kubernetes.secrets.secret_files import file_variable
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.view import View

from ._options import Secrets
from ._rewire import Mounts

_MOST = 4  # variables that are named


@transform(
    each=PodTemplate, stage="secrets", severity=Severity.MEDIUM, options=Secrets, cis="5.4.1", classes=("node-agent",),
    after=("secret-configmap-move", "secret-env-literal"),
    peers=("kube-linter:read-secret-from-env-var", "checkov:CKV_K8S_35", "kubescape:C-0207"),
)  # fmt: skip
def secret_env_to_file(pod: PodTemplate, options: Secrets) -> Steps:
    """Mount Secrets as files.

    Problem: {container} gets a Secret in an environment variable.

    Result: The container reads its Secrets from files.

    Why: environment variables end up in crash dumps, child processes and /proc; a read-only file can be rotated without
    a restart.

    May break: a program that reads only the variable finds nothing; only its owner knows whether the code reads the
    variable or a file. Images with a documented variable that names the file keep working.
    """
    if options.delivery != "file":
        for container in pod.containers:
            yield from _said(container, _of_env(container), _of_env_from(container))
        return

    mounts = Mounts(pod, options.mount_path)
    named: list[Edit] = []
    dropped: list[Edit] = []
    for container in pod.containers:
        gone = []
        left = dict(_of_env(container))
        for index, entry in enumerate(container.items("env")):
            how = _file_of(entry, container, mounts)
            if how is not None and how.variable is not None:
                named += _named(entry, how)
            elif how is not None:
                gone.append((index, how.why))
            if how is not None:
                left.pop(index, None)
        dropped += _dropped(container, "env", gone)
        gone = []
        left_from = dict(_of_env_from(container))
        for index, source in enumerate(container.items("envFrom")):
            secret = source.text("secretRef", "name")
            if secret and mounts.place(container, secret, None) is not None:
                gone.append((index, source.fact("nothing shows that it reads its variables from files", "secretRef")))
                left_from.pop(index, None)
        dropped += _dropped(container, "envFrom", gone)
        yield from _said(container, left.items(), left_from.items())
    why = Evidence("the variables stay until you confirm that the program reads the files")
    named_one = Evidence("a variable names the file, so the program reads it there")
    mount = verdict(why=[why if dropped else named_one], effect=Effect.WATCHED, basis=Basis.PROVED)
    yield [*mounts.edits(mount.words), *named]
    yield dropped


def _of_env(container: Container) -> Iterator[tuple[int, str]]:
    """The variables that come from a Secret, by the index of each."""
    for index, entry in enumerate(container.items("env")):
        if entry.has("valueFrom", "secretKeyRef"):
            yield index, entry.text("name") or "one without a name"


def _of_env_from(container: Container) -> Iterator[tuple[int, str]]:
    """The Secrets of which all keys become variables, by the index of each."""
    for index, source in enumerate(container.items("envFrom")):
        if source.has("secretRef"):
            yield index, f"all keys of {source.text('secretRef', 'name') or 'one without a name'}"


def _said(
    container: Container, named: Iterable[tuple[int, str]], whole: Iterable[tuple[int, str]]
) -> Iterator[Finding]:
    """One finding for what a container takes from Secrets as variables."""
    names, all_of = list(named), list(whole)
    found = [name for _, name in (*names, *all_of)]
    if not found:
        return
    shown = ", ".join(found[:_MOST]) + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")
    repository = container.image.normalized if container.image is not None else None
    files = [variable for _, name in names if (variable := file_variable(repository, name))]
    secrets = {container.text("env", index, "valueFrom", "secretKeyRef", "name") for index, _ in names}
    secrets |= {container.text("envFrom", index, "secretRef", "name") for index, _ in all_of}
    if None not in secrets and secrets <= set(_mounted(container)):
        how = "they are mounted as files, too: remove the variables once the program reads the files"
    elif files:
        how = f"its image takes files: {', '.join(files)}"
    else:
        how = "mount them as files if the program can read files"
    place = ("env", names[0][0], "valueFrom", "secretKeyRef") if names else ("envFrom", all_of[0][0], "secretRef")
    text = f"container {container.name} takes secrets as variables: {shown}"
    advice = f"{how}; variables end up in crash dumps and child processes"
    yield container.finding(
        text, *place, severity=Severity.LOW, topic="container with secrets as variables", advice=advice
    )


def _mounted(container: Container) -> Iterator[str | None]:
    names = {mount.text("name") for mount in container.items("volumeMounts")}
    for volume in container.pod.items("volumes"):
        if volume.text("name") in names:
            yield volume.text("secret", "secretName")
            for source in volume.view("projected").items("sources") if volume.has("projected") else ():
                yield source.text("secret", "name")


class _File(Struct, frozen=True):
    """The file of one key of a Secret, the variable that names it (None where nothing shows one), and why."""

    path: str
    variable: str | None
    why: Evidence


def _file_of(entry: View, container: Container, mounts: Mounts) -> _File | None:
    """Where ``container`` finds what the variable ``entry`` holds; None where that is of no Secret, or no place is."""
    reference = entry.view("valueFrom", "secretKeyRef")
    secret, key, name = reference.text("name"), reference.text("key"), entry.text("name")
    if not secret or not key or not name or reference.get("optional") is True:
        return None
    folder = mounts.place(container, secret, key)
    if folder is None:
        return None
    if any(f"$({name})" in word for word in (*container.words, *container.env.values())):
        return _File(f"{folder}/{key}", None, entry.fact(f"$({name}) is used in container {container.name}"))
    repository = container.image.normalized if container.image is not None else None
    variable = file_variable(repository, name)
    if variable is None:
        return _File(
            f"{folder}/{key}", None, entry.fact(f"nothing shows that {container.name} reads {name} from a file")
        )
    return _File(f"{folder}/{key}", variable, container.fact(f"its image takes a file from {variable}", "image"))


def _named(entry: View, file: _File) -> list[Edit]:
    """The edits that give the name of the file in place of the value."""
    how = verdict(known=[file.why], effect=Effect.WATCHED).words
    return [
        entry.set("name", to=file.variable, **how),
        entry.drop("valueFrom", **how),
        entry.set("value", to=file.path, **how),
    ]


def _dropped(container: Container, key: str, gone: list[tuple[int, Evidence]]) -> list[Edit]:
    """The edits that take entries out of a list, which goes when nothing is left in it."""
    if gone and len(gone) == len(container.items(key)):
        return [container.drop(key, **_held(*[why for _, why in gone]).words)]
    return [container.drop(key, index, **_held(why).words) for index, why in gone]


def _held(*against: Evidence) -> Verdict:
    return verdict(against=against, basis=Basis.ASSUMED)
