"""What is known of many repositories together: points of their runs, counted in tables, as a page, CSV, JSON and text.
``harden fleet report`` fills it from a file of runs, ``harden report merge`` from JSON reports."""
