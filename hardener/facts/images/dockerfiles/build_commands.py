"""Builds that commands start (`docker build -t X -f F CONTEXT`): in Makefiles, scripts, and scripts of pipelines.

The text is read line by line, whatever stands around a command. A variable counts where the file sets it to one value,
and one of a loop over plain words to each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from hardener.facts.images.dockerfiles.builds import Build, Source, arguments_of, located
from hardener.facts.images.dockerfiles.variables import fill
from hardener.kubernetes.pods import shell

_INTEREST = re.compile(r"\b(?:build|bud|submit|executor)\b")
_MOST = 1000  # commands of one file
_LONGEST = 16_384  # characters of one command
_MOST_ITEMS = 50  # of a loop
_MOST_LOOPS = 100
_MOST_VARIABLES = 2000
_LONGEST_VALUE = 500  # characters of a variable
_MAKE_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)|\$\$")
_SUBSTITUTION = re.compile(r"\$\{\{[^{}]*\}\}|\$\([^()]*\)|`[^`]*`|\{\{[^{}]*\}\}")
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(?:export[ \t]+|readonly[ \t]+|local[ \t]+|declare[ \t]+)?"
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*(?P<sign>\?=|::?=|=|:(?=[ \t]))[ \t]*(?P<value>[^\n#;&|]*)",
    re.MULTILINE,
)
_LOOP = re.compile(r"\bfor[ \t]++([A-Za-z_]\w*+)[ \t]++in[ \t]++([\w./ \t-]{1,500}?)(?:;|\n|\\)")
_LEAD = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(?:(?:run|script|bash|command|cmd|cmds|sh|inlineScript):[ \t]*)?[|>]?[@+ \t-]*[\"']?"
)
_NAMES = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_PROGRAMS = frozenset({"docker", "podman", "nerdctl", "finch", "img", "depot", "buildah"})
# Options of `docker build` and its kin that take a value. docs.docker.com/reference/cli/docker/buildx/build
_WITH_VALUE = frozenset(
    {"-t", "--tag", "-f", "--file", "--target", "--build-arg", "--platform", "--cache-from", "--cache-to", "--label"}
    | {"--network", "--secret", "--ssh", "--progress", "--output", "-o", "--add-host", "-m", "--memory", "--iidfile"}
    | {"--metadata-file", "--builder", "--build-context", "--shm-size", "--ulimit", "--isolation", "--annotation"}
    | {"--attest", "--allow", "--call", "--cgroup-parent", "--no-cache-filter", "--sbom", "--provenance", "--format"}
    | {"-v", "--volume", "--authfile", "--creds", "--arch", "--os", "--layers-cache", "--security-opt", "--jobs"}
    | {"-r", "--registry", "--image", "-g", "--resource-group", "--subscription", "--agent-pool", "--context"}
    | {"--project", "--region", "--timeout", "--machine-type", "--config", "--destination", "-d", "-c", "--dockerfile"}
)


def commands(source: Source, *, from_file: bool) -> Iterator[Build]:
    """The builds that the commands of a file start. ``from_file``: they run in its folder (a Makefile), and not
    somewhere above it."""
    text = source.text
    if not _INTEREST.search(text):
        return
    values = variables(text)
    found = islice(_LOOP.finditer(text), _MOST_LOOPS)
    loops = {match[1]: match[2].split()[:_MOST_ITEMS] for match in found if match[1] not in values}
    folders = source.folders()
    folders = [source.folder, *folders] if from_file else folders
    count = 0
    for line, command in _logical_lines(text):
        if not _INTEREST.search(command) or len(command) > _LONGEST:
            continue
        count += 1
        if count > _MOST:
            return
        used = [name for name in loops if re.search(rf"\$\{{?{name}\b", command)]
        for item in loops[used[0]] if used else [None]:
            known = values if item is None else {**values, used[0]: item}
            yield from _builds(source, line, fill(command, known), folders)


def variables(text: str) -> dict[str, str | None]:
    """The variables that a text sets, with their value where it is one; None for those set to several."""
    raw: dict[str, str | None] = {}
    for match in _ASSIGNMENT.finditer(text):
        if len(raw) < _MOST_VARIABLES:
            _assign(raw, match["name"], match["sign"], match["value"].strip().strip("\"'"))
    for _ in range(3):  # variables within variables
        raw = {name: None if value is None else _filled(name, value, raw) for name, value in raw.items()}
    return {name: value for name, value in raw.items() if value is None or f"${{{name}}}" not in value}


def _assign(raw: dict[str, str | None], name: str, sign: str, value: str) -> None:
    """Note in ``raw`` that a text sets the variable ``name`` to ``value``, by ``=`` or by another ``sign``."""
    if len(value) > _LONGEST_VALUE or (sign == ":" and not value):
        return
    plain = _plain(value)
    if name not in raw:
        raw[name] = fill(plain, {})  # `${NAME:-default}` is the default
    elif raw[name] != plain and f"${{{name}" not in plain:
        raw[name] = None


def _filled(name: str, value: str, values: Mapping[str, str | None]) -> str | None:
    """``value``, which is that of ``name``, with other variables filled in; None where it gets too long."""
    others = {key: values.get(key) for key in _NAMES.findall(value) if key != name and key in values}
    found = fill(value, others)
    return found if len(found) <= _LONGEST_VALUE else None


def _plain(text: str) -> str:
    """Variables of make and expressions of pipelines as those of a shell; what is computed is a hole."""
    text = _MAKE_VARIABLE.sub(lambda match: "$" if match[1] is None else f"${{{match[1]}}}", text)
    return _SUBSTITUTION.sub("${_}", text)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(its line, text) of each line, continued ones joined."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not parts:
            start = number
        stripped = line.rstrip()
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        parts.append(stripped)
        whole = " ".join(parts)
        parts = []
        if not whole.lstrip().startswith("#"):
            yield start, _plain(_LEAD.sub("", whole, count=1))
    if parts:
        yield start, _plain(_LEAD.sub("", " ".join(parts), count=1))


def _builds(source: Source, line: int, command: str, folders: Sequence[str]) -> Iterator[Build]:
    here: str | None = None
    for each in shell.commands([f"{command}\n"]):
        for program, arguments in shell.runs([each]):
            if program in ("cd", "pushd") and arguments:
                here = arguments[0] if here is None else f"{here}/{arguments[0]}"
            words = build_words(program, arguments)
            if words is not None:
                starts = folders if here is None else [f"{folder}/{here}" for folder in folders]
                yield from from_words(source, line, words, starts)
                break


_BUILDERS = (("az", "acr", "build"), ("gcloud", "builds", "submit"))
_BUILD = (
    ("buildx", "build"), ("image", "build"), ("builder", "build"), ("build",), ("bud",), ("build-using-dockerfile",),
)  # fmt: skip


def build_words(program: str, arguments: Sequence[str]) -> list[str] | None:
    """The words behind `docker build`, and its kin; None for another command."""
    words = list(arguments)
    if (program, *words[:2]) in _BUILDERS:
        return words[2:]
    if program.endswith("/executor") and any(word.startswith(("--destination", "-d")) for word in words):
        return words
    if program not in _PROGRAMS and not program.startswith("$"):  # a Makefile calls it $(CONTAINER_TOOL)
        return None
    while words and words[0].startswith("-"):
        is_alone = "=" in words[0] or words[0] in ("-D", "--debug")
        words = words[1 if is_alone else 2 :]
    lead = next((lead for lead in _BUILD if tuple(words[: len(lead)]) == lead), None)
    return words[len(lead) :] if lead is not None else None


class _Options:
    """The options of a build with their values, and its operands."""

    def __init__(self, words: Sequence[str]) -> None:
        self.operands: list[str] = []
        self._values: dict[str, list[str]] = {}
        waiting: str | None = None
        for word in words:
            if waiting is not None:
                self._add(waiting, word)
                waiting = None
            elif word.startswith("-") and len(word) > 1:
                waiting = self._option(word)
            else:
                self.operands.append(word)

    def _option(self, word: str) -> str | None:
        """Take one option; its name where the next word is its value."""
        name, equals, value = word.partition("=")
        if equals:
            self._add(name, value)
        elif name in _WITH_VALUE:
            return name
        elif name[:2] in ("-t", "-f") and len(name) > 2 and not name.startswith("--"):
            self._add(name[:2], name[2:])
        return None

    def _add(self, name: str, value: str) -> None:
        self._values.setdefault(name, []).append(value)

    def of(self, *names: str) -> list[str]:
        """The values of options, those of the first of ``names`` first."""
        return [value for name in names for value in self._values.get(name, ())]

    def last(self, *names: str) -> str | None:
        """The value that counts of options that stand for one."""
        found = self.of(*names)
        return found[-1] if found else None


def from_words(source: Source, line: int, words: Sequence[str], folders: Sequence[str]) -> Iterator[Build]:
    """The images of one build, from its options and its context."""
    options = _Options(words)
    images = options.of("-t", "--tag", "--image", "--destination", "-d")
    context = (options.operands or options.of("--context", "-c") or ["."])[0].removeprefix("dir://")
    dockerfile, target = options.last("-f", "--file", "--dockerfile") or "", options.last("--target")
    if not images or "-" in (context, dockerfile):
        return
    found = located(source.files, folders, context, dockerfile, inside=False)
    if found is None or (target is not None and "$" in target):
        return
    arguments = arguments_of(options.of("--build-arg"))
    for image in images[:50]:
        said = source.said(line, f"builds {image} from {source.files.name(found[0])}")
        yield Build(image, said, *found, target, arguments)
