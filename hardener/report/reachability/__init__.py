"""Who can reach whom in a tree, before a run and after it, lives here, and no policy: those are facts and rules."""
