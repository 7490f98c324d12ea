"""
The forward-factor application after the move: what it does all day, done once directly and once through the pooler,
by DATABASE_URL and POOLED_DATABASE_URL. Prints one line of JSON that says what it did, and leaves no row of its own.
"""

import asyncio
import datetime
import json
import uuid

from application_database import database_url, engine_for, sessions_of
from forward_factor_models import (
    MasterTicker,
    OhlcvBar,
    Signal,
    SignalsHourly,
    SignalUserDecision,
    Subscription,
    TelegramChat,
    User,
    UserSettings,
)
from forward_factor_rows import DAY, MINUTE, bar_at, decision_on, new_id, signal_at
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

TASKS = 8
ROWS_A_TASK = 25
UNIQUE, FOREIGN = "23505", "23503"


class Day:
    """One day of the application, on a ticker and with a user of its own."""

    def __init__(self, sessions):
        self.sessions = sessions
        self.ticker = f"T{uuid.uuid4().hex[:10].upper()}"
        self.user_id = new_id()
        self.now = datetime.datetime.now(datetime.timezone.utc)

    async def live(self) -> dict:
        hours = await self.compare_hours()
        try:
            await self.sign_up()
            signals = await self.scan()
            return {
                "hours": hours,
                "signals": len(signals),
                "decisions": await self.decide(signals),
                "queries": await self.ask(signals),
                "refused": await self.be_refused(signals[0]),
                "updated": await self.change(signals[0]),
                "concurrent": await self.write_at_once(),
                "winners": await self.race_for_a_key(),
                "deleted": await self.delete_signal(signals[0]),
                "cascades": await self.leave(),
            }
        finally:
            await self.clean_up()

    async def compare_hours(self) -> int:
        """The aggregate's last day against the signals themselves, before this program adds any."""
        async with self.sessions() as session:
            latest = await session.scalar(select(func.max(Signal.as_of_ts)))
            since = (latest or self.now).replace(minute=0, second=0, microsecond=0) - DAY
            hour = func.date_trunc("hour", Signal.as_of_ts, "UTC").label("hour")
            counted = await session.execute(
                select(hour, Signal.ticker, func.count(), func.avg(Signal.ff_value))
                .where(Signal.as_of_ts >= since)
                .group_by(hour, Signal.ticker)
                .order_by(hour, Signal.ticker)
            )
            aggregated = await session.execute(
                select(
                    SignalsHourly.bucket,
                    SignalsHourly.ticker,
                    SignalsHourly.signal_count,
                    SignalsHourly.avg_ff,
                )
                .where(SignalsHourly.bucket >= since)
                .order_by(SignalsHourly.bucket, SignalsHourly.ticker)
            )
            expected, found = counted.all(), aggregated.all()
            keys = ([row[:3] for row in found], [row[:3] for row in expected])
            assert keys[0] == keys[1], "signals_hourly counts otherwise"
            for one, other in zip(found, expected):
                assert abs(one[3] - other[3]) < 1e-12, (one, other)
            return len(found)

    async def sign_up(self) -> None:
        """A user with settings, a subscription and a chat, in one transaction."""
        async with self.sessions.begin() as session:
            session.add(MasterTicker(ticker=self.ticker, active_subscriber_count=1))
            session.add(
                User(
                    id=self.user_id,
                    email=f"{self.user_id}@example.com",
                    created_at=self.now,
                    status="active",
                    settings=UserSettings(dte_pairs=[{"front": 30, "back": 60}], quiet_hours=None),
                    subscriptions=[Subscription(ticker=self.ticker, added_at=self.now)],
                    telegram_chats=[
                        TelegramChat(
                            id=new_id(),
                            chat_id=self.user_id[:13],
                            first_name="Zoë",
                            username=None,
                            linked_at=self.now,
                        )
                    ],
                )
            )
        async with self.sessions() as session:
            user = await session.get(
                User, self.user_id, options=[selectinload(User.telegram_chats), selectinload(User.settings)]
            )
            assert [chat.first_name for chat in user.telegram_chats] == ["Zoë"], user.telegram_chats
            assert user.settings.dte_pairs == [{"front": 30, "back": 60}], user.settings.dte_pairs

    async def scan(self) -> list[Signal]:
        """A signal a minute over the last half hour, the newest first, one transaction each."""
        signals = [signal_at(self.ticker, self.now - index * MINUTE) for index in range(30)]
        async with self.sessions() as session:
            for signal in signals:
                session.add(signal)
                await session.commit()
        return signals

    async def decide(self, signals: list[Signal]) -> int:
        """
        Decisions with the signal's time and without it. So many of one session that the server's plan for the insert
        and for the check of its key turns generic.
        """
        async with self.sessions() as session:
            for index, signal in enumerate(signals):
                given = {"signal_as_of_ts": signal.as_of_ts} if index % 2 == 0 else {}
                decision = decision_on(signal.id, self.user_id, self.now, entry_price=1.25, **given)
                session.add(decision)
                await session.flush()
                assert decision.signal_as_of_ts == signal.as_of_ts, (index, decision.signal_as_of_ts)
            await session.commit()
        return len(signals)

    async def ask(self, signals: list[Signal]) -> int:
        """What the application's pages ask."""
        mine = Signal.ticker == self.ticker
        async with self.sessions() as session:
            between = Signal.as_of_ts.between(self.now - 20 * MINUTE, self.now - 10 * MINUTE)
            page = await session.scalars(
                select(Signal).where(mine, between).order_by(Signal.as_of_ts.desc()).limit(5)
            )
            assert [signal.id for signal in page] == [signal.id for signal in signals[10:15]]

            latest = await session.scalars(
                select(Signal)
                .distinct(Signal.ticker)
                .where(Signal.as_of_ts > self.now - DAY)
                .order_by(Signal.ticker, Signal.as_of_ts.desc())
            )
            assert [signal.id for signal in latest if signal.ticker == self.ticker] == [signals[0].id]

            joined = await session.execute(
                select(SignalUserDecision.decision, Signal.ff_value)
                .join(SignalUserDecision.signal)
                .where(SignalUserDecision.user_id == self.user_id)
            )
            assert joined.all() == [("placed", signals[0].ff_value)] * len(signals)

            by_user = await session.scalar(
                select(User)
                .join(User.telegram_chats)
                .where(TelegramChat.chat_id == self.user_id[:13])
                .options(selectinload(User.subscriptions))
            )
            assert [each.ticker for each in by_user.subscriptions] == [self.ticker]

            volumes = []
            for volume in (5, 2**40):
                row = bar_at(self.ticker, self.now, volume)
                values = {column.key: getattr(row, column.key) for column in OhlcvBar.__table__.columns}
                await session.execute(
                    insert(OhlcvBar)
                    .values(values)
                    .on_conflict_do_update(
                        index_elements=["ticker", "timeframe", "timestamp"], set_={"volume": volume}
                    )
                )
                await session.commit()
                volumes += await session.scalars(
                    select(OhlcvBar.volume).where(OhlcvBar.ticker == self.ticker)
                )
            assert volumes == [5, 2**40], volumes
        return 5

    async def be_refused(self, signal: Signal) -> list[str]:
        """What must not get in, each in the same session, which goes on after a rollback."""
        other_time = signal.as_of_ts - 3 * DAY
        wrong = [
            (UNIQUE, lambda: signal_at(self.ticker, other_time, dedupe_key=signal.dedupe_key)),
            (UNIQUE, lambda: signal_at(self.ticker, signal.as_of_ts, dedupe_key=signal.dedupe_key)),
            (UNIQUE, lambda: signal_at(self.ticker, other_time, id=signal.id)),
            (FOREIGN, lambda: decision_on(new_id(), self.user_id, self.now)),
            (FOREIGN, lambda: decision_on(new_id(), self.user_id, self.now, signal_as_of_ts=self.now)),
            (FOREIGN, lambda: decision_on(signal.id, self.user_id, self.now, signal_as_of_ts=other_time)),
            (FOREIGN, lambda: decision_on(signal.id, new_id(), self.now)),
        ]
        states = []
        async with self.sessions() as session:
            for expected, make in wrong:
                row = make()
                session.add(row)
                try:
                    await session.commit()
                    raise AssertionError(f"{expected} was expected of {row}, and it got in")
                except IntegrityError as error:
                    assert error.orig.sqlstate == expected, f"{expected} was expected: {error}"
                    states.append(error.orig.sqlstate)
                await session.rollback()
                assert await session.scalar(select(func.count()).where(Signal.ticker == self.ticker)) == 30
        return states

    async def change(self, signal: Signal) -> int:
        async with self.sessions.begin() as session:
            stored = await session.get(Signal, (signal.id, signal.as_of_ts))
            stored.quality_score = 0.75
            stored.reason_codes = None
            decided = await session.execute(
                update(SignalUserDecision)
                .where(SignalUserDecision.signal_id == signal.id)
                .values(exit_price=2.5, pnl=125.0)
            )
            (await session.get(User, self.user_id)).status = "paused"
        async with self.sessions() as session:
            changed = await session.scalar(
                select(Signal).where(Signal.quality_score == 0.75, Signal.id == signal.id)
            )
            assert changed.reason_codes is None and changed.dedupe_key == signal.dedupe_key
        return decided.rowcount + 2

    async def write_at_once(self) -> dict:
        """Several tasks, each with a connection of its own: no row is lost."""
        start = self.now - 5 * DAY

        async def work(task: int) -> int:
            for row in range(ROWS_A_TASK):
                at = start + (task * ROWS_A_TASK + row) * MINUTE
                async with self.sessions.begin() as session:
                    signal = signal_at(self.ticker, at)
                    session.add_all([signal, bar_at(self.ticker, at, row)])
                    await session.flush()
                    session.add(decision_on(signal.id, self.user_id, at))
            return ROWS_A_TASK

        written = sum(await asyncio.gather(*map(work, range(TASKS))))
        async with self.sessions() as session:
            counts = {}
            for model, time in ((Signal, Signal.as_of_ts), (OhlcvBar, OhlcvBar.timestamp)):
                counts[model.__tablename__] = await session.scalar(
                    select(func.count()).where(model.ticker == self.ticker, time < start + DAY)
                )
            counts[SignalUserDecision.__tablename__] = await session.scalar(
                select(func.count()).where(
                    SignalUserDecision.user_id == self.user_id,
                    SignalUserDecision.signal_as_of_ts < start + DAY,
                )
            )
        assert set(counts.values()) == {written}, (written, counts)
        return counts

    async def race_for_a_key(self) -> int:
        """Several tasks insert one dedupe_key at several times at once: one of them wins."""
        key = uuid.uuid4().hex

        async def work(task: int) -> int:
            try:
                async with self.sessions.begin() as session:
                    session.add(signal_at(self.ticker, self.now - (10 + task) * DAY, dedupe_key=key))
                return 1
            except IntegrityError as error:
                assert error.orig.sqlstate == UNIQUE, error
                return 0

        winners = sum(await asyncio.gather(*map(work, range(TASKS))))
        assert winners == 1, f"{winners} signals share a dedupe_key"
        return winners

    async def delete_signal(self, signal: Signal) -> int:
        """A signal takes its decisions with it, and frees its key."""
        decisions = select(func.count()).where(SignalUserDecision.signal_id == signal.id)
        async with self.sessions() as session:
            before = await session.scalar(decisions)
            await session.delete(await session.get(Signal, (signal.id, signal.as_of_ts)))
            await session.commit()
            after = await session.scalar(decisions)
            assert (before, after) == (1, 0), f"{before} decisions became {after}"
            again = {"id": signal.id, "dedupe_key": signal.dedupe_key}
            session.add(signal_at(self.ticker, self.now - 4 * DAY, **again))
            await session.commit()
        return before

    async def leave(self) -> int:
        """A user takes everything along."""
        owned = (UserSettings, Subscription, TelegramChat, SignalUserDecision)
        async with self.sessions() as session:
            await session.delete(await session.get(User, self.user_id))
            await session.commit()
            for model in owned:
                left = await session.scalar(select(func.count()).where(model.user_id == self.user_id))
                assert left == 0, f"{left} rows of {model.__tablename__} outlived their user"
        return len(owned)

    async def clean_up(self) -> None:
        async with self.sessions.begin() as session:
            await session.execute(delete(User).where(User.id == self.user_id))
            for model in (Signal, OhlcvBar, MasterTicker):
                await session.execute(delete(model).where(model.ticker == self.ticker))


async def main() -> None:
    report = {}
    for way, variable in (("direct", "DATABASE_URL"), ("pooled", "POOLED_DATABASE_URL")):
        engine = engine_for(database_url(variable), TASKS)
        report[way] = await Day(sessions_of(engine)).live()
        await engine.dispose()
    print(json.dumps(report))


asyncio.run(main())
