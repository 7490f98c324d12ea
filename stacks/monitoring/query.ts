/** What a column of a query's result is to Prometheus. */
export interface QueryColumn {
  as: "label" | "gauge" | "counter";
  help: string;
}

/** A question to the database whose answer becomes metrics: one a column that is no label, `<name>_<column>`. */
export interface MetricQuery {
  /** What the names of its metrics begin with. */
  name: string;
  /** One statement, without a semicolon; NULL becomes NaN, which recording rules leave out. */
  sql: string;
  /** Seconds for which an answer stands, however often it is asked for. */
  cacheSeconds: number;
  columns: Record<string, QueryColumn>;
}

export const label = (help: string): QueryColumn => ({ as: "label", help });
export const gauge = (help: string): QueryColumn => ({ as: "gauge", help });
export const counter = (help: string): QueryColumn => ({ as: "counter", help });

/** The file of queries that the exporter of the database takes. JSON is YAML, and nothing needs quoting by hand. */
export function renderQueries(queries: MetricQuery[]): string {
  const entries = queries.map(({ name, sql, cacheSeconds, columns }) => [
    name,
    {
      query: sql,
      cache_seconds: cacheSeconds,
      metrics: Object.entries(columns).map(([column, { as, help }]) => ({
        [column]: { usage: as.toUpperCase(), description: help },
      })),
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
