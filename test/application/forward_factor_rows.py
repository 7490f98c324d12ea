"""Rows as the forward-factor application makes them."""

import datetime
import uuid

from forward_factor_models import OhlcvBar, Signal, SignalUserDecision

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


def new_id() -> str:
    return str(uuid.uuid4())


def signal_at(ticker: str, at: datetime.datetime, **values) -> Signal:
    front_iv, back_iv, front_dte, back_dte = 0.34, 0.31, 30, 60
    sigma_fwd = ((back_dte * back_iv**2 - front_dte * front_iv**2) / (back_dte - front_dte)) ** 0.5
    standard = {
        "id": new_id(),
        "ticker": ticker,
        "as_of_ts": at,
        "front_expiry": (at + front_dte * DAY).date(),
        "back_expiry": (at + back_dte * DAY).date(),
        "front_dte": front_dte,
        "back_dte": back_dte,
        "front_iv": front_iv,
        "back_iv": back_iv,
        "sigma_fwd": sigma_fwd,
        "ff_value": (front_iv - sigma_fwd) / sigma_fwd,
        "reason_codes": ["low_oi", "früh"],
        "dedupe_key": uuid.uuid4().hex,
        "provider": "polygon",
    }
    return Signal(**{**standard, **values})


def decision_on(signal_id: str, user_id: str, at: datetime.datetime, **values) -> SignalUserDecision:
    return SignalUserDecision(
        id=new_id(), signal_id=signal_id, user_id=user_id, decision="placed", decision_ts=at, **values
    )


def bar_at(ticker: str, at: datetime.datetime, volume: int) -> OhlcvBar:
    prices = {"open": 10.0, "high": 12.5, "low": 9.75, "close": 11.0}
    return OhlcvBar(id=new_id(), ticker=ticker, timestamp=at, timeframe="1min", volume=volume, **prices)
