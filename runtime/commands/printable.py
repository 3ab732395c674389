"""Printable text: names and messages of strangers' files, as a terminal may be given them."""

from __future__ import annotations

import re

# Control characters, separators of lines, marks that turn the direction of what follows, and what
# stands for bytes that are no UTF-8: none of them may reach a terminal from a file's name.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a line of text with what a terminal would obey written as Python writes it.

    >>> printable("a\x1b[31mb.wav")
    'a\\x1b[31mb.wav'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
