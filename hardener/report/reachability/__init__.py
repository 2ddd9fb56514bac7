"""Who can reach whom in a tree, before a run and after it: what the run closes, and that nothing is lost."""

from hardener.report.reachability.measure import Reachability, lost_edges, measure

__all__ = ["Reachability", "lost_edges", "measure"]
