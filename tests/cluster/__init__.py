"""Pods on a real kubelet: what harden says of an image and its user is what the node makes of it."""
