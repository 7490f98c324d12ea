"""The forward-factor application's tables after the move, as SQLAlchemy 2 declares them."""

import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {datetime.datetime: DateTime(timezone=True), Any: JSON}


# The database deletes what refers to a deleted row.
def owned(**options):
    return relationship(cascade="all, delete-orphan", passive_deletes=True, **options)


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    status: Mapped[str]
    link_code: Mapped[str | None] = mapped_column(unique=True)
    settings: Mapped["UserSettings | None"] = owned(back_populates="user")
    subscriptions: Mapped[list["Subscription"]] = owned(back_populates="user")
    telegram_chats: Mapped[list["TelegramChat"]] = owned(back_populates="user")
    decisions: Mapped[list["SignalUserDecision"]] = owned(back_populates="user")


class TelegramChat(Base):
    __tablename__ = "telegram_chats"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str | None]
    username: Mapped[str | None]
    linked_at: Mapped[datetime.datetime]
    user: Mapped[User] = relationship(back_populates="telegram_chats")


class UserSettings(Base):
    __tablename__ = "user_settings"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    ff_threshold: Mapped[float] = mapped_column(default=0.2)
    dte_pairs: Mapped[Any | None]
    vol_point: Mapped[str] = mapped_column(default="ATM")
    min_open_interest: Mapped[int] = mapped_column(default=100)
    min_volume: Mapped[int] = mapped_column(default=10)
    max_bid_ask_pct: Mapped[float] = mapped_column(default=0.08)
    sigma_fwd_floor: Mapped[float] = mapped_column(default=0.05)
    stability_scans: Mapped[int] = mapped_column(default=2)
    cooldown_minutes: Mapped[int] = mapped_column(default=120)
    quiet_hours: Mapped[Any | None]
    preferred_structure: Mapped[str] = mapped_column(default="ATM_calendar_call")
    timezone: Mapped[str] = mapped_column(default="America/Vancouver")
    scan_priority: Mapped[str] = mapped_column(default="standard")
    discovery_mode: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship(back_populates="settings")


class Subscription(Base):
    __tablename__ = "subscriptions"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    ticker: Mapped[str] = mapped_column(primary_key=True, index=True)
    active: Mapped[bool] = mapped_column(default=True)
    added_at: Mapped[datetime.datetime]
    user: Mapped[User] = relationship(back_populates="subscriptions")


class MasterTicker(Base):
    __tablename__ = "master_tickers"
    ticker: Mapped[str] = mapped_column(primary_key=True)
    active_subscriber_count: Mapped[int] = mapped_column(default=0)
    last_scan_at: Mapped[datetime.datetime | None]
    scan_tier: Mapped[str] = mapped_column(default="standard")


class Signal(Base):
    __tablename__ = "signals"
    __table_args__ = (UniqueConstraint("dedupe_key", "as_of_ts"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    as_of_ts: Mapped[datetime.datetime] = mapped_column(primary_key=True)
    ticker: Mapped[str]
    front_expiry: Mapped[datetime.date]
    back_expiry: Mapped[datetime.date]
    front_dte: Mapped[int]
    back_dte: Mapped[int]
    front_iv: Mapped[float]
    back_iv: Mapped[float]
    sigma_fwd: Mapped[float]
    ff_value: Mapped[float]
    vol_point: Mapped[str] = mapped_column(default="ATM")
    quality_score: Mapped[float | None]
    reason_codes: Mapped[Any | None]
    dedupe_key: Mapped[str]
    is_discovery: Mapped[bool] = mapped_column(default=False)
    underlying_price: Mapped[float | None]
    provider: Mapped[str | None]
    decisions: Mapped[list["SignalUserDecision"]] = owned(back_populates="signal")


class OptionChainSnapshot(Base):
    __tablename__ = "option_chain_snapshots"
    id: Mapped[str] = mapped_column(primary_key=True)
    as_of_ts: Mapped[datetime.datetime] = mapped_column(primary_key=True)
    ticker: Mapped[str]
    provider: Mapped[str]
    underlying_price: Mapped[float | None]
    raw_payload: Mapped[Any | None]
    quality_score: Mapped[float | None]


class SignalUserDecision(Base):
    __tablename__ = "signal_user_decisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["signal_id", "signal_as_of_ts"], ["signals.id", "signals.as_of_ts"], ondelete="CASCADE"
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    signal_id: Mapped[str] = mapped_column(index=True)
    # Left out of an INSERT, the database looks it up.
    signal_as_of_ts: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    decision: Mapped[str]
    decision_ts: Mapped[datetime.datetime]
    decision_metadata: Mapped[Any | None]
    entry_price: Mapped[float | None]
    exit_price: Mapped[float | None]
    pnl: Mapped[float | None]
    notes: Mapped[str | None]
    signal: Mapped[Signal] = relationship(back_populates="decisions")
    user: Mapped[User] = relationship(back_populates="decisions")


class OhlcvBar(Base):
    __tablename__ = "ohlcv_bars"
    __table_args__ = (UniqueConstraint("ticker", "timeframe", "timestamp"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    timestamp: Mapped[datetime.datetime] = mapped_column(primary_key=True)
    ticker: Mapped[str]
    open: Mapped[float]
    high: Mapped[float]
    low: Mapped[float]
    close: Mapped[float]
    volume: Mapped[int] = mapped_column(BigInteger)
    timeframe: Mapped[str]


class SignalsHourly(Base):
    """The aggregate over signals; it is only read."""

    __tablename__ = "signals_hourly"
    bucket: Mapped[datetime.datetime] = mapped_column(primary_key=True)
    ticker: Mapped[str] = mapped_column(primary_key=True)
    signal_count: Mapped[int] = mapped_column(BigInteger)
    avg_ff: Mapped[float | None]
