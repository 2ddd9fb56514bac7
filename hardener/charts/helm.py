"""The program helm, which renders a chart that may be a stranger's: no cluster, no network, no plugin, and limits."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from hardener.errors import HardenError
from hardener.kubernetes.secrets.secret_values import found_secrets, text_secrets
from hardener.sources.yaml import TextError, parse
from hardener.support import programs
from hardener.support.printable import plain

SCRATCH = "harden-helm-"  # how the name of each scratch folder begins
SECONDS = 60.0  # for one render
OUTPUT = 32 * 1024 * 1024  # bytes that one render may print
MEMORY = 3 * 1024 * 1024 * 1024  # address space; Go reserves 600 MB of it before it does anything
# Growth of the heap between two collections (pkg.go.dev/runtime): a third of the time of a short render goes into them.
GOGC = "400"
INSTALL = "install Helm 3.16 or newer (https://helm.sh/docs/intro/install/)"
_NAMED = f"{INSTALL}, or name it with --helm-program PATH"
_OLDEST = (3, 16)  # the first with --skip-schema-validation
_NOBODY = "http://127.0.0.1:9"  # the port "discard": a proxy that never answers
_LONGEST = 100_000  # bytes of one argument; Linux takes 128 KiB, and 2 MiB of all
_MOST = 1_500_000
_NO_TEXT = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")  # the others stand for bytes in a name of a file


class ChartError(HardenError):
    """A chart that cannot be read or rendered. The message is one line: what is wrong, in helm's words where they are
    helm's."""


