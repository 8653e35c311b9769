"""Endpoints: models of others that are asked over the network, by OpenAI's chat completions."""
