import xnys from "./calendars/xnys.json" with { type: "json" };

/** Exchanges whose sessions are known, by market identifier code. */
const exchanges = { XNYS: xnys };
export type Exchange = keyof typeof exchanges;

/** When a table's next row is due. */
export type Freshness =
  /** One row or more for each session of an exchange, from its close on. */
  | { kind: "sessions"; exchange: Exchange }
  /** One row or more in each span of so many hours. */
  | { kind: "hours"; hours: number };

/** A row for each session of an exchange: `price_history: eachSession("XNYS")`. */
export const eachSession = (exchange: Exchange): Freshness => ({ kind: "sessions", exchange });
/** A row at least every so many hours, day and night. */
export const everyHours = (hours: number): Freshness => ({ kind: "hours", hours });

/** A table whose newest row is watched. */
export interface WatchedTable {
  freshness: Freshness;
  /** SQL of the time of its newest row. */
  newest: string;
  /**
   * The day on which its source ended, as YYYY-MM-DD: nothing is expected of later ones.
   * @default it goes on
   */
  until?: string;
}

/**
 * SQL of how many seconds the first row that is missing has been due; 0 where none is, NULL where the table is empty.
 * @param now SQL of the moment
 */
export function behindSql({ freshness, newest, until }: WatchedTable, now = "now()"): string {
  const due =
    freshness.kind === "hours" ? dueAfterHours(freshness.hours) : dueAtClose(freshness.exchange, now);
  const ended = until === undefined ? "" : ` AND day <= date '${until}'`;
  return `(SELECT CASE WHEN newest IS NOT NULL THEN coalesce(
    (SELECT greatest(0, extract(epoch FROM ${now} - due)) FROM (${due}) AS missing WHERE true${ended} ORDER BY due LIMIT 1), 0) END
  FROM (SELECT ${newest} AS newest) AS seen)`;
}

function dueAfterHours(hours: number): string {
  const due = `(newest + make_interval(secs => ${hours * 3600}))`;
  return `SELECT ${due} AS due, (${due} AT TIME ZONE 'UTC')::date AS day`;
}

function dueAtClose(exchange: Exchange, now: string): string {
  const { close, timezone, holidays } = exchanges[exchange];
  const closed = Object.values(holidays)
    .flat()
    .map((day) => `'${day}'`);
  return `SELECT (day + time '${close}') AT TIME ZONE '${timezone}' AS due, day
    FROM (SELECT generate_series((newest AT TIME ZONE 'UTC')::date + 1, (${now} AT TIME ZONE 'UTC')::date, '1 day')::date AS day) AS days
    WHERE extract(isodow FROM day) < 6 AND day <> ALL (ARRAY[${closed.join(", ")}]::date[])`;
}
