"""``harden mcp``: the tools of ``service`` over the Model Context Protocol, on standard input and output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from hardener import __version__
from hardener.agents.service import (
    ApplyAnswer,
    ExplainAnswer,
    FindingsAnswer,
    GraphAnswer,
    PlanAnswer,
    Service,
    UndoAnswer,
)
from hardener.authoring import registry
from hardener.errors import HardenError
from hardener.report.redactor import Redactor
from hardener.support.printable import plain

Path = Annotated[str, Field(max_length=4096, description="A file or folder, seen from the first folder of the server.")]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[list[Id], Field(max_length=200)]
Page = Annotated[int, Field(ge=1, le=100_000)]
PlanName = Annotated[str, Field(max_length=64)]
Part = Annotated[int, Field(ge=0, le=100_000)]

_INSTRUCTIONS = (
    "Harden Kubernetes manifests. Call plan, read the grade and why of each change, then apply one part of the plan."
    " A change that plan lists without a part is held back: what it needs is not known, or it is known to break the"
    " pod. Do not write such a change by hand: tell the person why it waits. undo takes back the last apply."
)
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


class Tools:
    """The tools as the protocol shows them: their signatures are its schemas, their docstrings its descriptions."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def plan(self, path: Path = ".", only: Ids | None = None, page: Page = 1) -> PlanAnswer:
        """List the changes that harden would make, by grade, with reasons; those without a part are held back."""
        with _said():
            return self.service.plan(path, only or [], page)

    def findings(
        self, path: Path = ".", severity: Literal["low", "medium", "high", "critical"] = "low", page: Page = 1
    ) -> FindingsAnswer:
        """List problems that no change of harden mends, with advice, the gravest first."""
        with _said():
            return self.service.findings(path, severity, page)

    def graph(self, path: Path = ".", page: Page = 1) -> GraphAnswer:
        """Show which workloads talk to each other, as far as the manifests tell."""
        with _said():
            return self.service.graph(path, page)

    def explain(self, id: Id) -> ExplainAnswer:
        """Explain a rule, a risk (K01), a finding or a check of another scanner: why, and what may break."""
        with _said():
            return self.service.explain(id)

    def apply(self, path: Path = ".", ids: Ids | None = None, plan: PlanName = "", part: Part = 0) -> ApplyAnswer:
        """Write changes: those of the rules `ids`, or `part` of the plan that plan() named. All files or none."""
        with _said():
            return self.service.apply(path, ids or [], plan, part)

    def undo(self, path: Path = ".") -> UndoAnswer:
        """Take back what the last apply wrote. Refused where a file was changed since."""
        with _said():
            return self.service.undo(path)


def server(service: Service) -> MCPServer[None]:
    """Return a server of the tools of ``service``."""
    made: MCPServer[None] = MCPServer(
        "harden", instructions=_INSTRUCTIONS, version=__version__, log_level="ERROR", subscriptions=False
    )
    tools = Tools(service)
    reads: tuple[Callable[..., object], ...] = (tools.plan, tools.findings, tools.graph, tools.explain)
    for tool in reads:
        made.add_tool(tool, annotations=_READS, structured_output=True)
    for tool in (tools.apply, tools.undo):
        made.add_tool(tool, annotations=_WRITES, structured_output=True)

    @made.resource("harden://rules", mime_type="text/plain")
    def rules() -> str:
        """The ids of all rules, each with its title."""
        return "\n".join(f"{id}: {transform.title}" for id, transform in registry.transforms().items())

    @made.resource("harden://rules/{id}", mime_type="text/plain")
    def rule(id: str) -> str:
        """The page of a rule."""
        if id not in registry.transforms():
            raise ResourceNotFoundError("no such rule; harden://rules lists them")
        return service.explain(id).text

    return made


@contextmanager
def _said() -> Iterator[None]:
    """What a person reads of a wrong argument, a model reads, too: in one line, without secrets."""
    try:
        yield
    except HardenError as error:
        raise ToolError(plain(Redactor().text(str(error)))) from None
