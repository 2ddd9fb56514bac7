"""The program helm, which renders a chart that may be a stranger's: no cluster, no network, no plugin, and limits."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence

from hardener.errors import HardenError
from hardener.support import programs
from hardener.support.printable import plain

SCRATCH = "harden-helm-"  # how the name of each scratch folder begins
SECONDS = 60.0  # for one render
OUTPUT = 32 * 1024 * 1024  # bytes that one render may print
MEMORY = 3 * 1024 * 1024 * 1024  # address space; Go reserves 600 MB of it before it does anything
_INSTALL = "install Helm 3.16 or newer (https://helm.sh/docs/intro/install/), or name it with --helm-program PATH"
_OLDEST = (3, 16)  # the first with --skip-schema-validation
_NOBODY = "http://127.0.0.1:9"  # the port "discard": a proxy that never answers
_HEAD, _TAIL = 240, 400  # characters of an error: where it happened stands first, why stands last
_ADVICE = "Use --debug flag to render out invalid YAML"


class ChartError(HardenError):
    """A chart that cannot be read or rendered. The message is one line: what is wrong, in helm's words where they are
    helm's."""


class Helm:
    """A helm program. ``version`` is what it says of itself: ``(3, 17, 2)``."""

    def __init__(self, program: str, version: tuple[int, ...]) -> None:
        self.program, self.version = program, version

    @classmethod
    def found(cls, program: str | None, outside: str) -> Helm:
        """The helm at the path ``program``, which a person has named; else ``helm`` of PATH, and none that lies in the
        folder ``outside``, a real path. Raises ProgramError, which says how to come to one."""
        try:
            path = programs.path_of("helm", outside) if program is None else os.path.abspath(program)
            done = _run(path, ["version", "--template", "{{.Version}}"])
        except programs.ProgramError as error:
            raise programs.ProgramError(f"{error}: {_INSTALL}") from None
        version = re.match(rb"v(\d+)\.(\d+)\.(\d+)", done.output)
        if done.end is not programs.End.ITSELF or done.returncode != 0 or version is None:
            raise programs.ProgramError(f"{plain(path)} does not answer as helm does: {_INSTALL}")
        numbers = tuple(map(int, version.groups()))
        if numbers < _OLDEST:
            raise programs.ProgramError(f"{plain(path)} is Helm {'.'.join(map(str, numbers))}: {_INSTALL}")
        return cls(path, numbers)

    def template(
        self, folder: str, *, values: Sequence[str] = (), sets: Sequence[str] = (), release: str = "release",
        namespace: str | None = None, kube_version: str | None = None, schema: bool = True, crds: bool = False,
    ) -> str:  # fmt: skip
        """The chart in ``folder``, a copy of ours, as ``helm template`` prints it with the files ``values`` and the
        ``sets`` (each as ``--set`` takes it), the later one over the earlier.

        ``schema``: values that break the schema of the chart are an error. Raises ChartError, and ProgramError.
        """
        options = [*_values(values, sets), *([] if schema else ["--skip-schema-validation"])]
        options += ["--include-crds"] if crds else []
        options += [f"--namespace={namespace}"] if namespace is not None else []
        options += [f"--kube-version={kube_version}"] if kube_version is not None else []
        return self._asked(folder, ["template", *options, "--", release, os.path.abspath(folder)])

    def lint(self, folder: str, *, values: Sequence[str] = (), sets: Sequence[str] = ()) -> str:
        """What ``helm lint`` says of the chart in ``folder``. Raises ChartError where it fails, and ProgramError."""
        return self._asked(folder, ["lint", *_values(values, sets), "--", os.path.abspath(folder)])

    def _asked(self, folder: str, arguments: Sequence[str]) -> str:
        done = _run(self.program, arguments)
        name = plain(os.path.basename(folder))
        if done.end is programs.End.TIME:
            raise ChartError(f"chart {name}: helm does not end in {SECONDS:g} seconds")
        if done.end is programs.End.OUTPUT:
            raise ChartError(f"chart {name}: its templates print more than {OUTPUT // 1024 // 1024} MiB")
        if done.returncode != 0:
            raise ChartError(f"chart {name}: {said(done)}")
        try:
            return done.output.decode()
        except UnicodeDecodeError:
            raise ChartError(f"chart {name}: its templates print what is no UTF-8") from None


def said(done: programs.Done) -> str:
    """What helm says on its standard error when it fails, on one line, without the names of our folders."""
    text = done.error.decode(errors="replace")
    if "out of memory" in text or "cannot allocate memory" in text or "failed to reserve" in text:
        return f"helm needs more than {MEMORY // 1024**3} GiB of memory"
    begin = re.search(r"(?m)^Error: ", text)
    text = (text[begin.end() :] if begin else text).replace(_ADVICE, "")
    for folder in {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}:
        text = re.sub(rf"{re.escape(os.path.join(folder, SCRATCH))}[^/\s]*/?", "", text)
    line = " ".join(part for each in text.splitlines() if (part := plain(each.strip())))
    if not line:
        return f"helm ends with {done.returncode}"
    return line if len(line) <= _HEAD + _TAIL else f"{line[:_HEAD]} [...] {line[-_TAIL:]}"


def _values(values: Sequence[str], sets: Sequence[str]) -> list[str]:
    """Options for them. helm reads the option for files as a line of CSV, and a name that is no path as a URL."""
    quoted = ('"' + os.path.abspath(path).replace('"', '""') + '"' for path in values)
    return [*(f"--values={path}" for path in quoted), *(f"--set={each}" for each in sets)]


def _run(program: str, arguments: Sequence[str]) -> programs.Done:
    """Run helm with homes of its own, which go again. Raises ProgramError."""
    home = tempfile.mkdtemp(prefix=SCRATCH)
    try:
        return programs.bounded(
            program, arguments, seconds=SECONDS, output=OUTPUT, memory=MEMORY, folder=home,
            environment=_environment(home),
        )  # fmt: skip
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: str) -> dict[str, str]:
    """All that helm gets: nothing of the person's, whose plugins, clusters, registries and repositories stay unknown.

    A template cannot ask for any of it (helm takes ``env`` and ``expandenv`` away, ``lookup`` has no cluster, and
    ``getHostByName`` answers nothing); this is for what helm itself would do.
    """
    given = {
        "HOME": home, "TMPDIR": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home,
        "HELM_CACHE_HOME": os.path.join(home, "cache"), "HELM_CONFIG_HOME": os.path.join(home, "config"),
        "HELM_DATA_HOME": os.path.join(home, "data"), "HELM_PLUGINS": os.path.join(home, "plugins"),
        "HELM_NO_PLUGINS": "1", "HELM_NAMESPACE": "default", "KUBECONFIG": os.devnull,
        "DOCKER_CONFIG": os.path.join(home, "docker"), "HTTP_PROXY": _NOBODY, "HTTPS_PROXY": _NOBODY,
        "http_proxy": _NOBODY, "https_proxy": _NOBODY, "NO_PROXY": "", "no_proxy": "", "GOTRACEBACK": "none",
        "GOMEMLIMIT": str(MEMORY // 2), "LC_ALL": "C",
    }  # fmt: skip
    if "SYSTEMROOT" in os.environ:  # without it no program starts on Windows
        given |= {"SYSTEMROOT": os.environ["SYSTEMROOT"], "TEMP": home, "TMP": home, "USERPROFILE": home}
    return given
