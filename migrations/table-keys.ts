import { quoteIdentifier as identifier } from "../loaders/identifier.ts";

/** A reference to another table's key. */
export interface Reference {
  table: string;
  /** @default the primary key of `table` */
  columns?: string[];
  /** @default no action */
  onDelete?: "cascade" | "set null" | "restrict";
}

/** The keys of one table; built by one ALTER, which reads the rows once. */
export interface KeysArgs {
  /** Columns of the primary key. On a hypertable they include its time column. */
  primary?: string[];
  /** Unique constraints. On a hypertable each includes its time column. */
  unique?: { columns: string[]; nulls?: "distinct" | "not distinct" }[];
  /** Column -> what it refers to; into a hypertable only `hypertableReference` does. */
  references?: Record<string, string | Reference>;
}

/** The statement that adds the keys, and the one that takes them away. */
export function keysSql(table: string, keys: KeysArgs): { add: string; drop: string } {
  const constraints = constraintsOf(table, keys);
  const alter = (clauses: string[]) => `ALTER TABLE ${identifier(table)}\n  ${clauses.join(",\n  ")};`;
  return {
    add: alter(constraints.map(({ name, sql }) => `ADD CONSTRAINT ${identifier(name)} ${sql}`)),
    drop: alter(constraints.map(({ name }) => `DROP CONSTRAINT IF EXISTS ${identifier(name)}`)),
  };
}

/** What a column refers to, in full. */
export function referenceOf(target: string | Reference): Reference {
  return typeof target === "string" ? { table: target } : target;
}

function constraintsOf(table: string, keys: KeysArgs): { name: string; sql: string }[] {
  const constraints: { name: string; sql: string }[] = [];
  if (keys.primary) {
    constraints.push({ name: `${table}_pkey`, sql: `PRIMARY KEY (${identifiers(keys.primary)})` });
  }
  for (const { columns, nulls = "distinct" } of keys.unique ?? []) {
    constraints.push({
      name: `${table}_${columns.join("_")}_key`,
      sql: `UNIQUE ${nulls === "not distinct" ? "NULLS NOT DISTINCT " : ""}(${identifiers(columns)})`,
    });
  }
  for (const [column, target] of Object.entries(keys.references ?? {})) {
    const reference = referenceOf(target);
    const columns = reference.columns ? ` (${identifiers(reference.columns)})` : "";
    const onDelete = reference.onDelete ? ` ON DELETE ${reference.onDelete.toUpperCase()}` : "";
    constraints.push({
      name: `${table}_${column}_fkey`,
      sql: `FOREIGN KEY (${identifier(column)}) REFERENCES ${identifier(reference.table)}${columns}${onDelete}`,
    });
  }
  return constraints;
}

function identifiers(names: string[]): string {
  return names.map(identifier).join(", ");
}
