"""Who talks to whom lives here, for ``harden graph`` and the reports that draw it: the records, and their formats."""
