"""Print who hung up, and after how long. Credentials come from the environment."""

import asyncio

from deepcall_async import CallEnded, DeepcallSession


async def main() -> None:
    """Watch the floor until interrupted."""
    async with DeepcallSession.from_env() as session:
        async for update in session.poll_live(5.0):
            for transition in update.transitions:
                match transition:
                    case CallEnded(agent=agent, at=at, duration=duration):
                        print(f"{at:%H:%M:%S} {agent.name} hung up after {duration}")


if __name__ == "__main__":
    asyncio.run(main())
