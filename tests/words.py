"""The style list: phrases that no page, help text or message has, each with what to write in its place.

``CONTRIBUTING.md`` prints it, and ``tests/test_words.py`` looks. A phrase is a regular expression, in any case.
"""

from __future__ import annotations

PHRASES: dict[str, str] = {
    r"\bstands? (in|at|on|beside|before|behind|under|there|here|elsewhere|twice)\b": "is in, is at; occurs twice",
    r"\bstand(s|ing)? alone\b": "is on its own line; is a part of its own",
    r"\bwhere (it|they) stands?\b": "in place",
    r"\bis had\b": "exists; is known",
    r"\bto be had\b": "available; could not be pulled",
    r"\bat hand\b": "available; local",
    r"\bfor one:": "for example:",
    r"\b(bug|one) of ours\b": "an internal error in harden",
    r"\bso often\b": "N times",
    r"\b(report|finding|run|\"Why\") says so\b": "the report shows it; a finding reports it",
    r"\bleft for a person\b": "needs manual work",
    r"\ba person decides\b": "needs a decision",
    r"\ba person wrote (it|its)\b": "set by hand",
    r"\bnumbered user\b": "numeric user; a numeric `runAsUser`",
    r"\bentrances?\b": "public entry point",
    r"\b(can|could|cannot|to) (be )?weigh(ed)?\b": "check",
    r"\bnobody can weigh\b": "cannot be checked",
    r"\bfail late\b": "fail only under load",
    r"\ba revert (brings|opens)\b": "reverting assigns",
    r"\bclosed on the ports of the nodes\b": "loses its NodePort",
    r"\bnot so yet\b": "the problem sentence",
    r"\bno section [a-z]+\b": "no `tls` section",
    r"\bwhich --[a-z-]+ lets pass\b": "(`--allow-empty` accepts this)",
    r"\bleave it out where\b": "skip it; remove it if",
    r"\bgets no guess\b": "harden does not guess",
    r"\bcounts? alone\b": "only ... applies",
    r"\bis that of who\b": "suggests a",
    r"\bothers? (\w+ )?neither\b": "... are ignored, too",
    r"\bin a bounded time\b": "over the size limits",
    r"\bof yours\b": "your own",
    r"\bbeforehand\b": "in advance",
    r"\bbut for\b": "except",
    r"\b(and|or) (their|its) like\b": "and similar ...",
    r"\bcomes of it\b": "the result",
    r"\bas far as it goes\b": "as far as possible",
    r"\b(is|are) said\b": "is reported; is named",
    r"\ball the same\b": "still; anyway",
    r"\bsays? nothing (of|about)\b": "does not tell about; does not count against",
    r"\bin question\b": "this; these",
}
