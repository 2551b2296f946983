"""A bot that hears of everything and a board that looks twice a minute, for one poll a tick."""

from asyncio import TaskGroup, run, sleep

from deepcall_async import DeepcallSession, LiveFeed


async def bot(feed: LiveFeed) -> None:
    """Print every transition, none left out."""
    async for update in feed.subscribe():
        for transition in update.transitions:
            print(transition.at, transition.kind, transition.agent.name)


async def main() -> None:
    """Be the board, beside the bot."""
    async with DeepcallSession.from_env() as session, session.live_feed(5) as feed, TaskGroup() as tasks:
        tasks.create_task(bot(feed))
        async for update in feed.subscribe(max_pending=1):
            print(f"{update.snapshot.totals.on_call} on a call" + " (stale)" * update.is_stale)
            await sleep(30)


if __name__ == "__main__":
    run(main())
