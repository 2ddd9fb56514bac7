"""Commands of kubectl that a person copies."""

from __future__ import annotations

from hardener.support.shell_words import command


def in_namespace(form: str, namespace: str | None, *names: str) -> str:
    """``form`` with ``names`` in it, as ``command`` fills them in, for ``namespace`` where one is named."""
    if not namespace:
        return command(form, *names)
    return command(f"{form} -n {{}}", *names, namespace)
