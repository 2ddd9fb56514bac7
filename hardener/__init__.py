"""Harden Kubernetes manifests where they live, and say why."""

from os.path import dirname, isdir, join

__version__ = "0.1.0"

# transforms/ and profiles/ are our children once installed, and our siblings in a checkout.
if not isdir(join(dirname(__file__), "transforms")):
    __path__.append(dirname(dirname(__file__)))
