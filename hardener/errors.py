"""The base of all errors, and the one that a user causes. Each other error stands beside what raises it."""

from __future__ import annotations


class HardenError(Exception):
    """The base of every error that this program raises by itself."""


class InputError(HardenError):
    """A path, option, profile or configuration is wrong. The message is one line and names the remedy; exit code 2."""
