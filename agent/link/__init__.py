"""The way to the control plane: the certificate, the session, the loops that call. Only `calls` imports gRPC."""
