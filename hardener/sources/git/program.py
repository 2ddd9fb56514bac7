"""The program Git, asked about a repository that is not trusted: nothing that the repository says is run or obeyed.

Git is never started in the repository's own Git folder. It gets one of ours, made for the question: without
configuration (so without fsmonitor, filters, hooks, diff drivers, aliases, includes, remotes), and with the objects,
refs and index of the repository. No repository is looked for, so none that lies in a work tree is found.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from types import TracebackType

from hardener.sources.git import index as git_index
from hardener.support import programs

_SECONDS = 120
# What a Git folder has to say for its objects and refs to be understood: words of a known form, and nothing else.
_EXTENSIONS = {
    name: re.compile(rf"(?im)^[ \t]*{name}[ \t]*=[ \t]*\"?([a-z0-9]{{1,20}})\b".encode())
    for name in ("objectFormat", "refStorage")
}
_SHARED = ("refs", "packed-refs", "reftable", "logs", "shallow")  # by all work trees of a repository
_OWN = ("FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD")  # of one work tree
# On top of the folder that says nothing: what Git does by itself, and what a person has in files beside it.
_OPTIONS = (
    "--no-pager", "--no-replace-objects", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}", "-c", f"core.attributesFile={os.devnull}",
    "-c", f"core.excludesFile={os.devnull}", "-c", "core.quotePath=false", "-c", "protocol.allow=never",
    "-c", "submodule.recurse=false", "-c", "diff.ignoreSubmodules=dirty", "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip


class Git:
    """Questions about the repository whose work tree is the folder ``top``, a real path; used with ``with``.

    ``tracking``: the upstream of a branch is asked for (``@{u}``), which only the configuration of the repository says.
    Its names of branches and remotes are handed on then.
    """

    def __init__(self, top: str, *, tracking: bool = False) -> None:
        self._top, self._tracking = top, tracking
        self._folder = ""
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Git:
        """Raises ProgramError where the file ``.git`` does not say where the repository is."""
        own = git_index.git_folder(self._top)
        if own is None:
            raise programs.ProgramError("the file .git does not say where the repository is")
        common = git_index.common_folder(own)
        self._folder = folder = tempfile.mkdtemp(prefix="harden-git-")
        config = git_index.small_file(os.path.join(common, "config"))
        found = {name: match[1].decode() for name, how in _EXTENSIONS.items() if (match := how.search(config))}
        lines = ["[core]", "repositoryFormatVersion = 1", "bare = false", "[extensions]"]
        lines += [f"{name} = {value}" for name, value in found.items()]
        _write(os.path.join(folder, "config"), "\n".join(lines).encode() + b"\n")
        _write(os.path.join(folder, "HEAD"), git_index.small_file(os.path.join(own, "HEAD")))
        names = [(common, name) for name in _SHARED] + [(own, name) for name in _OWN]
        names += [(own, name) for name in _listed(own) if name.startswith("sharedindex.")]
        for place, name in names:
            _lend(os.path.join(place, name), os.path.join(folder, name))
        os.makedirs(os.path.join(folder, "refs"), exist_ok=True)
        self._environment = {
            "GIT_DIR": folder, "GIT_WORK_TREE": self._top, "GIT_INDEX_FILE": os.path.join(own, "index"),
            "GIT_OBJECT_DIRECTORY": os.path.join(common, "objects"), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_PAGER": "",
            "HOME": folder, "XDG_CONFIG_HOME": folder, "LC_ALL": "C",
        }  # fmt: skip
        if "SYSTEMROOT" in os.environ:  # without it no program starts on Windows
            self._environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        if self._tracking:
            self._hand_on_tracking(os.path.join(common, "config"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, *arguments: str, input: bytes | None = None) -> bytes | None:
        """What ``git ARGUMENTS`` prints, which reads ``input``; None where it fails. Raises ProgramError where it does
        not answer at all."""
        given = [*_OPTIONS, "-C", self._top, *arguments]
        done = programs.run(
            "git", given, seconds=_SECONDS, input=input, outside=self._top, environment=self._environment
        )
        return done.stdout if done.returncode == 0 else None

    def _hand_on_tracking(self, path: str) -> None:
        copy = os.path.join(self._folder, "of-repository")
        _write(copy, git_index.small_file(path))
        said = self.ask("config", "--file", copy, "--no-includes", "-z", "--list") or b""
        known = re.compile(rb"(?:branch\.[^\n]*\.(?:remote|merge)|remote\.[^\n]*\.fetch)\n")
        entries = [entry for entry in said.split(b"\0") if known.match(entry)]
        self._environment["GIT_CONFIG_COUNT"] = str(len(entries))
        for number, entry in enumerate(entries):
            key, _, value = entry.partition(b"\n")
            self._environment[f"GIT_CONFIG_KEY_{number}"] = os.fsdecode(key)
            self._environment[f"GIT_CONFIG_VALUE_{number}"] = os.fsdecode(value)


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _write(path: str, content: bytes) -> None:
    with open(path, "xb") as handle:
        handle.write(content)


def _lend(source: str, target: str) -> None:
    """Make what the repository has at ``source`` readable at ``target``; nothing where it is not there."""
    if not (os.path.isfile(source) or os.path.isdir(source)):
        return
    try:
        os.symlink(source, target)
    except OSError:  # Windows lets few people make links
        (shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, target)
