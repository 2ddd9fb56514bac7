"""Who may do what: the roles and bindings of the tree, whom they reach, and what is known of what these need.

The views are all that is loaded for a tree without any: `grants` and `needs` are asked by way of ``workspace.access``.
"""

from __future__ import annotations

from hardener.access.views import Binding, Role, Subject

__all__ = ["Binding", "Role", "Subject"]
