import { timescale } from "../../../../../migrations/timescale.ts";

export const up = timescale((db) => {
  db.table("devices", {
    device: "text not null",
    site: "text not null",
    model: "text not null",
    settings: "jsonb not null default '{}'",
    battery: "smallint",
    mains_powered: "boolean not null",
    last_seen: "timestamptz",
  });
  db.table("firmware_installs", {
    device: "text not null",
    version: "text not null",
    installed: "timestamptz not null",
  });
  db.table("limits", {
    device: "text not null",
    metric: "text not null",
    low: "double precision",
    high: "double precision",
  });
});

export const down = up.reverse;
