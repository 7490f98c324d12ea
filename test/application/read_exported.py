"""Reads a SQLite file with the models that the applications have for it, and writes to it as they do."""

import datetime
import json
import os
import sys
from typing import Any

from sqlalchemy import JSON, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlmodel import Field, SQLModel


class Base(DeclarativeBase):
    type_annotation_map = {Any: JSON}


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    telegram_chat_id: Mapped[str | None]
    email: Mapped[str | None]
    password_hash: Mapped[str | None]
    telegram_username: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    status: Mapped[str]


class Signal(Base):
    __tablename__ = "signals"
    id: Mapped[str] = mapped_column(primary_key=True)
    ticker: Mapped[str]
    as_of_ts: Mapped[datetime.datetime]
    front_expiry: Mapped[datetime.date]
    back_expiry: Mapped[datetime.date]
    front_iv: Mapped[float]
    reason_codes: Mapped[Any | None]
    is_discovery: Mapped[bool]


class Decision(Base):
    __tablename__ = "signal_user_decisions"
    id: Mapped[str] = mapped_column(primary_key=True)
    signal_id: Mapped[str]
    user_id: Mapped[str]
    decision: Mapped[str]
    decision_ts: Mapped[datetime.datetime]
    decision_metadata: Mapped[Any | None]


class Stock(SQLModel, table=True):
    __tablename__ = "stocks"
    symbol: str = Field(primary_key=True)
    name: str | None
    created_at: datetime.datetime | None
    updated_at: datetime.datetime | None


class PriceHistory(SQLModel, table=True):
    __tablename__ = "price_history"
    id: int | None = Field(default=None, primary_key=True)
    symbol: str
    date: datetime.date
    open_price: float | None
    close_price: float | None
    volume: int | None
    interval: str = "1d"
    created_at: datetime.datetime | None = None


class OptionsCall(SQLModel, table=True):
    __tablename__ = "options_calls"
    id: int | None = Field(default=None, primary_key=True)
    symbol: str
    expiration_date: datetime.date
    strike: float
    in_the_money: bool | None


def kinds(row) -> dict[str, str]:
    names = row.__table__.columns.keys()
    return {name: type(getattr(row, name)).__name__ for name in names}


models = {"forward-factor": [User, Signal, Decision], "stockula": [Stock, PriceHistory, OptionsCall]}
report = {}
with Session(create_engine(os.environ["DATABASE_URL"])) as session:
    for model in models[sys.argv[1]]:
        rows = session.scalars(select(model)).all()
        counted = session.scalar(select(func.count()).select_from(model))
        assert len(rows) == counted
        first = max(rows, key=lambda row: sum(kind != "NoneType" for kind in kinds(row).values()))
        report[model.__tablename__] = {"rows": counted, "kinds": kinds(first)}
    if sys.argv[1] == "stockula":
        day = datetime.date(2030, 1, 2)
        session.add(PriceHistory(symbol="AAPL", date=day, open_price=1.5, close_price=2.5, volume=3))
        session.commit()
        session.expire_all()
        added = session.scalars(select(PriceHistory).where(PriceHistory.date == day)).one()
        largest = session.scalar(select(func.max(PriceHistory.id)))
        report["added"] = added.id == largest and added.created_at is None
print(json.dumps(report))
