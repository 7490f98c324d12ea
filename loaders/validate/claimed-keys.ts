import type pg from "pg";
import type { DeclaredKeys } from "../declared-keys.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import type { ReferenceClaim, UniqueClaim } from "./key-claims.ts";

/** What keys of a table may be the reason for a reject: those that migrations declare, and those that the target has. */
export async function keysOf(
  table: ComparedTable,
  tables: ComparedTable[],
  declared: DeclaredKeys[],
  client: pg.ClientBase,
): Promise<{ unique: UniqueClaim[]; references: ReferenceClaim[] }> {
  const of = [...declared.filter(({ table: name }) => name === table.name), await targetKeys(table, client)];
  const unique = of
    .flatMap((keys) => keys.unique)
    .flatMap(({ columns: names, nulls }): UniqueClaim[] => {
      const columns = placesOf(table, names);
      return columns === null ? [] : [{ columns, nullsDistinct: nulls === "distinct" }];
    });
  const references = of
    .flatMap((keys) => keys.references)
    .flatMap((reference): ReferenceClaim[] => {
      const parent = tables.find(({ name }) => name === reference.table);
      const columns = placesOf(table, reference.columns);
      const to = parent === undefined ? null : placesOf(parent, reference.to);
      if (parent === undefined || columns === null || to === null) return [];
      return [{ columns, parent: parent.resolved, to, rejected: [...parent.claimed.keys()] }];
    });
  return { unique, references };
}

/** Null where a column does not come from the source, or is compared by the server alone. */
function placesOf({ resolved }: ComparedTable, names: string[]): number[] | null {
  const places = names.map((name) => resolved.columns.findIndex(({ target }) => target === name));
  const isKnown = places.every((place) => place >= 0 && resolved.columns[place]?.type.kind !== "jsonb");
  return isKnown && places.length > 0 ? places : null;
}

async function targetKeys(table: ComparedTable, client: pg.ClientBase): Promise<DeclaredKeys> {
  const unique = await client.query<DeclaredKeys["unique"][number]>(
    `SELECT CASE WHEN (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean THEN 'not distinct' ELSE 'distinct' END AS nulls,
       ARRAY(SELECT attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, n)
             JOIN pg_attribute ON attrelid = i.indrelid AND attnum = number WHERE n <= i.indnkeyatts ORDER BY n) AS columns
     FROM pg_index AS i
     WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL`,
    [targetSql(table)],
  );
  const references = await client.query<DeclaredKeys["references"][number]>(
    `SELECT (SELECT relname::text FROM pg_class WHERE oid = confrelid) AS table,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, n)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY n) AS columns,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, n)
             JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY n) AS to
     FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::regclass`,
    [targetSql(table)],
  );
  return { table: table.name, unique: unique.rows, references: references.rows };
}
