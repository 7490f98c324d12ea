import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  const references = { symbol: "stocks" };
  db.keys("price_history", { primary: ["symbol", "time", "interval"], references });
  db.keys("dividends", { primary: ["symbol", "time"], references });
  db.keys("splits", { primary: ["symbol", "time"], references });
  for (const table of ["options_calls", "options_puts"]) {
    db.keys(table, {
      primary: ["id", "expiration_date"],
      unique: [
        { columns: ["symbol", "expiration_date", "strike", "contract_symbol"], nulls: "not distinct" },
      ],
      references,
    });
  }
});

export const down = up.reverse;
