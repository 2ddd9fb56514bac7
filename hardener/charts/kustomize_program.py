"""The program kustomize, alone or in kubectl: what it makes of a patch, in a folder of ours that holds one object."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from hardener.charts.helm import ChartError, scratch
from hardener.charts.rendered import differences
from hardener.sources import yaml
from hardener.sources.yaml import TextError, parse
from hardener.support import programs

SECONDS = 30.0  # for one object
OUTPUT = 8 * 1024 * 1024  # bytes
MEMORY = 3 * 1024 * 1024 * 1024  # address space, of which Go reserves a part before it does anything
_COMMANDS = {"kustomize": ("build",), "kubectl": ("kustomize",)}  # the first of PATH is taken
_OBJECT = "object.yaml"


class Kustomize:
    """A program that builds kustomizations: its path, and the words in front of the folder."""

    def __init__(self, program: str, words: Sequence[str]) -> None:
        self._program, self._words = program, tuple(words)
        self._known: dict[str, bool] = {}

    @classmethod
    def found(cls, outside: str) -> Kustomize | None:
        """Return the kustomize of PATH, else its kubectl, that lies not in the folder ``outside``, a real path; None
        where there is neither."""
        for name, words in _COMMANDS.items():
            try:
                return cls(programs.path_of(name, outside), words)
            except programs.ProgramError:
                continue
        return None

    def makes(self, wanted: Mapping[str, Any], data: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        """Tell whether ``data`` becomes ``wanted`` by ``entry`` of the patches of a kustomization. Where kustomize
        fails, or says nothing in time, it does not."""
        try:
            texts = {
                _OBJECT: yaml.dump(data),
                "kustomization.yaml": yaml.dump({"resources": [_OBJECT], "patches": [entry]}),
            }
        except TextError:
            return False
        key = "\0".join(texts.values())
        if key not in self._known:
            self._known[key] = self._is_made(wanted, texts)
        return self._known[key]

    def _is_made(self, wanted: Mapping[str, Any], texts: Mapping[str, str]) -> bool:
        try:
            with scratch() as folder:
                for name, text in texts.items():
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as handle:
                        handle.write(text)
                done = self._built(folder)
            made = parse(done.output.decode()).documents
        except (ChartError, programs.ProgramError, TextError, UnicodeDecodeError):
            return False
        is_whole = done.end is programs.End.ITSELF and done.returncode == 0 and len(made) == 1
        return is_whole and next(differences(wanted, made[0]), None) is None

    def _built(self, folder: str) -> programs.Done:
        return programs.bounded(
            self._program, [*self._words, folder], seconds=SECONDS, output=OUTPUT, memory=MEMORY, folder=folder,
            environment=_environment(folder),
        )  # fmt: skip


def _environment(home: str) -> dict[str, str]:
    """All that it gets: nothing of the person's. No entry of ours names what lies elsewhere, so it asks nobody."""
    given = {
        "HOME": home, "TMPDIR": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home, "KUBECONFIG": os.devnull,
        "GOTRACEBACK": "none", "GOMEMLIMIT": str(MEMORY // 2), "LC_ALL": "C",
    }  # fmt: skip
    if "SYSTEMROOT" in os.environ:  # without it no program starts on Windows
        given |= {"SYSTEMROOT": os.environ["SYSTEMROOT"], "TEMP": home, "TMP": home, "USERPROFILE": home}
    return given
