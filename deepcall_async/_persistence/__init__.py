"""What outlives a process: checkpoint files and recordings.

Imports `_model` and `_floor`.
"""

from deepcall_async import _lazy

from .checkpoint_file import CheckpointFile, load_checkpoint, save_checkpoint
from .recording import RecordingFloor, replay

__all__ = ["CheckpointFile", "RecordingFloor", "load_checkpoint", "replay", "save_checkpoint"]

_lazy.publish(__name__)
