from __future__ import annotations

from abc import ABC
from typing import Any


class Client(ABC):  # noqa: B024
    """What `to_client` gives."""

    def __init__(self, numpy_client: NumPyClient) -> None:
        self.numpy_client = numpy_client

    def fit(self, ins: Any) -> Any:
        raise NotImplementedError("wants Flower's own messages")


class NumPyClient(ABC):  # noqa: B024
    """Every method may be overridden; none must be."""

    def get_properties(self, config: dict[str, Any]) -> dict[str, Any]:
        return {}

    def get_parameters(self, config: dict[str, Any]) -> list[Any]:
        return []

    def fit(self, parameters: list[Any], config: dict[str, Any]) -> tuple[list[Any], int, dict[str, Any]]:
        return [], 0, {}

    def evaluate(self, parameters: list[Any], config: dict[str, Any]) -> tuple[float, int, dict[str, Any]]:
        return 0.0, 0, {}

    def to_client(self) -> Client:
        return Client(self)
