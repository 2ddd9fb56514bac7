"""What ``harden observe --seccomp`` asks for, and the files that it writes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.errors import InputError
from hardener.kubernetes.objects.object_names import as_dns_label
from hardener.observe.engine import Engine
from hardener.observe.results import Result
from hardener.observe.seccomp import for_localhost, for_operator, profile
from hardener.support import programs
from hardener.support.programs import ProgramError

LOCALHOST, OPERATOR = "localhost", "operator"
_INSTALL = "install strace (of your distribution)"


def prepare(engine: Engine, outside: str, folder: str | None) -> None:
    """Have ``engine`` record calls. Raises InputError: it cannot, or ``folder`` is a file; None: nobody asked."""
    if folder is None:
        return
    if engine.name != "podman" or not os.path.isfile(engine.default_profile):
        raise InputError("--seccomp works with podman, which tells of a process before it runs: --engine podman")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InputError(f"--seccomp {folder}: it is a file: name a folder")
    try:
        engine.strace = programs.path_of("strace", outside)
    except ProgramError as error:
        raise InputError(f"--seccomp: {error}: {_INSTALL}") from None


def write(folder: str | None, kind: str, results: list[Result]) -> Iterator[tuple[str, str]]:
    """Write a file for each profile under which its workload came up; yield the workload and what to say of it."""
    for result in results if folder is not None else ():
        for container, found in result.profiles.items():
            assert folder is not None
            name = as_dns_label(
                "-".join(filter(None, (result.namespace, *result.key.split("/"), container))).lower(), 60
            )
            size = f"{container}: {len(found.names)} of the {found.of} system calls of RuntimeDefault"
            if found.because:
                yield result.key, f"{size} are too few: {found.because}"
                continue
            made = profile(found.names)
            if kind == OPERATOR:
                path, text = f"{name}.yaml", for_operator(made, name, result.namespace)
                field = f"localhostProfile: operator/{name}.json"
            else:
                path, text = f"{name}.json", for_localhost(made)
                field = f"localhostProfile: profiles/{path}"
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
            yield result.key, f"{size}, in {os.path.join(folder, path)} (review: it came up with it; {field})"
