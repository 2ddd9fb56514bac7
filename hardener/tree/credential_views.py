"""Credentials of clusters in the tree, as transforms see them: kubeconfigs, and static tokens of the API server."""

from __future__ import annotations

import os
from datetime import date
from typing import NamedTuple

from hardener.kubernetes.components.certificate import Certificate, from_pem
from hardener.kubernetes.components.static_tokens import Row, file_rows, rows_in
from hardener.kubernetes.objects.interest import TOKENS
from hardener.kubernetes.secrets.secret_values import decoded
from hardener.sources.manifests import ManifestFile
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree
from hardener.tree.view import View

# What reads tokens and certificates is imported late: hardly a tree holds one.

_FLAG = late_pattern(r"token-auth-file\W+(?:value\W+)?([\w./-]+)")


class Holder(NamedTuple):
    """Whom a static token is for, on which line of the file; never the token."""

    line: int
    user: str
    groups: tuple[str, ...]


class StaticTokens(View):
    """A file that holds static tokens of the API server: a table of them, or another that shows rows of it.

    ``holders`` says for whom they are, ``table`` whether there is nothing else in the file.
    """

    __slots__ = ("holders", "table")

    def __init__(self, item: Object, rows: list[Row], *, table: bool) -> None:
        super().__init__(item, item.path, item.data)
        self.holders = [Holder(row.line + 1, row.user, row.groups) for row in rows]
        self.table = table

    @classmethod
    def of_tree(cls, tree: Tree) -> list[StaticTokens]:
        """Those of the files that may be edited."""
        tables = [item for item in tree.of(*TOKENS) if item.editable]
        seen = {item.piece.file.path for item in tables}
        found = [cls(item, rows, table=True) for item in tables if (rows := _table(item))]
        others = [file for file in tree.files if file.path not in seen and _may_hold_rows(file)]
        marked = {id(file): rows for file in others if (rows := _rows(file))}
        for item in tree.everything if marked else ():
            if rows := marked.pop(id(item.piece.file), []):
                found.append(cls(item, rows, table=False))
        return found


def _may_hold_rows(file: ManifestFile) -> bool:
    return file.editable and not file.is_new and '"' in file.content.text


class Kubeconfig(View):
    """A kubeconfig."""

    __slots__ = ()
    KINDS = frozenset({("", "Config")})

    @property
    def today(self) -> date:
        """The day on which certificates are judged."""
        return self.tree.settings.as_of or date.today()

    def certificate(self, user: View) -> Certificate | None:
        """The client certificate that stands in an entry of ``users``; None where none can be read."""
        return from_pem(decoded(user.text("user", "client-certificate-data") or "") or "")


def _rows(file: ManifestFile) -> list[Row]:
    text = file.content.text
    if ',"' not in text and ', "' not in text:
        return []

    return list(rows_in(text))


def _table(item: Object) -> list[Row]:
    """The rows of a table, where more than its form says that it is one: its name, a flag that names it, a group of the
    system."""
    file = item.piece.file
    rows = file_rows(file.content.text)
    name = os.path.basename(file.path)
    system = any(group.startswith("system:") for row in rows for group in row.groups)
    return rows if system or "token" in name.lower() or name in _named(item.tree) else []


def _named(tree: Tree) -> set[str]:
    """The names, without a folder, of the files that --token-auth-file names anywhere in the tree."""
    texts = (file.content.text for file in tree.files)
    return {os.path.basename(path) for text in texts if "token-auth-file" in text for path in _FLAG.findall(text)}
