"""Who talks to whom, and what the NetworkPolicies of the tree let through."""
