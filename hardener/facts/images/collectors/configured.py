"""What a row of ``.harden.yaml`` says of an image, joined with that of the image table."""

from __future__ import annotations

from hardener.facts.images.collectors.table import put_row
from hardener.facts.images.ledger import Asked, ImageLedger


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put into ``ledger`` what a row of ``.harden.yaml`` says of the image."""
    if asked.row is not None and asked.row.is_own:
        put_row(ledger, asked.row)
