from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Array:
    def __init__(self, ndarray: Any) -> None:
        if not isinstance(ndarray, np.ndarray):
            raise TypeError("expected an ndarray")
        self._ndarray = ndarray

    def numpy(self) -> Any:
        return self._ndarray


class ArrayRecord(OrderedDict[str, Array]):
    """Of an OrderedDict of arrays, or of a PyTorch state dict."""

    def __init__(self, values: OrderedDict[str, Any]) -> None:
        if not isinstance(values, OrderedDict):
            raise TypeError("expected an OrderedDict")
        arrays = ((k, v if isinstance(v, Array) else Array(v.detach().cpu().numpy())) for k, v in values.items())
        super().__init__(arrays)

    def to_torch_state_dict(self) -> OrderedDict[str, Any]:
        import torch

        return OrderedDict((name, torch.from_numpy(array.numpy())) for name, array in self.items())


class ConfigRecord(dict[str, Any]):
    pass


class MetricRecord(dict[str, Any]):
    pass


class RecordDict(dict[str, Any]):
    pass


@dataclass
class Context:
    run_id: int
    node_id: int
    node_config: dict[str, Any]
    state: RecordDict
    run_config: dict[str, Any]


@dataclass
class Metadata:
    message_type: str
    dst_node_id: int = 0


class Message:
    """(content, dst_node_id, message_type), (content, reply_to=message) or (error=error, reply_to=message)."""

    def __init__(
        self,
        content: Any = None,
        dst_node_id: int | None = None,
        message_type: str | None = None,
        *,
        error: Any = None,
        reply_to: Message | None = None,
    ) -> None:
        if (reply_to is None) != (dst_node_id is not None and message_type is not None):
            raise TypeError("Invalid arguments for Message")
        self.content = content
        self.error = error
        self.metadata = reply_to.metadata if reply_to else Metadata(message_type or "", dst_node_id or 0)

    def has_content(self) -> bool:
        return self.content is not None

    def has_error(self) -> bool:
        return self.error is not None


@dataclass
class Error:
    code: int
    reason: str = field(default="")
