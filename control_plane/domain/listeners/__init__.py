"""What listeners are told, and how: events, ways, when a delivery is tried again."""
