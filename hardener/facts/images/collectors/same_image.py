"""What other containers of the tree with the same image show of it; of paths those that run the same program."""

from __future__ import annotations

from hardener.authoring.known import Known, KnownBy
from hardener.facts.images.ledger import Asked, ImageLedger, Number
from hardener.facts.images.same_images import SameImage, SameImages
from hardener.kubernetes.images.config import SOME_NUMBER


def collect(asked: Asked, ledger: ImageLedger) -> None:
    """Put in the number that most of them have, and where they write."""
    if asked.program is None:
        return
    same = asked.tree.ask(SameImages)
    _put_user(ledger, same.number(asked.program[0]), same.non_root(asked.program[0]))
    shown = same.read_only(asked.program)
    if shown is not None and shown.writable is not None:
        ledger.writable = (*shown.writable, *ledger.writable)
        ledger.paths = Known(tuple(path.value for path in shown.writable), KnownBy.SAME_IMAGE, shown.where)


def _put_user(ledger: ImageLedger, number: SameImage | None, claim: SameImage | None) -> None:
    """Put in the ``number`` of another container, and the ``claim`` of one that it is a number."""
    # The number of the image's own user, or one that was looked up, says more.
    is_own = ledger.number is not None and (ledger.number.sure or ledger.kind_of_user in ("number", "name"))
    if number is not None and number.uid is not None and not is_own:
        place = f"{number.where} has the same image"
        text = f"{place}, and runs as {number.uid}"
        ledger.number = Known(Number(number.uid), KnownBy.SAME_IMAGE, place, text=text)
    if claim is not None and ledger.user is None:
        # Its kubelet refuses root, and a user that is a name only.
        ledger.user = Known(SOME_NUMBER, KnownBy.SAME_IMAGE, f"{claim.where} has the same image")
