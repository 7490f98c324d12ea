import { quoteIdentifier as identifier } from "../loaders/identifier.ts";
import { literal } from "./literal.ts";

/** Session setting that lets a way back drop a table that holds rows. */
export const dropRowsSetting = "timelift.drop_rows";

/** Drops a table that a migration created; refused with rows in it unless the session says otherwise. */
export function dropTable(name: string): string {
  return `DO $timelift$
BEGIN
  IF current_setting('${dropRowsSetting}', true) IS DISTINCT FROM 'on'
     AND EXISTS (SELECT FROM ${identifier(name)}) THEN
    RAISE EXCEPTION USING ERRCODE = 'TL001', TABLE = ${literal(name)},
      MESSAGE = ${literal(`table ${name} holds rows`)};
  END IF;
END
$timelift$;
DROP TABLE ${identifier(name)};`;
}

/**
 * TimescaleDB has no inverse of create_hypertable: the rows go into a plain table of the same name,
 * with its defaults, constraints, indexes, identity and foreign keys. A table that others refer to is
 * refused by DROP TABLE itself, before a row is lost.
 */
export function plainTable(name: string): string {
  return `DO $timelift$
DECLARE
  foreign_keys text[];
  clause text;
  sequence record;
BEGIN
  IF NOT EXISTS (SELECT FROM timescaledb_information.hypertables
                 WHERE hypertable_schema = current_schema() AND hypertable_name = ${literal(name)}) THEN
    RETURN;
  END IF;
  SELECT array_agg(format('ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))) INTO foreign_keys
    FROM pg_constraint WHERE conrelid = ${literal(identifier(name))}::regclass AND contype = 'f';
  CREATE TABLE timelift_plain (LIKE ${identifier(name)} INCLUDING ALL);
  INSERT INTO timelift_plain OVERRIDING SYSTEM VALUE SELECT * FROM ${identifier(name)};
  FOR sequence IN
    SELECT attname, pg_get_serial_sequence('timelift_plain', attname) AS new,
           pg_sequence_last_value(pg_get_serial_sequence(${literal(identifier(name))}, attname)::regclass) AS last
      FROM pg_attribute WHERE attrelid = 'timelift_plain'::regclass AND attidentity <> '' AND NOT attisdropped
  LOOP
    IF sequence.last IS NOT NULL THEN PERFORM setval(sequence.new, sequence.last); END IF;
  END LOOP;
  DROP TABLE ${identifier(name)};
  ALTER TABLE timelift_plain RENAME TO ${identifier(name)};
  FOREACH clause IN ARRAY coalesce(foreign_keys, '{}') LOOP
    EXECUTE format('ALTER TABLE %I %s', ${literal(name)}, clause);
  END LOOP;
END
$timelift$;`;
}