class Helm:
    """A helm program. ``version`` is what it says of itself: ``(3, 17, 2)``. ``inside`` is the command that starts it
    in a network namespace of its own, in which there is nothing; empty where the system makes none."""

    def __init__(self, program: str, version: tuple[int, ...], inside: Sequence[str] = ()) -> None:
        self.program, self.version, self.inside = program, version, tuple(inside)

    @property
    def network(self) -> str | None:
        """What there is to say of the network that helm could reach; None where there is none."""
        if self.inside:
            return None
        return "helm runs with the network of this machine, since it cannot be given a network namespace (unshare -rn)"

    @classmethod
    def found(cls, program: str | None, outside: str, *, advice: str = _NAMED) -> Helm:
        """Return the helm that a person has named by its path or by a name of PATH; None: ``helm``. One of PATH lies
        not in the folder ``outside``, a real path. Raises ProgramError, whose ``advice`` says how to come to one."""
        asked = program if program is not None else "helm"
        named = os.path.basename(asked) != asked
        try:
            path = programs.path_of(os.path.abspath(asked)) if named else programs.path_of(asked, outside)
            inside, done = _first_answer(path, outside)
        except ChartError as error:
            raise programs.ProgramError(str(error)) from None
        except programs.ProgramError as error:
            why = f"{plain(asked)} is no program" if named else plain(str(error))
            raise programs.ProgramError(f"{why}: {advice}") from None
        version = re.match(rb"v(\d+)\.(\d+)(?:\.(\d+))?", done.output)
        if done.end is not programs.End.ITSELF or done.returncode != 0 or version is None:
            raise programs.ProgramError(f"{plain(path)} does not answer as helm does: {advice}")
        numbers = tuple(int(number) for number in version.groups(b"0"))
        if numbers < _OLDEST:
            raise programs.ProgramError(f"{plain(path)} is Helm {'.'.join(map(str, numbers))}: {advice}")
        return cls(path, numbers, inside)

    def template(
        self,
        folder: str,
        *,
        values: Sequence[str] = (),
        sets: Sequence[str] = (),
        release: str = "release",
        namespace: str | None = None,
        kube_version: str | None = None,
        schema: bool = True,
        crds: bool = False,
        tests: bool = False,
    ) -> str:
        """Return the chart in ``folder``, a copy of ours, as ``helm template`` prints it with the files ``values`` and
        the ``sets`` (each as ``--set`` takes it), the later one over the earlier.

        ``schema``: values that break the schema of the chart are an error. ``tests``: with the hooks that `helm test`
        runs. Raises ChartError, and ProgramError.
        """
        options = [] if tests else ["--skip-tests"]
        options += [*([] if schema else ["--skip-schema-validation"]), *(["--include-crds"] if crds else [])]
        options += [f"--namespace={namespace}"] if namespace is not None else []
        options += [f"--kube-version={kube_version}"] if kube_version is not None else []
        return self._asked("template", folder, options, values, sets, [release])

    def lint(self, folder: str, *, values: Sequence[str] = (), sets: Sequence[str] = (), schema: bool = True) -> str:
        """Return what ``helm lint`` says of the chart in ``folder``, ``schema`` as in ``template``. Raises ChartError
        where it fails, and ProgramError."""
        return self._asked("lint", folder, [] if schema else ["--skip-schema-validation"], values, sets, [])

    def wrong_versions(self, folder: str) -> set[str]:
        """Return the dependencies of the chart in ``folder`` that its ``charts/`` holds in a version that it does not
        ask for. Raises ChartError, and ProgramError."""
        rows = (line.split("\t") for line in self._asked("dependency", folder, ["list"], (), (), []).splitlines())
        return {row[0].strip() for row in rows if len(row) > 3 and row[3].strip() == "wrong version"}

    def _asked(
        self,
        command: str,
        folder: str,
        options: Sequence[str],
        values: Sequence[str],
        sets: Sequence[str],
        names: Sequence[str],
    ) -> str:
        name = plain(os.path.basename(folder))
        arguments = [command, *options, *_values(values, sets), "--", *names, os.path.abspath(folder)]
        _check(name, arguments)
        done = _run(self.program, arguments, self.inside)
        if done.end is programs.End.TIME:
            raise ChartError(f"chart {name}: helm {command} does not end in {SECONDS:g} seconds")
        if done.end is programs.End.OUTPUT:
            raise ChartError(f"chart {name}: its templates print more than {OUTPUT // 1024**2} MiB")
        output = done.output.decode(errors="surrogateescape")
        if done.returncode != 0:
            failed = [line for line in output.splitlines() if command == "lint" and line.startswith("[ERROR]")]
            text = "\n".join(failed) or done.error.decode(errors="replace")
            said = _refusal(text, (*values, *_files_of_values(folder)))
            raise ChartError(f"chart {name}: {said or f'helm {command} ends with {done.returncode}'}")
        if not output.isascii() and re.search("[\ud800-\udfff]", output):
            raise ChartError(f"chart {name}: its templates print what is no UTF-8")
        return output


def _check(chart: str, arguments: Sequence[str]) -> None:
    """Raise ChartError where no program takes ``arguments``."""
    sizes = [len(argument.encode(errors="replace")) for argument in arguments]
    if max(sizes) > _LONGEST or sum(sizes) > _MOST:
        raise ChartError(f"chart {chart}: the values of --set are too long")
    if any(_NO_TEXT.search(argument) for argument in arguments):
        raise ChartError(f"chart {chart}: a name or a value of --set holds a character that no program takes")


def _values(values: Sequence[str], sets: Sequence[str]) -> list[str]:
    """Options for them. helm reads the option for files as a line of CSV, and a name that is no path as a URL."""
    quoted = ('"' + os.path.abspath(path).replace('"', '""') + '"' for path in values)
    return [*(f"--values={path}" for path in quoted), *(f"--set={each}" for each in sets)]


def _files_of_values(folder: str) -> Iterator[str]:
    """The values.yaml of the chart in ``folder``, and of the charts below it."""
    for place, _, files in os.walk(folder):
        if "values.yaml" in files and os.path.isfile(os.path.join(place, "Chart.yaml")):
            yield os.path.join(place, "values.yaml")


@contextmanager
def scratch() -> Iterator[str]:
    """Yield a folder of ours, which goes again. Raises ChartError where it cannot be made, or what is in it not
    written."""
    folder = ""
    try:
        folder = tempfile.mkdtemp(prefix=SCRATCH)
        yield folder
    except OSError as error:
        raise ChartError(f"a temporary folder cannot be used: {plain(error.strerror or '')}") from None
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


