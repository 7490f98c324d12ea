import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
import { guardName, guardSchema } from "./guard.ts";
import type { ObjectCheck, ObjectKind } from "./object.ts";

/** A foreign key whose parent is a hypertable. */
export interface HypertableReferenceArgs {
  /** The columns that refer, the time last. A NULL among them refers to nothing. */
  columns: string[];
  /** The hypertable. */
  to: string;
  /** Its columns, in the same order: those of a guard, then the time column. */
  toColumns: string[];
  /** What becomes of rows whose parent is deleted. @default no action: the delete is refused */
  onDelete?: "cascade" | "no action";
  /**
   * Whether a row that comes without the time gets it looked up by the other columns; an application that knows nothing
   * of the time column then works on.
   * @default false
   */
  fillTime?: boolean;
}

/** A foreign key into a hypertable, kept by triggers. */
export interface Reference {
  kind: "reference";
  name: string;
  /** The table that refers. */
  table: string;
  columns: string[];
  /** The hypertable. */
  parent: string;
  parentColumns: string[];
  onDelete: "cascade" | "no action";
  fillTime: boolean;
}

/**
 * Native foreign keys into a hypertable fail, edition by edition: Apache 2.19 refuses valid inserts from the sixth of
 * a session, Community's compress_chunk, drop_chunks and retention fail. So triggers keep it on both. They look at the
 * parent's guard and lock its entry, so that no parent goes while a child comes.
 */
export const reference: ObjectKind<Reference> = {
  choose: () => ({
    as: "fallback",
    reason: "a native foreign key into a hypertable stops compression and drop_chunks, or refuses valid rows",
  }),
  fallback: (object) => ({
    how: `(${object.columns.join(", ")}) → ${object.parent} (${object.parentColumns.join(", ")}), on delete ${object.onDelete}, kept by triggers`,
    create: create(object),
    drop: triggersOf(object).flatMap(({ name, table }) => [
      `DROP TRIGGER IF EXISTS ${identifier(name)} ON ${identifier(table)};`,
      `DROP FUNCTION IF EXISTS ${guardSchema}.${identifier(name)}();`,
    ]),
    checks: [check(object)],
  }),
};

interface Trigger {
  name: string;
  table: string;
  event: string;
  body: string;
}

function create(object: Reference): string[] {
  const { table, parent, columns, name } = object;
  return [
    ...triggersOf(object).flatMap((trigger) => [
      `CREATE FUNCTION ${guardSchema}.${identifier(trigger.name)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $timelift$
BEGIN
${trigger.body}
END
$timelift$;`,
      `CREATE TRIGGER ${identifier(trigger.name)} ${trigger.event} EXECUTE FUNCTION ${guardSchema}.${identifier(trigger.name)}();`,
    ]),
    `DO $timelift$
DECLARE orphan text;
BEGIN
  SELECT concat_ws(', ', ${columns.map((column) => `child.${identifier(column)}`).join(", ")}) INTO orphan
    FROM ${identifier(table)} AS child WHERE ${orphans(object)} LIMIT 1;
  IF orphan IS NOT NULL THEN
    RAISE foreign_key_violation USING CONSTRAINT = ${literal(name)}, TABLE = ${literal(table)},
      MESSAGE = format('key (${columns.join(", ")}) = (%s) of ${table} is not in ${parent}', orphan);
  END IF;
END
$timelift$;`,
  ];
}

