"""Who talks to whom: the connections that the manifests of the tree show, each with its evidence.

Inferred, never observed: what an image has built in is not seen, which is why a Service that nothing in the tree names
is taken to be used from its own namespace.
"""

from hardener.facts.network.connections.model import Connections, Edge, Entry, External, Port, Unresolved, Unseen, Way

__all__ = ["Connections", "Edge", "Entry", "External", "Port", "Unresolved", "Unseen", "Way"]
