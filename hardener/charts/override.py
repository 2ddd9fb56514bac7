"""One value of a chart that a run overrides."""

from hardener.engine.outcome import Override as Override