function triggersOf(object: Reference): Trigger[] {
  const { name, table, columns, parent, parentColumns, onDelete, fillTime } = object;
  const guard = guardName(parent, parentColumns.slice(0, -1));
  const pairs = (row: string) =>
    columns.map((column, at) => `${identifier(parentColumns[at] ?? "")} = ${row}.${identifier(column)}`);
  const present = columns.map((column) => `NEW.${identifier(column)} IS NOT NULL`).join(" AND ");
  const ofParent = columns
    .map((column, at) => `${identifier(column)} = OLD.${identifier(parentColumns[at] ?? "")}`)
    .join(" AND ");
  const violation = (message: string, row: string, of: string[]) =>
    `RAISE foreign_key_violation USING CONSTRAINT = ${literal(name)}, TABLE = ${literal(table)}, SCHEMA = 'public',
      MESSAGE = ${literal(message)},
      DETAIL = format(${literal(`Key (${of.join(", ")})=(%s).`)}, concat_ws(', ', ${of.map((column) => `${row}.${identifier(column)}`).join(", ")}));`;
  const refused = violation(
    `insert or update on table "${table}" violates foreign key "${name}": no such row in "${parent}"`,
    "NEW",
    columns,
  );
  const held = violation(
    `update or delete on table "${parent}" violates foreign key "${name}" on table "${table}"`,
    "OLD",
    parentColumns,
  );
  const triggers: Trigger[] = [
    {
      name: `timelift_ref_${name}_check`,
      table,
      event: `AFTER INSERT OR UPDATE OF ${columns.map(identifier).join(", ")} ON ${identifier(table)}
  FOR EACH ROW WHEN (${present})`,
      body: `  PERFORM FROM ${guard} WHERE ${pairs("NEW").join(" AND ")} FOR KEY SHARE;
  IF NOT FOUND THEN
    ${refused}
  END IF;
  RETURN NULL;`,
    },
    {
      name: `timelift_ref_${name}_delete`,
      table: parent,
      event: `AFTER DELETE ON ${identifier(parent)} FOR EACH ROW`,
      body:
        onDelete === "cascade"
          ? `  DELETE FROM ${identifier(table)} WHERE ${ofParent};\n  RETURN NULL;`
          : `  IF EXISTS (SELECT FROM ${identifier(table)} WHERE ${ofParent}) THEN
    ${held}
  END IF;
  RETURN NULL;`,
    },
    {
      name: `timelift_ref_${name}_update`,
      table: parent,
      event: `AFTER UPDATE ON ${identifier(parent)} FOR EACH ROW`,
      body: `  IF (${parentColumns.map((column) => `NEW.${identifier(column)}`).join(", ")}) IS DISTINCT FROM
     (${parentColumns.map((column) => `OLD.${identifier(column)}`).join(", ")})
     AND EXISTS (SELECT FROM ${identifier(table)} WHERE ${ofParent}) THEN
    ${held}
  END IF;
  RETURN NULL;`,
    },
  ];
  triggers.push({
    name: `timelift_ref_${name}_truncate`,
    table: parent,
    event: `AFTER TRUNCATE ON ${identifier(parent)} FOR EACH STATEMENT`,
    body: `  IF EXISTS (SELECT FROM ${identifier(table)} WHERE ${columns.map((column) => `${identifier(column)} IS NOT NULL`).join(" AND ")}) THEN
    RAISE foreign_key_violation USING CONSTRAINT = ${literal(name)}, TABLE = ${literal(table)}, SCHEMA = 'public',
      MESSAGE = ${literal(`cannot truncate "${parent}": rows of "${table}" refer to it`)};
  END IF;
  RETURN NULL;`,
  });
  if (fillTime) {
    const time = identifier(columns.at(-1) ?? "");
    const key = columns.slice(0, -1).map((column) => `NEW.${identifier(column)} IS NOT NULL`);
    triggers.unshift({
      name: `timelift_ref_${name}_fill`,
      table,
      event: `BEFORE INSERT ON ${identifier(table)} FOR EACH ROW
  WHEN (NEW.${time} IS NULL AND ${key.join(" AND ")})`,
      body: `  SELECT ${identifier(parentColumns.at(-1) ?? "")} INTO NEW.${time} FROM ${guard}
    WHERE ${pairs("NEW").slice(0, -1).join(" AND ")};
  IF NOT FOUND THEN
    ${refused}
  END IF;
  RETURN NEW;`,
    });
  }
  return triggers;
}

/** Rows of `child` that refer to nothing. */
function orphans({ columns, parent, parentColumns }: Reference): string {
  const pairs = columns.map(
    (column, at) => `found.${identifier(parentColumns[at] ?? "")} = child.${identifier(column)}`,
  );
  return `${columns.map((column) => `child.${identifier(column)} IS NOT NULL`).join(" AND ")}
    AND NOT EXISTS (SELECT FROM ${identifier(parent)} AS found WHERE ${pairs.join(" AND ")})`;
}

function check(object: Reference): ObjectCheck {
  const triggers = triggersOf(object);
  const there = triggers.map(
    ({ name, table }) => `(${literal(identifier(table))}::regclass, ${literal(name)}::name)`,
  );
  return {
    expected: "0 orphans",
    sql: `SELECT orphans = 0 AND triggers = ${triggers.length} AS pass,
  format('%s orphans, %s of ${triggers.length} triggers', orphans, triggers) AS actual
FROM (SELECT
  (SELECT count(*) FROM ${identifier(object.table)} AS child WHERE ${orphans(object)}) AS orphans,
  (SELECT count(*) FROM pg_trigger WHERE (tgrelid::regclass, tgname) IN (${there.join(", ")})
     AND tgenabled <> 'D') AS triggers) AS found`,
  };
}
