"""Workloads of one name in a drawing, told apart by their files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import takewhile

from hardener.report.connections.graph import Workload
from hardener.support.printable import plain

LONGEST = 40  # characters of a text
_SHORT = 26  # of a path that is shown as it is


def told_apart(workloads: Iterable[Workload], mask: Callable[[str], str] = str) -> dict[int, str]:
    """Return by number, where the file of a workload is, for those of ``workloads`` whose kind and name another one
    has, too.

    ``mask`` hides secrets in the names of files. No two of one name have one text.
    """
    found: dict[str, list[Workload]] = defaultdict(list)
    for workload in workloads:
        found[workload.label].append(workload)
    return {id: text for same in found.values() if len(same) > 1 for id, text in _within(same, mask).items()}


def _within(workloads: list[Workload], mask: Callable[[str], str]) -> dict[int, str]:
    """A text for each of ``workloads``, which bear one name: where its file is, without the folders that all share; of
    a long one the folder alone, where that is enough."""
    files = {workload.id: mask(workload.file) for workload in workloads}  # before anything of it is cut off
    folders = {id: os.path.dirname(file) for id, file in files.items()}
    levels = zip(*(folder.split("/") for folder in folders.values()), strict=False)  # as deep as the highest
    shared = "/".join(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))
    start = len(shared) + 1 if shared else 0
    in_file, in_folder = Counter(files.values()), Counter(folders.values())
    found: dict[int, str] = {}
    for workload in workloads:
        file, folder = files[workload.id], folders[workload.id]
        name = plain(file[start:])
        if len(name) > _SHORT and in_folder[folder] == 1 and len(folder) > start:
            name = f"{plain(folder[start:])}/\u2026"
        found[workload.id] = name + (f":{workload.line}" if in_file[file] > 1 else "")
    cut = {id: _cut_middle(text) for id, text in found.items()}
    counts = Counter(cut.values())
    for number, (id, text) in enumerate(found.items(), 1):
        if counts[cut[id]] > 1:
            cut[id] = f"{_cut_middle(text, LONGEST - 6)} #{number}"
    return cut


def _cut_middle(text: str, longest: int = LONGEST) -> str:
    """Without a piece of its middle: folders tell less than where a path begins and ends."""
    return text if len(text) <= longest else f"{text[: longest // 3]}\u2026{text[1 - longest + longest // 3 :]}"
