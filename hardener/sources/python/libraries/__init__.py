"""The types of Kubernetes as libraries and the tree's own classes name them."""
