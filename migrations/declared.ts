import type { DeclaredKeys } from "../loaders/declared-keys.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { type Interval, intervalText, parseInterval } from "./interval.ts";
import { importMigration, listMigrations, phases } from "./migration-files.ts";
import type { TimescaleObject } from "./objects/object.ts";
import type { Realisation } from "./objects/realise.ts";
import type { DeclaredHypertable, MigrationContext, Operation, TimescaleMigration } from "./timescale.ts";

/** Every hypertable that a workload's migrations declare, with the span that chunks get from now on. */
export async function declaredHypertables(
  workloadDir: string,
  context: MigrationContext,
): Promise<DeclaredHypertable[]> {
  const operations = await declaredOperations(workloadDir, context);
  const latest = new Map<string, Interval>();
  for (const { chunks } of operations) if (chunks) latest.set(chunks.table, chunks.to);
  return operations.flatMap(({ hypertable }) => {
    if (!hypertable) return [];
    const { table, chunk } = hypertable;
    const given = context.hypertables?.[table]?.chunk;
    const span =
      given === undefined
        ? (latest.get(table) ?? chunk)
        : parseInterval(given, `timelift:hypertables.${table}.chunk`);
    return [{ ...hypertable, chunk: span }];
  });
}

/** Table -> age from which a workload's migrations want its chunks in the columnstore, `90 days`; on either edition. */
export async function columnstoreAges(
  workloadDir: string,
  context: MigrationContext,
): Promise<Record<string, string>> {
  const objects = await declaredObjects(workloadDir, context);
  return Object.fromEntries(
    objects.flatMap((object) =>
      object.kind === "columnstore policy" ? [[object.name, intervalText(object.after)]] : [],
    ),
  );
}

/** The keys that the migrations build, those of one table together. */
export async function declaredKeys(workloadDir: string, context: MigrationContext): Promise<DeclaredKeys[]> {
  const operations = await declaredOperations(workloadDir, context);
  const tables = new Map<string, DeclaredKeys>();
  for (const { keys } of operations) {
    if (!keys) continue;
    const { table } = keys;
    const known = tables.get(table) ?? { table, unique: [], references: [] };
    known.unique.push(...keys.unique);
    known.references.push(...keys.references);
    tables.set(table, known);
  }
  const primaryKeyOf = (table: string) => tables.get(table)?.unique[0]?.columns ?? [];
  return [...tables.values()].map((keys) => ({
    ...keys,
    references: keys.references.map((reference) => ({
      ...reference,
      to: reference.to.length > 0 ? reference.to : primaryKeyOf(reference.table),
    })),
  }));
}

/** Every object that the migrations declare, as the stack's config has it. */
export async function declaredObjects(
  workloadDir: string,
  context: MigrationContext,
): Promise<TimescaleObject[]> {
  const operations = await declaredOperations(workloadDir, context);
  return operations.flatMap(({ object }) => object?.(context) ?? []);
}

/** Every object with the way in which this edition realises it. */
export async function realisations(workloadDir: string, context: MigrationContext): Promise<Realisation[]> {
  const complete = await withDeclared(workloadDir, context);
  return (await vocabularyMigrations(workloadDir)).flatMap((migration) => migration.realisations(complete));
}

/**
 * The context with every object of the workload, once they make sense together.
 * @throws TimeliftError `reference-into-hypertable`, `guard-missing`, `object-twice`, `hypertable-settings`
 */
export async function withDeclared(
  workloadDir: string,
  context: MigrationContext,
): Promise<MigrationContext> {
  const operations = await declaredOperations(workloadDir, context);
  const declared = operations.flatMap(({ object }) => object?.(context) ?? []);
  requireOnce(declared);
  requireGuards(declared);
  requireNoNativeReference(operations);
  requireKnownSettings(operations, context);
  return { ...context, declared };
}

