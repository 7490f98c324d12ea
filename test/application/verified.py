"""
Every driver that docs/security.md speaks of connects to DATABASE_URL, which demands verify-full. Prints one line of JSON:
driver -> whether the server says that the connection is encrypted, or the error where it was refused.
"""

import asyncio
import json
import os

import asyncpg
import psycopg2
import sqlalchemy
from application_database import database_url, engine_for

# The session is its login's, not its role's, which does not see it.
AS_LOGIN = "SET ROLE NONE"
QUESTION = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
URL = os.environ["DATABASE_URL"]


def with_psycopg2() -> bool:
    connection = psycopg2.connect(URL)
    with connection.cursor() as cursor:
        cursor.execute(AS_LOGIN)
        cursor.execute(QUESTION)
        return cursor.fetchone()[0]


async def with_asyncpg() -> bool:
    connection = await asyncpg.connect(URL)
    await connection.execute(AS_LOGIN)
    return await connection.fetchval(QUESTION)


async def with_sqlalchemy() -> bool:
    async with engine_for(database_url("DATABASE_URL"), 1).connect() as connection:
        await connection.execute(sqlalchemy.text(AS_LOGIN))
        return (await connection.execute(sqlalchemy.text(QUESTION))).scalar_one()


async def main() -> None:
    answers = {}
    for name, ask in (("psycopg2", with_psycopg2), ("asyncpg", with_asyncpg), ("sqlalchemy", with_sqlalchemy)):
        try:
            answer = ask()
            answers[name] = await answer if asyncio.iscoroutine(answer) else answer
        except Exception as error:
            answers[name] = str(error)
    print(json.dumps(answers))


asyncio.run(main())
