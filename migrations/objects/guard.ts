import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
import type { ObjectCheck, ObjectKind } from "./object.ts";

/** A uniqueness that a table has without regard to time, and that no index of a hypertable can keep. */
export interface GuardArgs {
  /** Columns whose values, together, stand in one row only; rows with a NULL among them are free. */
  unique: string[];
}

/** A small table (unique key -> time), kept by triggers: the second row with the same key is refused with 23505. */
export interface Guard extends GuardArgs {
  kind: "guard";
  name: string;
  /** The hypertable. */
  table: string;
  /** Its time column. */
  time: string;
}

/** The schema of guards, apart from the application's own tables. */
export const guardSchema = "timelift_guard";

/** `timelift_guard."signals_dedupe_key"`: the table, and the function of its triggers. */
export function guardName(table: string, unique: string[]): string {
  return `${guardSchema}.${identifier([table, ...unique].join("_"))}`;
}

/**
 * The functions run with the owner's rights: an application needs none on the guard. They work after the row, so
 * that a row which ON CONFLICT turns away does not count. A guard's trigger goes before those of references
 * (triggers of one event go by name).
 */
export const guard: ObjectKind<Guard> = {
  choose: () => ({
    as: "fallback",
    reason: "a unique index of a hypertable has to include its time column",
  }),
  fallback: (object) => ({
    how: `unique (${object.unique.join(", ")}) kept by triggers`,
    create: create(object),
    drop: [
      ...triggersOf(object).map(
        ({ name }) => `DROP TRIGGER IF EXISTS ${identifier(name)} ON ${identifier(object.table)};`,
      ),
      `DROP FUNCTION IF EXISTS ${guardName(object.table, object.unique)}();`,
      `DROP TABLE IF EXISTS ${guardName(object.table, object.unique)};`,
    ],
    checks: [check(object)],
  }),
};

function triggersOf({ table, unique }: Guard): { name: string; event: string }[] {
  const name = `timelift_guard_${[table, ...unique].join("_")}`;
  return [
    { name, event: `AFTER INSERT OR UPDATE OR DELETE ON ${identifier(table)} FOR EACH ROW` },
    { name: `${name}_all`, event: `AFTER TRUNCATE ON ${identifier(table)} FOR EACH STATEMENT` },
  ];
}

function create(object: Guard): string[] {
  const { table, unique, time } = object;
  const name = guardName(table, unique);
  const columns = [...unique, time].map(identifier);
  const of = (row: string) => columns.map((column) => `${row}.${column}`).join(", ");
  const isThere = (row: string) =>
    unique.map((column) => `${row}.${identifier(column)} IS NOT NULL`).join(" AND ");
  const same = unique
    .map((column) => `${identifier(column)} = OLD.${identifier(column)}`)
    .concat(`${identifier(time)} = OLD.${identifier(time)}`)
    .join(" AND ");
  return [
    `CREATE SCHEMA IF NOT EXISTS ${guardSchema};`,
    // In two steps: CREATE TABLE AS from chunks in the columnstore may fail in TimescaleDB 2.29 (pfree, XX000).
    `CREATE TABLE ${name} AS SELECT ${columns.join(", ")} FROM ${identifier(table)} WITH NO DATA;`,
    `INSERT INTO ${name} SELECT ${columns.join(", ")} FROM ${identifier(table)} WHERE ${isThere(identifier(table))};`,
    `ALTER TABLE ${name} ADD PRIMARY KEY (${unique.map(identifier).join(", ")}), ALTER COLUMN ${identifier(time)} SET NOT NULL;`,
    `SELECT timelift.share_reading(${literal(identifier(table))}, ${literal(name)});`,
    `CREATE FUNCTION ${name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $timelift$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM ${name};
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF (${of("NEW")}) IS NOT DISTINCT FROM (${of("OLD")}) THEN RETURN NULL; END IF;
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN DELETE FROM ${name} WHERE ${same}; END IF;
  IF TG_OP IN ('UPDATE', 'INSERT') AND ${isThere("NEW")} THEN
    INSERT INTO ${name} (${columns.join(", ")}) VALUES (${of("NEW")});
  END IF;
  RETURN NULL;
END
$timelift$;`,
    ...triggersOf(object).map(
      (trigger) => `CREATE TRIGGER ${identifier(trigger.name)} ${trigger.event} EXECUTE FUNCTION ${name}();`,
    ),
  ];
}

function check(object: Guard): ObjectCheck {
  const { table, unique } = object;
  const names = triggersOf(object).map(({ name }) => literal(name));
  return {
    expected: "one entry for each row",
    sql: `SELECT triggers = ${names.length} AND entries = rows AS pass,
  format('%s entries for %s rows, %s of ${names.length} triggers', entries, rows, triggers) AS actual
FROM (SELECT
  (SELECT count(*) FROM ${guardName(table, unique)}) AS entries,
  (SELECT count(*) FROM ${identifier(table)} WHERE ${unique.map((column) => `${identifier(column)} IS NOT NULL`).join(" AND ")}) AS rows,
  (SELECT count(*) FROM pg_trigger WHERE tgrelid = ${literal(identifier(table))}::regclass
     AND tgname IN (${names.join(", ")}) AND tgenabled <> 'D') AS triggers) AS found`,
  };
}
