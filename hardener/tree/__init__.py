"""The files of a run, their objects, and the views that transforms ask. What follows from several objects is a fact."""
