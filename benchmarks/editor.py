"""What a keystroke costs in an editor: a file of 20 documents in a copy of argo-cd, judged as ``harden lsp`` does,
beside a plain parse of that file by ruamel.yaml. Run ``python -m benchmarks.editor``."""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.__main__ import CORPUS
from hardener.cli import calm_collector
from hardener.lsp.repository import Repository

DOCUMENTS, TIMES = 20, 15
BAR = 0.3  # seconds of processor time


def _costs(run: Callable[[int], object]) -> list[float]:
    found = []
    for number in range(TIMES + 2):  # the first two load modules
        start = time.process_time()
        run(number)
        found.append(time.process_time() - start)
        gc.collect()  # as the server does behind each answer
    return found[2:]


def _twenty(tree: Path) -> str:
    """The first documents of the workloads of argo-cd, in one text."""
    paths = sorted(path for path in tree.rglob("base/**/*.yaml") if path.name != "kustomization.yaml")
    texts = [text for path in paths for text in path.read_text(encoding="utf-8").split("\n---\n") if "kind:" in text]
    assert len(texts) >= DOCUMENTS
    return "\n---\n".join(text.strip("\n-") for text in texts[:DOCUMENTS]) + "\n"


def main() -> None:
    """Print the table."""
    calm_collector()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "argo-cd"
        shutil.copytree(CORPUS, tree, symlinks=True)
        (tree / ".git").mkdir(exist_ok=True)
        text, path = _twenty(tree), tree / "twenty.yaml"
        path.write_text(text, encoding="utf-8")
        repository = Repository(str(tree))

        def judge(number: int, only: str | None) -> object:
            return repository.judge({str(path): f"{text}# {number}\n"}, lambda: False, only=only)

        rows = {
            "a plain parse of the file": _costs(lambda _: list(YAML(typ="rt").load_all(text))),
            "the file, after a keystroke": _costs(lambda number: judge(number, str(path))),
            "all, once nothing is typed": _costs(lambda number: judge(number, None)),
        }
    base = statistics.median(next(iter(rows.values())))
    print(f"{DOCUMENTS} documents, {len(text) / 1e3:.0f} kB, in argo-cd; {TIMES} times; seconds of processor time")
    for name, costs in rows.items():
        median = statistics.median(costs)
        print(f"{name:<30} median {median:.3f}  worst {max(costs):.3f}  {median / base:6.2f} plain parses")
    print(f"the bar of a keystroke is {BAR} s")


if __name__ == "__main__":
    main()
