"""What a person reads at a terminal or in a log lives here: the short report, the whole one, and how lines are laid
out."""
