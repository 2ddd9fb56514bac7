"""One command a module lives here (read the tree, run, write, print), and no option of a command line, nor a
format of a report. ``library`` is what another program calls, and prints nothing."""
