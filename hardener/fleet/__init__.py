"""Many repositories live here: a list of them checked out by the user's git, each hardened in a process of its own, and
what came out in one SQLite file. Beside ``observe`` and ``lock`` the only package that opens a connection: git does."""
