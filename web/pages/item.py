"""An entry of the navigation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """Where it stands, where it leads, and what one needs to see it."""

    group: str  # work | fleet | admin
    endpoint: str
    label: object  # a lazy text in the reader's language
    icon: str  # a symbol of static/vendor/lucide/sprite.svg
    permission: str
    shortcut: str = ""  # e.g. "g j"
    also: frozenset[str] = frozenset()  # other blueprints whose pages belong here
    others: frozenset[str] = frozenset()  # endpoints of the same blueprint that belong to another entry

    def owns(self, endpoint: str) -> bool:
        """Whether this entry is the one to mark while the endpoint's page is open."""
        blueprint, own = endpoint.partition(".")[0], self.endpoint.partition(".")[0]
        return (blueprint == own or blueprint in self.also) and endpoint not in self.others
