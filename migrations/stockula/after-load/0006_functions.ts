import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.sqlFunction("sma", {
    arguments: { symbol: "text", days: "integer" },
    returns: "TABLE (date timestamptz, close double precision, average double precision)",
    body: `SELECT p.time, p.close::double precision,
  avg(p.close::double precision) OVER (ORDER BY p.time ROWS BETWEEN sma.days - 1 PRECEDING AND CURRENT ROW)
FROM price_history AS p
WHERE p.symbol = sma.symbol AND p."interval" = '1d'
ORDER BY p.time`,
  });
  db.sqlFunction("daily_returns", {
    arguments: { symbol: "text", from: "timestamptz", to: "timestamptz" },
    returns: "TABLE (date timestamptz, close double precision, daily_return double precision)",
    body: `SELECT r.time, r.close, r.daily_return
FROM (
  SELECT p.time, p.close::double precision AS close,
    p.close::double precision / nullif(lag(p.close::double precision) OVER (ORDER BY p.time), 0) - 1 AS daily_return
  FROM price_history AS p
  WHERE p.symbol = daily_returns.symbol AND p."interval" = '1d' AND p.close IS NOT NULL
    AND p.time < daily_returns."to"
) AS r
WHERE r.time >= daily_returns."from"
ORDER BY r.time`,
  });
});

export const down = up.reverse;