_VERSION = ("version", "--template", "{{.Version}}")
# A network namespace without any network: with one of users around it, which needs no rights, or by root alone.
_NAMESPACES = (("-r", "-n"), ("-n",))


def _first_answer(program: str, outside: str) -> tuple[tuple[str, ...], programs.Done]:
    """What helm says of its version, and in what it is started then: the first namespace in which it answers. Raises
    ProgramError, and ChartError."""
    for inside in _namespaces(outside):
        done = _run(program, _VERSION, inside)
        if done.end is programs.End.ITSELF and done.returncode == 0:
            return inside, done
    return (), _run(program, _VERSION)


def _namespaces(outside: str) -> Iterator[tuple[str, ...]]:
    if sys.platform != "linux":
        return
    try:
        unshare = programs.path_of("unshare", outside)
    except programs.ProgramError:
        return
    yield from ((unshare, *options, "--") for options in _NAMESPACES)


def _run(program: str, arguments: Sequence[str], inside: Sequence[str] = ()) -> programs.Done:
    """Run helm with homes of its own, which go again, started by the command ``inside``. Raises ProgramError, and
    ChartError."""
    started, *words = [*inside, program]
    with scratch() as home:
        return programs.bounded(
            started,
            [*words, *arguments],
            seconds=SECONDS,
            output=OUTPUT,
            memory=MEMORY,
            folder=home,
            environment=_environment(home),
        )


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
        "GOMEMLIMIT": str(MEMORY // 2), "GOGC": GOGC, "LC_ALL": "C",
    }  # fmt: skip
    if "SYSTEMROOT" in os.environ:  # without it no program starts on Windows
        given |= {"SYSTEMROOT": os.environ["SYSTEMROOT"], "TEMP": home, "TMP": home, "USERPROFILE": home}
    return given


_HEAD, _TAIL = 240, 400  # characters: where it happened stands first, why stands last
_ADVICE = "Use --debug flag to render out invalid YAML"
_MEMORY = ("out of memory", "cannot allocate memory", "failed to reserve")  # what Go says
# A schema that is not met: since Helm 3.18 the value stands in front of what is wrong with it.
_IN_SCHEMA = re.compile(r"(?m)^(\s*(?:\[ERROR\] .*: )?- at '[^']*': )'.*'(?= (?:does not match|is not valid))")
_LARGEST = 4 * 1024 * 1024  # bytes of a file of values that is read for its secrets
_HIDDEN = "\u2039redacted\u203a"


def _refusal(text: str, values: Iterable[str]) -> str:
    """The error in ``text``, all that helm printed, in few words; empty where there is none.

    Templates and schemas quote values: what the files ``values`` hold as secrets is left out.
    """
    if any(sign in text for sign in _MEMORY):
        return "helm needs more memory than it gets"
    begin = re.search(r"(?m)^Error: ", text)
    text = _IN_SCHEMA.sub(r"\1its value", text[begin.end() :] if begin else text).replace(_ADVICE, "")
    text = _without_secrets(text, values)
    for folder in {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}:
        text = re.sub(rf"{re.escape(os.path.join(folder, 'harden-'))}[^/\s]*/?", "", text)
    line = " ".join(part for each in text.splitlines() if (part := plain(each.strip())))
    return line if len(line) <= _HEAD + _TAIL else f"{line[:_HEAD]} [...] {line[-_TAIL:]}"


def _without_secrets(text: str, values: Iterable[str]) -> str:
    known = set(text_secrets(text))
    if "execution error at" in text:  # `fail` and `required`, whose message is the author's
        known |= {secret for path in values for secret in _secrets_of(path)}
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, _HIDDEN)
    return text


def _secrets_of(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as handle:
            documents = parse(handle.read(_LARGEST).decode("utf-8-sig")).documents
    except (OSError, TextError, UnicodeDecodeError):  # helm has said so, or will
        return
    for document in documents:
        for found in found_secrets(document):
            yield found.value
            yield from found.parts
