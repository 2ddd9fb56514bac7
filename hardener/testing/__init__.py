"""What tests a transform: the golden runner and its pytest plugin. No command but `harden golden` uses it."""
