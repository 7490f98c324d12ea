"""
Eight connections through the pooler (POOLED_DATABASE_URL) insert signals and price rows for so many seconds (the one
argument), each pair in a transaction of its own. Then every row that was committed is looked for, directly
(DATABASE_URL). Prints one line of JSON; fails at the first error, and when a row is missing, altered or too many.
"""

import asyncio
import datetime
import json
import sys
import uuid

from application_database import database_url, engine_for, sessions_of
from forward_factor_models import OhlcvBar, Signal
from forward_factor_rows import DAY, bar_at, signal_at
from sqlalchemy import delete, select

WRITERS = 8
RUN = f"W{uuid.uuid4().hex[:8].upper()}"
TICKERS = [f"{RUN}{writer}" for writer in range(WRITERS)]
START = datetime.datetime.now(datetime.timezone.utc)


async def write(sessions, ticker: str, until: float) -> list[tuple[tuple, tuple]]:
    """What was committed: of each signal and bar, the columns that `read` reads."""
    committed = []
    async with sessions() as session:
        while asyncio.get_running_loop().time() < until:
            number = len(committed)
            # Over the last five days, so that several chunks are written to at once.
            at = START - (number % 5) * DAY + datetime.timedelta(milliseconds=number)
            signal = signal_at(ticker, at, underlying_price=100 + number / 7)
            bar = bar_at(ticker, at, number)
            session.add_all([signal, bar])
            await session.commit()
            committed.append(
                ((signal.id, signal.as_of_ts, signal.underlying_price), (bar.id, bar.timestamp, bar.volume))
            )
            session.expunge_all()
    return committed


async def read(sessions, model, *columns) -> set[tuple]:
    async with sessions() as session:
        rows = await session.execute(select(*columns).where(model.ticker.in_(TICKERS)))
        found = [tuple(row) for row in rows]
    assert len(found) == len(set(found)), f"{model.__tablename__} holds a row twice"
    return set(found)


async def clean_up(sessions) -> None:
    async with sessions.begin() as session:
        for model in (Signal, OhlcvBar):
            await session.execute(delete(model).where(model.ticker.in_(TICKERS)))


async def main(seconds: float) -> None:
    pooled = engine_for(database_url("POOLED_DATABASE_URL"), WRITERS)
    direct = engine_for(database_url("DATABASE_URL"), 1)
    until = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(write(sessions_of(pooled), ticker, until)) for ticker in TICKERS]
        committed = [pair for task in tasks for pair in task.result()]
        signals = await read(sessions_of(direct), Signal, Signal.id, Signal.as_of_ts, Signal.underlying_price)
        bars = await read(sessions_of(direct), OhlcvBar, OhlcvBar.id, OhlcvBar.timestamp, OhlcvBar.volume)
        assert signals == {signal for signal, _ in committed}, "signals are not those that were committed"
        assert bars == {bar for _, bar in committed}, "price rows are not those that were committed"
    finally:
        await clean_up(sessions_of(direct))
        await pooled.dispose()
        await direct.dispose()
    report = {"seconds": seconds, "writers": WRITERS, "least": min(len(task.result()) for task in tasks)}
    print(json.dumps({**report, "signals": len(signals), "bars": len(bars)}))


asyncio.run(main(float(sys.argv[1])))
