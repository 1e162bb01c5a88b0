"""What other programs want to have said (`companion control say`): it waits until nobody speaks."""

from __future__ import annotations

from collections import deque

from companion.errors import CompanionError

MOST_ANNOUNCEMENTS = 8
"""So many wait at most, so that no program can make a device talk for hours."""


class Announcements(deque[str]):
    """Those that wait, the oldest first."""

    def add(self, text: str) -> None:
        """Let this wait too. Raises `CompanionError` where too many do already."""
        if len(self) >= MOST_ANNOUNCEMENTS:
            raise CompanionError(
                f"{MOST_ANNOUNCEMENTS} announcements wait already: try again later; `control stop` drops them."
            )
        self.append(text)
