import Database from "better-sqlite3";

/** The schema that an IoT application keeps in SQLite: times as numbers, ids and names as texts. */
const schema = `
  CREATE TABLE devices (
    device TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    model TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}',   -- JSON
    battery INTEGER DEFAULT '',            -- percent; '' where it hangs on the mains
    firmware TEXT,
    firmware_at INTEGER,                   -- seconds
    last_seen INTEGER                      -- milliseconds
  );
  CREATE TABLE readings (
    site TEXT NOT NULL,
    device TEXT NOT NULL REFERENCES devices,
    metric TEXT NOT NULL,
    ts INTEGER NOT NULL,                   -- milliseconds
    value REAL,                            -- NULL: the sensor failed
    message_id TEXT NOT NULL UNIQUE,       -- a gateway sends again what was not acknowledged
    PRIMARY KEY (site, device, metric, ts)
  ) WITHOUT ROWID;
  CREATE TABLE alarms (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,              -- the reading that raised it
    raised_at INTEGER NOT NULL,            -- milliseconds
    level TEXT NOT NULL,
    note TEXT
  );`;

const firstMs = Date.UTC(2025, 2, 1);
const minuteMs = 60_000;
const metrics = ["humidity", "temperature"];
/** A sensor fails, and raises an alarm, once in so many readings. */
const failsEvery = 997;

/** How much an IoT source holds. */
export interface IotSourceArgs {
  /** Days from 2025-03-01 on; a reading a minute, of two metrics. @default 4 */
  days?: number;
  /** Devices at each of the two sites. @default 3 */
  devices?: number;
}

/** Rows of each source table. */
export interface IotRows {
  devices: number;
  /** Devices whose firmware is known. */
  withFirmware: number;
  readings: number;
  alarms: number;
}

/** Writes an IoT application's SQLite file, the same one every time. */
export function buildIotSource(path: string, { days = 4, devices = 3 }: IotSourceArgs = {}): IotRows {
  const source = new Database(path);
  source.exec(schema);
  const insertDevice = source.prepare("INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const insertReading = source.prepare("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)");
  const insertAlarm = source.prepare(
    "INSERT INTO alarms (message_id, raised_at, level, note) VALUES (?, ?, ?, ?)",
  );
  const rows: IotRows = { devices: 0, withFirmware: 0, readings: 0, alarms: 0 };
  const minutes = days * 24 * 60;
  source.transaction(() => {
    for (const site of ["berlin", "oslo"]) {
      for (let number = 1; number <= devices; number += 1) {
        const device = `${site}-${number}`;
        const firmware = number === 2 ? null : `1.${number}.0`;
        insertDevice.run(
          ...[device, site, "thermo mini", JSON.stringify({ every: 60, unit: "°C", led: number === 1 })],
          ...[number === 1 ? "" : 100 - number, firmware, firmware && firstMs / 1000 - number * 86_400],
          firstMs + minutes * minuteMs,
        );
        rows.devices += 1;
        rows.withFirmware += firmware === null ? 0 : 1;
        for (let minute = 0; minute < minutes; minute += 1) {
          for (const metric of metrics) {
            const serial = rows.readings;
            const ts = firstMs + minute * minuteMs + ((serial * 7919) % 1000);
            const wave = Math.sin((2 * Math.PI * minute) / 1440) + number / 10;
            const value = Math.round(100 * (metric === "humidity" ? 50 + 20 * wave : 20 + 8 * wave)) / 100;
            const fails = serial % failsEvery === failsEvery - 1;
            const message = `${device}:${serial.toString(36).padStart(5, "0")}`;
            insertReading.run(site, device, metric, ts, fails ? null : value, message);
            rows.readings += 1;
            if (!fails) continue;
            insertAlarm.run(message, ts + 1500, number === 1 ? "critical" : "warning", null);
            rows.alarms += 1;
          }
        }
      }
    }
  })();
  source.close();
  return rows;
}
