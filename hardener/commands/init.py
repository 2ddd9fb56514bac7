"""``harden init``: the first configuration of a repository, and on request what runs harden in it. It writes new files
alone."""

from __future__ import annotations

import os
import re
from datetime import date

from hardener.authoring import profile as profiles
from hardener.commands import init_files
from hardener.commands.write_files import check_place, finish_killed
from hardener.engine.given_options import GivenOptions
from hardener.errors import InputError
from hardener.sources import files
from hardener.sources.files.transaction import NotPlacedError, Transaction
from hardener.support.printable import plain

CONFIG = ".harden.yaml"
PRE_COMMIT = ".pre-commit-config.yaml"
GITHUB = ".github/workflows/harden.yaml"
GITLAB = ".gitlab/harden.gitlab-ci.yml"
GITLAB_ROOT = ".gitlab-ci.yml"
_HOOK = re.compile(r"^[ \t]*(?:-[ \t]+)?id:[ \t]*(['\"]?)harden(?:-check)?\1[ \t]*(?:#.*)?$", re.M)
_WRITABLE = re.compile(r"[\w.][\w./+-]*")  # to a shell it is a word, to YAML a text
INCLUDE = f"include: {{local: {GITLAB}}}"
WORKFLOWS = {"github": GITHUB, "gitlab": GITLAB}


def init(paths: list[str], *, profile: str, pre_commit: bool, workflow: list[str]) -> int:
    """Write what is asked for to the Git root of ``paths``, which the hooks and jobs will look at. Returns 0.

    What is there stays as it is, and the text for it is printed, unless it is in there. All new files are written, or
    none. Raises InputError for a path or profile that there is not, outside of a Git repository for hooks and jobs,
    and where a file cannot be written.
    """
    real = files.expand(paths)
    root = files.root_of(real)
    runs_somewhere = pre_commit or bool(workflow)
    if runs_somewhere and files.git_root(root) is None:
        raise InputError("--pre-commit and --workflow are for a Git repository, and this is none")
    profiles.load(profile, root=root)
    named = [_name(path, root) for path in real] if runs_somewhere else []
    texts = {CONFIG: _config(profile, root), **_hooks_and_jobs(named, pre_commit, workflow)}
    finish_killed([root])
    there = _write_new(root, texts)
    pasted = _print_what_to_paste(root, texts, there, named)
    shown = [text for name, text in texts.items() if name not in there - pasted]
    if any(init_files.UNKNOWN in text for text in shown):
        print("\nReplace HOST/OWNER/REPOSITORY and COMMIT: where harden comes from, and which commit of it.")
    asked = GivenOptions(tuple(paths))
    print(
        f"\nNext: {asked.command('lock')}, commit harden.lock, then: {asked.command('diff', '--max-risk', 'safe')}; "
        f"{asked.command('baseline write')} lets a check pass what there is today"
    )
    return 0


def _hooks_and_jobs(named: list[str], pre_commit: bool, workflow: list[str]) -> dict[str, str]:
    """The texts of the files that run harden over the paths ``named``, by the names of the files."""
    texts = {PRE_COMMIT: f"repos:\n{init_files.pre_commit(named)}"} if pre_commit else {}
    for name in dict.fromkeys(workflow):
        texts[WORKFLOWS[name]] = init_files.github(named) if name == "github" else init_files.gitlab(named)
    return texts


def _print_what_to_paste(root: str, texts: dict[str, str], there: set[str], named: list[str]) -> set[str]:
    """Print what a person has to put into files that are there. Returns the names of ``texts`` that are shown so."""
    pasted = set()
    if PRE_COMMIT in there and not _HOOK.search(_text_of(root, PRE_COMMIT)):
        print(f"\nFor {PRE_COMMIT}, below repos:\n{init_files.pre_commit(named)}", end="")
        pasted.add(PRE_COMMIT)
    if GITLAB in texts and GITLAB not in _text_of(root, GITLAB_ROOT):
        print(f"\nFor {GITLAB_ROOT}:\n{INCLUDE}")
    return pasted


def _name(path: str, root: str) -> str:
    """``path`` as seen from ``root``, for a line of a file."""
    name = os.path.relpath(path, root)
    if not _WRITABLE.fullmatch(name):
        raise InputError(f"{plain(name)}: such a name is not written into a script: name the folder above it")
    return name


def _config(profile: str, root: str) -> str:
    """The text of ``.harden.yaml`` at ``root``. It names a file with a slash, which makes it no name of a profile."""
    if profile not in profiles.BUILT_IN:
        profile = os.path.join(os.curdir, os.path.relpath(files.real_path(profile), root))
    return init_files.config(profile, date.today())


def _shown(root: str, name: str) -> str:
    return plain(os.path.relpath(os.path.join(root, name)))


def _text_of(root: str, name: str) -> str:
    """What ``name`` at ``root`` holds; nothing where it cannot be read."""
    try:
        return files.read(os.path.join(root, name)).text
    except files.UnreadableError:
        return ""


def _write_new(root: str, texts: dict[str, str]) -> set[str]:
    """Make those files of ``texts`` that are not there, and tell of each. Returns the others. Raises InputError."""
    there = {name for name in texts if os.path.lexists(os.path.join(root, name))}
    _write(root, {name: text for name, text in texts.items() if name not in there})
    for name in texts:
        print(f"{_shown(root, name)}: {'is there, and stays as it is' if name in there else 'written'}")
    return there


def _write(root: str, texts: dict[str, str]) -> None:
    """Make the files, all or none. Raises InputError."""
    path = root
    try:
        with Transaction(root) as run:
            for name, text in texts.items():
                path = os.path.join(root, name)
                check_place(os.path.dirname(path))
                run.create(path, text)
            run.place()
    except NotPlacedError as error:
        raise InputError(f"{_shown(root, os.path.relpath(error.path, root))}: {error.strerror}") from None
    except OSError as error:
        raise InputError(
            f"{_shown(root, os.path.relpath(path, root))}: {error.strerror}; nothing was written"
        ) from None
