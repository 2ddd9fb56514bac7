"""Whether it is known what a container starts: its image, and the program and the script that it is told to run.

A program may hand over any image and any command. Where an expression decides what starts, nothing is known of what it
needs: what is written beside it may show that it needs root, and never that it does not. Known is an image of which the
name is written, and a command whose program and first operand are written: an expression behind those is a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hardener.authoring.edits import WrongShapeError
from hardener.kubernetes.images.reference import parse
from hardener.kubernetes.pods.command_evidence import writes
from hardener.kubernetes.pods.shell import SHELLS, commands, runs
from hardener.sources.open_values import Expression
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.view import literal

_HOLE = "\ue000"  # stands for an expression that is a word; no command holds it
_PARTS = late_pattern(r"\$\{(?:[^{}]|\{[^{}]*\})*\}|\$\([^()]*\)|\{\{.*?\}\}")
_TEMPLATE = late_pattern(r"\s*\{\{[^{}]*\}\}\s*")
_PROGRAM = late_pattern(r"\$\{[^{}]*\}")  # no shell is there to fill it in
_SCRIPT = late_pattern(r"[\s;&|<>`]|\$\(")
# Of these each operand is a file, an address or a text, and none is what they run.
_TOOLS = frozenset(
    {"[", "cat", "cp", "curl", "date", "echo", "false", "head", "ln", "ls", "mkdir", "mv", "nc", "printf", "rm"}
    | {"sleep", "tail", "tee", "test", "touch", "true", "wget"}
)
_ALONE = late_pattern(r"-[BEIOSbdiqsuvx]+")  # flags of Python and the shells that take no value
# Flags before what an interpreter runs: of a shell, of Python, Perl, Ruby, Node and Java; and the end of all flags.
_CODE = late_pattern(r"-[a-z]{0,2}[cem]|-jar|--eval|--command|--")

_HOOKS = (("lifecycle", "postStart", "exec"), ("lifecycle", "preStop", "exec"))


def unknown_start(container: Container) -> OpaqueError | None:
    """The first expression that leaves open what ``container`` starts: its image, or its program or script. None where
    all of that is written, or is what the image itself says."""
    return next(unknown_starts(container), None)


def unknown_starts(container: Container) -> Iterator[OpaqueError]:
    """What ``unknown_start`` finds: of the image, then of what it is told to run."""
    if is_plain(container.data):
        return
    if (image := _of_image(container)) is not None:
        yield image
    try:
        said = list(_said(container))
    except OpaqueError as opaque:
        yield opaque
        return
    for words, paths in said:
        index = unknown_index(words)
        if index is not None:
            yield _refused(container, paths[index], words[index])
            return


def unknown_word(container: Container) -> OpaqueError | None:
    """The first expression in what ``container`` is told to run, in which a program may name any file; None where each
    word and the names of all variables are written."""
    try:
        said = [] if is_plain(container.data) else list(_said(container))
        container.check_whole("env")
        container.check_whole("envFrom")
    except OpaqueError as opaque:
        return opaque
    except WrongShapeError:
        return None
    for words, paths in said:
        for word, path in zip(words, paths, strict=True):
            if _is_expression(word):
                return _refused(container, path, word)
    return None


def is_plain(container: Any) -> bool:
    """Whether all in the data of a container that says what it starts is plain text without the signs of an expression,
    as nearly always: then nothing of it has to be looked at closer."""
    if type(container) is not dict:
        return False
    texts, lists = [container.get("image")], [container.get("command"), container.get("args")]
    if container.get("lifecycle") is not None:
        for parts in _HOOKS:
            found = container
            for part in parts:
                found = found.get(part, {})
                if type(found) is not dict:
                    return False
            lists.append(found.get("command"))
    for words in lists:
        if words is not None:
            if type(words) is not list:
                return False
            texts += words
    for text in texts:
        if text is not None and (type(text) is not str or "$" in text or "{{" in text):
            return False
    return True


def is_written(container: Any) -> bool:
    """Whether ``is_plain`` holds, and the variables are a list as written: ``unknown_start`` and ``unknown_word`` find
    nothing then."""
    if not is_plain(container):
        return False
    env, source = container.get("env"), container.get("envFrom")
    return (env is None or type(env) is list) and (source is None or type(source) is list)


def _of_image(container: Container) -> OpaqueError | None:
    try:
        if not container.has("image"):
            return None
    except OpaqueError as opaque:
        return opaque
    value = container.data.get("image")
    if not isinstance(value, str) or not (isinstance(value, Expression) or literal(value) != value):
        return None
    image = parse(value)
    return _refused(container, ("image",), value) if image is None or image.name is None else None


def _said(container: Container) -> Iterator[tuple[list[str], list[Path]]]:
    """The words of each thing that it is told to run, with their paths: what it starts, then its hooks.

    Raises OpaqueError where such a list is an expression, or a program may add to it.
    """
    places: list[list[tuple[str, ...]]] = [[("command",), ("args",)]]
    places += [[(*hook, "command")] for hook in _HOOKS]
    for lists in places:
        words: list[str] = []
        paths: list[Path] = []
        for path in lists:
            try:
                container.check_whole(*path)
                container.strings(*path)
            except WrongShapeError:
                continue  # the API server refuses it
            found: Any = container.data
            for part in path:
                found = found.get(part) if isinstance(found, dict) else None
            for index, word in enumerate(found if isinstance(found, list) else ()):
                words.append(word if isinstance(word, str) else "" if word is None else str(word))
                paths.append((*path, index))
        if words:
            yield words, paths


def unknown_index(words: Sequence[str]) -> int | None:
    """The index of the word whose expression leaves open what runs, or where it writes; None without one."""
    open_ones = [index for index, word in enumerate(words) if _is_expression(word)]
    if _PROGRAM.fullmatch(words[0]):
        return 0
    if not open_ones:
        return None
    first = open_ones[0]
    if first == 0 and not words[0].startswith("-"):
        return 0
    whole = [_masked(word) if _is_expression(word) else word for word in words]
    in_script = next((index for index in open_ones if _SCRIPT.search(whole[index])), None)
    if in_script is not None:
        return in_script  # a part of a script may be any command
    return None if _shows_program(whole) and _shows_places(words, whole) else first


def _shows_program(whole: Sequence[str]) -> bool:
    """Whether what runs is written in words in which expressions are holes."""
    # Alone, arguments are those of the entrypoint of the image.
    started = runs(commands(["/", *whole] if whole[0].startswith("-") else whole))
    return all(_HOLE not in program and _is_written(program, arguments) for program, arguments in started)


def _shows_places(words: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the paths that are written to hold no expression."""
    places = [f"/{_HOLE}" if masked == _HOLE else word for word, masked in zip(words, whole, strict=True)]
    return not any(_HOLE in path for path in writes(places).paths)


def _is_expression(word: str) -> bool:
    """Whether it is one of a program, or nothing but one of a template."""
    return isinstance(word, Expression) or _TEMPLATE.fullmatch(word) is not None


def _masked(word: str) -> str:
    text = _PARTS.sub(_HOLE, word)
    return text if _HOLE in text else _HOLE  # what is not understood is one expression


def _is_written(program: str, arguments: Sequence[str]) -> bool:
    """Whether what ``program`` runs is written: all before its first operand, and that operand."""
    if program in _TOOLS:
        return True
    before = ""  # the flag before the word, of which it may be the value
    for word in arguments:
        known = word.partition(_HOLE)[0]
        if word.startswith("-"):
            if _HOLE in word and (known == "-" or _CODE.fullmatch(known.rstrip("="))):
                return False
            before = "" if "=" in word or _HOLE in word or _ALONE.fullmatch(word) else word
            continue
        if not before or _CODE.fullmatch(before) or program in SHELLS:
            return _HOLE not in word
        before = ""
    return True


def _refused(container: Container, path: Path, text: str) -> OpaqueError:
    part = _PARTS.search(text)  # what stands around it may hold a secret
    return OpaqueError(part.group() if part else text, (*container.path[1:], *path))
