import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.keys("stocks", { primary: ["symbol"] });
  db.keys("stock_info", { primary: ["symbol"], references: { symbol: "stocks" } });
  db.keys("strategies", { primary: ["id"], unique: [{ columns: ["name"] }] });
  db.keys("strategy_presets", {
    primary: ["id"],
    unique: [{ columns: ["strategy_id", "name"] }],
    references: { strategy_id: "strategies" },
  });
  db.index("strategy_presets", ["name"]);
  db.keys("autots_models", { primary: ["id"], unique: [{ columns: ["name"] }] });
  db.keys("autots_presets", { primary: ["id"], unique: [{ columns: ["name"] }] });
});

export const down = up.reverse;
