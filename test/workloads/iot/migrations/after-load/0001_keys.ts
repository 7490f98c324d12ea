import { timescale } from "../../../../../migrations/timescale.ts";

export const up = timescale((db) => {
  const references = { device: "devices" };
  db.keys("devices", { primary: ["device"] });
  db.keys("firmware_installs", { primary: ["device", "version"], references });
  db.keys("limits", { primary: ["device", "metric"], references });
  db.keys("readings", { primary: ["site", "device", "metric", "taken"], references });
  db.index("readings", ["device", "taken desc"]);
  db.keys("alarms", { primary: ["id"] });
  db.index("alarms", ["message_id"]);
});

export const down = up.reverse;
