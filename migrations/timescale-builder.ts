import type { DeclaredKeys } from "../loaders/declared-keys.ts";
import { quoteIdentifier as identifier } from "../loaders/identifier.ts";
import { intervalSql, intervalText, parseInterval } from "./interval.ts";
import { literal } from "./literal.ts";
import { setChunkInterval } from "./objects/chunk-interval.ts";
import type { TimescaleObject } from "./objects/object.ts";
import { dropTable, plainTable } from "./reversal.ts";
import { functionSql } from "./sql-function.ts";
import { indexName, indexSql } from "./table-index.ts";
import { type KeysArgs, keysSql, referenceOf } from "./table-keys.ts";
import type { HypertableArgs, MigrationContext, Operation, TimescaleBuilder } from "./timescale.ts";

/** The words of a migration; each adds what it does to `list`. */
export function builderOf(list: Operation[]): TimescaleBuilder {
  const fixed = (up: string, down: string, more: Partial<Operation> = {}) =>
    list.push({ ...more, fixed: { up: (pgm) => pgm.sql(up), down: (pgm) => pgm.sql(down) } });
  const object = (given: Operation["object"], more: Partial<Operation> = {}) =>
    list.push({ ...more, object: given });
  const settings = ({ hypertables = {} }: MigrationContext, table: string) => hypertables[table] ?? {};

  return {
    table(name, columns) {
      list.push({
        creates: name,
        fixed: {
          up: (pgm) => pgm.createTable(name, columns),
          down: (pgm) => pgm.sql(dropTable(name)),
        },
      });
    },
    hypertable(name, args) {
      const createdHere = list.some((operation) => operation.creates === name);
      list.push({
        hypertable: { table: name, ...args },
        fixed: {
          up: (pgm) => pgm.sql(createHypertable(name, args)),
          down: (pgm) => {
            if (!createdHere) pgm.sql(plainTable(name));
          },
        },
      });
      object((context) => {
        const { chunk } = settings(context, name);
        if (chunk === undefined) return null;
        const interval = parseInterval(chunk, `timelift:hypertables.${name}.chunk`);
        return { kind: "chunk interval", name, interval, declared: args.chunk };
      });
    },
    chunkInterval(table, { to, was }) {
      fixed(setChunkInterval(table, to), setChunkInterval(table, was), { chunks: { table, to } });
    },
    keys(name, args) {
      const { add, drop } = keysSql(name, args);
      fixed(add, drop, { keys: declaredKeys(name, args) });
    },
    index(table, columns, { unique = false, name } = {}) {
      fixed(
        indexSql(table, columns, unique ? "UNIQUE " : "", name),
        `DROP INDEX IF EXISTS ${identifier(indexName(table, columns, name))};`,
      );
    },
    sqlFunction(name, args) {
      const { create, drop } = functionSql(name, args);
      fixed(create, drop);
    },
    columnstore(table, args) {
      object((context) => {
        const { segmentBy = args.segmentBy, orderBy = args.orderBy } = settings(context, table);
        return { kind: "columnstore", name: table, segmentBy, ...(orderBy && { orderBy }) };
      });
    },
    columnstorePolicy(table, { after }) {
      object((context) => {
        const given = settings(context, table).columnstoreAfter;
        const age =
          given === undefined
            ? after
            : parseInterval(given, `timelift:hypertables.${table}.columnstoreAfter`);
        return { kind: "columnstore policy", name: table, after: age };
      });
    },
    continuousAggregate(name, args) {
      object(() => ({ kind: "continuous aggregate", name, ...args, query: unindented(args.query) }));
    },
    retention(table, { after, enabled = true }) {
      const key = `timelift:hypertables.${table}.retention`;
      object(
        (context) => {
          const { retention = enabled ? "on" : "off" } = settings(context, table);
          if (retention === "off") return null;
          return {
            kind: "retention",
            name: table,
            after: retention === "on" ? after : parseInterval(retention, key),
          };
        },
        {
          off: `retention ${table}: off; ${key} turns it on, for rows older than ${intervalText(after)} or another span`,
        },
      );
    },
    reorder(table, { index }) {
      object(() => ({ kind: "reorder", name: table, index }));
    },
    job(name, args) {
      object(() => ({ kind: "job", name, ...args }));
    },
    guard(table, { unique, time }) {
      const name = fitting([table, ...unique].join("_"));
      object(() => ({ kind: "guard", name, table, unique, time }), {
        keys: { table, unique: [{ columns: unique, nulls: "distinct" }], references: [] },
      });
    },
    hypertableReference(table, { columns, to, toColumns, onDelete = "no action", fillTime = false }) {
      const made: TimescaleObject = {
        ...{ kind: "reference", name: fitting(`${table}_${columns[0]}_fkey`), table, columns },
        ...{ parent: to, parentColumns: toColumns, onDelete, fillTime },
      };
      object(() => made, {
        keys: { table, unique: [], references: [{ columns, table: to, to: toColumns }] },
      });
    },
  };
}

/** No default index on time: the keys, built after the load, start with the columns that queries name. */
function createHypertable(name: string, { time, chunk }: HypertableArgs): string {
  return `SELECT create_hypertable(${literal(identifier(name))}, by_range(${literal(time)}, ${intervalSql(chunk)}),
  create_default_indexes => false, if_not_exists => true, migrate_data => true);`;
}

function declaredKeys(table: string, { primary, unique = [], references = {} }: KeysArgs): DeclaredKeys {
  return {
    table,
    unique: [
      ...(primary ? [{ columns: primary, nulls: "distinct" as const }] : []),
      ...unique.map(({ columns, nulls = "distinct" }) => ({ columns, nulls })),
    ],
    references: Object.entries(references).map(([column, target]) => {
      const reference = referenceOf(target);
      // Where it names none, `declared.ts` finds the other table's primary key.
      return { columns: [column], table: reference.table, to: reference.columns ?? [] };
    }),
  };
}

/** PostgreSQL cuts names at 63 bytes; triggers add up to 22 to the name of what they keep. */
function fitting(name: string): string {
  if (Buffer.byteLength(name) <= 41) return name;
  throw new RangeError(`the name ${name} is too long for triggers that keep it: at most 41 bytes`);
}

/** A query's lines without the indentation that all of them share. */
function unindented(query: string): string {
  const lines = query.trim().split("\n");
  const depths = lines
    .slice(1)
    .flatMap((line) => (line.trim() ? [line.length - line.trimStart().length] : []));
  const depth = depths.length > 0 ? Math.min(...depths) : 0;
  return lines.map((line, at) => (at === 0 ? line : line.slice(depth))).join("\n");
}
