"""Who talks to whom, and what the NetworkPolicies of the tree let through, lives here, and not what a policy
should say."""
