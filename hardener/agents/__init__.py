"""What programs that act for a person call: ``harden mcp``, tools over the Model Context Protocol. ``service`` is what
the tools do and knows no protocol, ``server`` is what they look like there; it alone needs the extra ``mcp``."""
