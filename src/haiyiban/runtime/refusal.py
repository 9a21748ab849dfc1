"""What keeps the platform from starting, in words for the person at the terminal."""

from __future__ import annotations

from haiyiban.errors import Words


class CannotStart(Exception):
    """The platform cannot start, or cannot go on; the words say why and what to do next."""

    def __init__(self, words: Words, *, log_lines: str = "") -> None:
        super().__init__(words.en)
        self.words = words
        self.log_lines = log_lines
        """The last lines of the log that shows it, empty where there is none."""
