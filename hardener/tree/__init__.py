"""The files of a run, their objects and the views that transforms ask live here; what follows from several objects
is a fact."""
