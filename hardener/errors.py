"""The one error a user causes: said in one line, exit code 2."""


class HardenError(Exception):
    """A path, option, profile or configuration is wrong. The message is one line and names the remedy."""
