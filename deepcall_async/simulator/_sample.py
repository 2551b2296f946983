"""The one reply of the real server that is public, as a floor that stands still."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from ._floor import Floor, Status

SAMPLE_TIME: Final = 1_731_759_565.0  # its Date header: Sat, 16 Nov 2024 12:19:25 GMT
SAMPLE: Final = files(__package__).joinpath("agent_live_sample.json").read_bytes()


class SampleFloor(Floor):
    """Answers every request with the vendor's sample, byte for byte, whatever was asked for."""

    def __init__(self) -> None:
        super().__init__(agents=0, start=SAMPLE_TIME)

    def reply(self, at: float, *, status: Status = "all", group: str | None = None) -> bytes:  # noqa: ARG002
        """The sample."""
        return SAMPLE
