"""How the application reaches its database: SQLAlchemy 2 over asyncpg."""

import os
import ssl

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine


def database_url(variable: str) -> str:
    return os.environ[variable].replace("postgresql://", "postgresql+asyncpg://", 1)


def engine_for(url: str, connections: int) -> AsyncEngine:
    """
    An engine that keeps so many connections.

    Nothing has to be set for the pooler: from 1.21 on, with max_prepared_statements above 0 (timelift sets 200),
    PgBouncer keeps each client's prepared statements apart, so the caches of asyncpg and of SQLAlchemy stay on. With 0
    there, or before 1.21, it takes all of connect_args={"statement_cache_size": 0, "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__"}; any two of them still end in "prepared statement
    does not exist".
    """
    plain, arguments = split_tls(make_url(url))
    return create_async_engine(plain, connect_args=arguments, pool_size=connections, max_overflow=0)


def split_tls(url: URL) -> tuple[URL, dict]:
    """
    SQLAlchemy hands the parameters of a URL to asyncpg by name, which knows no sslmode and sslrootcert there; a context
    says the same: encrypted, by a server that this authority vouches for, by the name it was called.
    """
    if url.query.get("sslmode") != "verify-full":
        return url, {}
    context = ssl.create_default_context(cafile=url.query["sslrootcert"])
    return url.difference_update_query(["sslmode", "sslrootcert"]), {"ssl": context}


def sessions_of(engine: AsyncEngine) -> async_sessionmaker:
    return async_sessionmaker(engine, expire_on_commit=False)
