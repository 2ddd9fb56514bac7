"""K04: lack of policy enforcement at cluster level."""
