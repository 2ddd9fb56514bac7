"""Templates of a chart live here: read without running them, and changed where values do not reach."""
