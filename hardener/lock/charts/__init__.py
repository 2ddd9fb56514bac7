"""Charts in their repositories and registries: where one is, which version is meant, and the archives that were pulled.

Only ``harden lock --charts`` opens a connection here; every other command reads the archives that it keeps.
"""
