"""Go on after a restart where the last run stopped: whatever can still be proven is told."""

import asyncio
import sys
from pathlib import Path

from deepcall_async import CheckpointFile, DeepcallSession


async def main(path: Path) -> None:
    """Print transitions, and keep the checkpoint of the last update that was dealt with."""
    async with DeepcallSession.from_env() as session, CheckpointFile(path) as kept:
        async for update in session.poll_live(5.0, resume_from=kept.checkpoint):
            if update.gap:
                print(f"not watched from {update.gap.since:%H:%M:%S} to {update.gap.until:%H:%M:%S}")
            for transition in update.transitions:
                print(transition.id, transition.at, transition.agent.name)
            await kept.keep(update)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "floor.json")))