function requireOnce(declared: TimescaleObject[]): void {
  const seen = new Set<string>();
  for (const { kind, name } of declared) {
    if (seen.has(`${kind} ${name}`)) {
      throw new TimeliftError({
        code: "object-twice",
        subject: `${kind} ${name}`,
        problem: "two migrations declare it",
        remedy:
          "declare it once; for a change, edit the stack's config (timelift:hypertables) or choose another name",
      });
    }
    seen.add(`${kind} ${name}`);
  }
}

function requireGuards(declared: TimescaleObject[]): void {
  for (const object of declared) {
    if (object.kind !== "reference") continue;
    const wanted = object.parentColumns.slice(0, -1).join(", ");
    const has = declared.some(
      (each) => each.kind === "guard" && each.table === object.parent && each.unique.join(", ") === wanted,
    );
    if (has) continue;
    throw new TimeliftError({
      code: "guard-missing",
      subject: `reference ${object.name}`,
      problem: `no guard keeps (${wanted}) of ${object.parent} unique, so nothing says which row is meant`,
      remedy: `declare it first: db.guard("${object.parent}", { unique: [${object.parentColumns
        .slice(0, -1)
        .map((column) => `"${column}"`)
        .join(", ")}], time: "${object.parentColumns.at(-1)}" })`,
    });
  }
}

function requireNoNativeReference(operations: Operation[]): void {
  const hypertables = new Set(operations.flatMap(({ hypertable }) => hypertable?.table ?? []));
  for (const { keys, object } of operations) {
    const reference = object ? undefined : keys?.references.find(({ table }) => hypertables.has(table));
    if (!reference || !keys) continue;
    throw new TimeliftError({
      code: "reference-into-hypertable",
      subject: `foreign key of ${keys.table} (${reference.columns.join(", ")})`,
      problem: `its parent ${reference.table} is a hypertable: a native key stops compression and drop_chunks there, and on Apache refuses valid rows`,
      remedy: `db.hypertableReference("${keys.table}", { columns: […], to: "${reference.table}", toColumns: […] }), which triggers keep`,
    });
  }
}

/** A setting that nothing takes would be a wish that stays one, unseen. */
function requireKnownSettings(operations: Operation[], context: MigrationContext): void {
  const off = { ...context, hypertables: {} };
  const kinds: Record<string, TimescaleObject["kind"]> = {
    segmentBy: "columnstore",
    orderBy: "columnstore",
    columnstoreAfter: "columnstore policy",
    retention: "retention",
  };
  for (const [table, settings] of Object.entries(context.hypertables ?? {})) {
    const names = operations.flatMap(({ hypertable }) => hypertable?.table ?? []);
    const refuse = (key: string, problem: string, remedy: string) =>
      new TimeliftError({
        code: "hypertable-settings",
        subject: `timelift:hypertables.${table}${key}`,
        problem,
        remedy,
      });
    if (!names.includes(table)) {
      throw refuse(
        "",
        "no migration of the workload makes it a hypertable",
        `choose one of ${names.join(", ")}`,
      );
    }
    // Whether it is on or off, the migrations have to declare it.
    const on = { ...off, hypertables: { [table]: { retention: "on" } } };
    const objects = operations.flatMap(({ object }) => object?.(on) ?? []);
    for (const key of Object.keys(settings)) {
      const kind = kinds[key];
      if (kind === undefined || objects.some((each) => each.kind === kind && each.name === table)) continue;
      throw refuse(
        `.${key}`,
        `no migration declares a ${kind} for it`,
        "declare it in a migration, or take the key away",
      );
    }
  }
}

async function declaredOperations(workloadDir: string, context: MigrationContext): Promise<Operation[]> {
  return (await vocabularyMigrations(workloadDir)).flatMap((migration) => migration.operations(context));
}

/** The migrations of both phases that are written in the vocabulary; others declare nothing. */
async function vocabularyMigrations(workloadDir: string): Promise<TimescaleMigration[]> {
  const files = phases.flatMap((phase) => listMigrations(workloadDir, phase));
  const ups = await Promise.all(files.map(async (file) => (await importMigration(file)).up));
  return ups.filter((up): up is TimescaleMigration => "operations" in up);
}
