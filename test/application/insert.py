"""The application after the move: SQLModel on the target, inserting what the load did not bring."""

import datetime
import os

from sqlmodel import Field, Session, SQLModel, create_engine, select


class Strategy(SQLModel, table=True):
    __tablename__ = "strategies"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    class_name: str
    module_path: str
    description: str | None = None
    category: str | None = None
    is_active: bool = True
    created_at: datetime.datetime
    updated_at: datetime.datetime


class PriceHistory(SQLModel, table=True):
    __tablename__ = "price_history"
    symbol: str = Field(primary_key=True)
    time: datetime.datetime = Field(primary_key=True)
    interval: str = Field(default="1d", primary_key=True)
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    volume: int | None = None


now = datetime.datetime.now(datetime.timezone.utc)
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"))
with Session(engine) as session:
    last = max(session.exec(select(Strategy.id)).all())
    strategy = Strategy(name="late", class_name="Late", module_path="m", created_at=now, updated_at=now)
    price = PriceHistory(symbol="^GSPC", time=now, open=1.0, high=2.0, low=0.5, close=1.5, volume=2**40)
    session.add(strategy)
    session.add(price)
    session.commit()
    session.refresh(strategy)
    assert strategy.id > last, f"the sequence gave {strategy.id}, and {last} was loaded"
    read = session.exec(select(PriceHistory).where(PriceHistory.time == now)).one()
    assert read.volume == 2**40, read
    session.delete(strategy)
    session.delete(price)
    session.commit()
    print(f"inserted after {last}")
