"""The client's calls about endpoints: models of others that are asked over the network."""

from __future__ import annotations

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Endpoints(Calls):
    """What a client can do with endpoints."""

    def list_endpoints(self, project: str) -> list[pb.Endpoint]:
        """The endpoints of a project, by name; of its key it is said whether there is one."""
        request = pb.ListEndpointsRequest(project=project)
        return list(self._ask(pb.ListEndpointsReply, self._stub.ListEndpoints, request).endpoints)

    def save_endpoint(
        self, project: str, name: str, address: str, model: str, key: str = "", daily_calls: int = 1_000
    ) -> pb.Endpoint:
        """Make the endpoint of this name, or change it: an address as https://…/v1 and a model's name there.

        Without a key the stored one stays, if the server is the same. It is asked at most `daily_calls` times a day.
        """
        request = pb.SaveEndpointRequest(
            project=project, name=name, address=address, model=model, key=key, daily_calls=daily_calls
        )
        return self._ask(pb.Endpoint, self._stub.SaveEndpoint, request)

    def test_endpoint(self, endpoint_id: int) -> pb.TestEndpointReply:
        """Ask an endpoint something short; what it answered, and how long that took."""
        return self._ask_once(pb.TestEndpointReply, self._stub.TestEndpoint, pb.TestEndpointRequest(id=endpoint_id))

    def remove_endpoint(self, endpoint_id: int) -> None:
        """Forget an endpoint and its key; what it answered stays."""
        self._ask(pb.RemoveEndpointReply, self._stub.RemoveEndpoint, pb.RemoveEndpointRequest(id=endpoint_id))
