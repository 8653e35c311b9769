"""The client's calls about listeners: who is told of a project's events, and what they were told."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Listeners(Calls):
    """What a client can do with listeners."""

    def list_listener_ways(self, project: str) -> pb.ListListenerWaysReply:
        """In which ways listeners can be told, and of which events."""
        request = pb.ListListenerWaysRequest(project=project)
        return self._ask(pb.ListListenerWaysReply, self._stub.ListListenerWays, request)

    def add_listener(
        self, project: str, way: str, address: str, events: Iterable[str], language: str = ""
    ) -> pb.AddListenerReply:
        """Have a project's events told to an address, a mailbox or a Python listener; a webhook's key is in the answer.

        The key is shown this once: with it, whoever is told verifies that it was Tunesmith who told them.
        """
        request = pb.AddListenerRequest(project=project, way=way, address=address, events=events, language=language)
        return self._ask_once(pb.AddListenerReply, self._stub.AddListener, request)

    def list_listeners(self, project: str) -> list[pb.Listener]:
        """A project's listeners, the oldest first."""
        request = pb.ListListenersRequest(project=project)
        return list(self._ask(pb.ListListenersReply, self._stub.ListListeners, request).listeners)

    def change_listener(self, listener_id: int, events: Iterable[str]) -> pb.Listener:
        """Choose other events; one that had stopped goes on, in your name."""
        request = pb.ChangeListenerRequest(id=listener_id, events=events)
        return self._ask(pb.Listener, self._stub.ChangeListener, request)

    def test_listener(self, listener_id: int) -> pb.Delivery:
        """Send a test; `list_deliveries` says what came of it."""
        return self._ask_once(pb.Delivery, self._stub.TestListener, pb.TestListenerRequest(id=listener_id))

    def remove_listener(self, listener_id: int) -> None:
        """Tell a listener nothing more, and forget its address."""
        self._ask_once(pb.RemoveListenerReply, self._stub.RemoveListener, pb.RemoveListenerRequest(id=listener_id))

    def list_deliveries(self, listener_id: int, before_id: int = 0, limit: int = 0) -> list[pb.Delivery]:
        """What a listener was told, or waits to be told, the newest first; 100 at a time, from `before_id` on."""
        request = pb.ListDeliveriesRequest(listener_id=listener_id, before_id=before_id, limit=limit)
        return list(self._ask(pb.ListDeliveriesReply, self._stub.ListDeliveries, request).deliveries)

    def replay_delivery(self, delivery_id: int) -> pb.Delivery:
        """Send the same event once more."""
        return self._ask_once(pb.Delivery, self._stub.ReplayDelivery, pb.ReplayDeliveryRequest(id=delivery_id))
