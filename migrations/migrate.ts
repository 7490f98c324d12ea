import { resolve } from "node:path";
import { type RunnerOption, runner } from "node-pg-migrate";
import pg from "pg";
import { type ExclusiveWork, takeAdvisoryLock } from "../loaders/advisory-lock.ts";
import { type Connection, connect } from "../loaders/connection.ts";
import { keepBooks } from "./bookkeeping.ts";
import { withDeclared } from "./declared.ts";
import { editionOf, requireServer } from "./edition.ts";
import { type AppliedMigration, checkHistory, describeApplied } from "./history.ts";
import { connectionFailure, failure } from "./migration-error.ts";
import {
  importMigration,
  listMigrations,
  type MigrationFile,
  type Phase,
  phases,
} from "./migration-files.ts";
import { ObjectKeeper, type WantedObject } from "./object-keeper.ts";
import { rememberSql } from "./realised.ts";
import { dropRowsSetting } from "./reversal.ts";
import { recordSchema } from "./schema-record.ts";
import { StatementClient } from "./statement-client.ts";
import type { MigrationContext } from "./timescale.ts";

/** One run of one phase. */
export interface MigrateRequest {
  /** The database, as the role that owns its tables. */
  target: Connection;
  /** The folder that holds `before-load/` and `after-load/`. */
  workloadDir: string;
  phase: Phase;
  context: MigrationContext;
  /**
   * The last migration that should stand: later ones go down, earlier ones up. `null`: none should.
   * @default the last file
   */
  to?: string | null;
  /** Let a way back drop a table that holds rows. @default false */
  dropRows?: boolean;
}

/** What a run did, in the order in which it did it. */
export interface MigrateResult {
  down: string[];
  up: string[];
  applied: AppliedMigration[];
  /** `continuous aggregate ohlc_daily` -> what it is in the target. */
  realised: Record<string, string>;
}

const schema = "timelift";
/** "time" and "migr": one migrator at a time in a database. */
const migrating: ExclusiveWork = {
  key: [0x74696d65, 0x6d696772],
  code: "migration-locked",
  subject: "migration lock of the target",
  doing: "is migrating this database",
};
const tableOf = (phase: Phase) => `migrations_${phase.replace("-", "_")}`;

/**
 * Brings one phase of the target to `to`. Each migration is a transaction of its own, with its checksum.
 * Going down in the first phase takes the second phase down before it. Then the objects of what stands are brought in
 * line with edition and declaration, and the aggregates refreshed.
 * @throws TimeliftError as `connect`, `requireServer`, `withDeclared`; `migration-*`, `object-failed`, each naming the file
 */
export async function migrate(request: MigrateRequest, log: (line: string) => void): Promise<MigrateResult> {
  const client = await connect(request.target, `migrate ${request.phase}`);
  try {
    await takeAdvisoryLock(client, migrating);
    const version = await requireServer(client, editionOf(request.context));
    await keepBooks(client);
    const context = await withDeclared(request.workloadDir, { ...request.context, version });
    const result = await bringTo(client, { ...request, context }, log);
    await recordSchema(client);
    return result;
  } catch (error) {
    throw connectionFailure(error, request.phase);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The applied migrations of a phase, oldest first. */
export async function readApplied(client: pg.ClientBase, phase: Phase): Promise<AppliedMigration[]> {
  const { rows } = await client.query(
    `SELECT name, checksum, options, sql FROM ${schema}.migration_checksum WHERE phase = $1 ORDER BY name`,
    [phase],
  );
  return rows;
}

async function bringTo(
  client: pg.Client,
  request: MigrateRequest,
  log: (line: string) => void,
): Promise<MigrateResult> {
  const { phase, workloadDir, context } = request;
  const files = listMigrations(workloadDir, phase);
  const described = await Promise.all(files.map((file) => describeApplied(file, context)));
  const applied = await readApplied(client, phase);
  checkHistory(phase, described, applied);

  const last = request.to === undefined ? files.at(-1)?.name : request.to;
  const keep = files.findIndex(({ name }) => name === last) + 1;
  const result: MigrateResult = { down: [], up: [], applied: [], realised: {} };
  const { declared = [], version } = context;
  const around = { edition: editionOf(context), declared, ...(version !== undefined && { version }) };
  const objects = new ObjectKeeper(client, { phase, around, log });
  if (keep < applied.length && phase === phases[0]) {
    const second = await bringTo(client, { ...request, phase: phases[1], to: null }, log);
    result.down.push(...second.down);
  }
  for (const { name } of applied.slice(keep).reverse()) {
    const drops = await objects.leave(name);
    await step(client, request, { facts: factsOf(described, name), direction: "down", objects: drops }, log);
    result.down.push(name);
  }
  // What an interrupted run left undone, or another edition asks for, comes before anything builds on it.
  const standing = files.slice(0, Math.min(applied.length, keep));
  await objects.reconcile(await wantedObjects(standing, context));
  for (const file of files.slice(applied.length, keep)) {
    const wanted = await wantedObjects([file], context);
    const at = { phase, migration: file.name, edition: editionOf(context) };
    const remembered = wanted.map(({ realisation, position }) =>
      rememberSql(realisation, { ...at, position }),
    );
    const facts = factsOf(described, file.name);
    await step(client, request, { facts, direction: "up", objects: remembered }, log);
    await objects.settle(wanted);
    result.up.push(file.name);
  }
  result.realised = await objects.describe();
  result.applied = await readApplied(client, phase);
  return result;
}

/** One migration on its way up or down. */
interface Step {
  facts: AppliedMigration;
  direction: "up" | "down";
  /** SQL of the same transaction that remembers its objects, or drops them before what they build on. */
  objects: string[];
}

/** The objects of some migrations, as this edition realises them. */
async function wantedObjects(files: MigrationFile[], context: MigrationContext): Promise<WantedObject[]> {
  const found = await Promise.all(
    files.map(async (file) => {
      const { up } = await importMigration(file);
      const realisations = "realisations" in up ? up.realisations(context) : [];
      return realisations.map((realisation, position) => ({ migration: file.name, position, realisation }));
    }),
  );
  return found.flat();
}

function factsOf(described: AppliedMigration[], name: string): AppliedMigration {
  return described.find((file) => file.name === name) as AppliedMigration;
}

async function step(
  client: pg.Client,
  { phase, workloadDir, context, dropRows = false }: MigrateRequest,
  { facts, direction, objects }: Step,
  log: (line: string) => void,
): Promise<void> {
  const { name } = facts;
  await client.query(`SELECT set_config('${dropRowsSetting}', $1, false)`, [dropRows ? "on" : "off"]);
  const started = performance.now();
  const statements = new StatementClient(client);
  const options: RunnerOption = {
    dbClient: statements.client,
    dir: resolve(workloadDir, phase),
    migrationsTable: tableOf(phase),
    migrationsSchema: schema,
    schema: "public",
    direction,
    file: name,
    count: 1,
    singleTransaction: true,
    noLock: true,
    logger: { info() {}, warn() {}, error() {} },
    migrationLoaderStrategies: [
      {
        extensions: [".ts"],
        loader: (paths) => loadUnits(paths, { phase, workloadDir, context }, facts, objects),
      },
    ],
  };
  try {
    const run = await runner(options);
    if (run.length !== 1) throw new Error("node-pg-migrate did not run it");
  } catch (error) {
    throw failure(error, { phase, name, direction, statement: statements.failed });
  }
  log(`${direction} ${phase}/${name} (${Math.round(performance.now() - started)} ms)`);
}

/** Checksum and objects are remembered by the migration's own transaction: all stand or none does. */
async function loadUnits(
  paths: string[],
  { phase, workloadDir, context }: Pick<MigrateRequest, "phase" | "workloadDir" | "context">,
  facts: AppliedMigration,
  objects: string[],
) {
  const files = listMigrations(workloadDir, phase).filter(({ path }) => paths.includes(path));
  return Promise.all(
    files.map(async (file: MigrationFile) => {
      const { up, down } = await importMigration(file);
      const values = [phase, file.name, facts.checksum, facts.options, facts.sql].map(pg.escapeLiteral);
      const [phaseValue, nameValue] = values;
      return {
        id: file.path,
        filePaths: [file.path],
        actions: {
          up: (pgm: Parameters<typeof up>[0]) => {
            up(pgm, context);
            for (const sql of objects) pgm.sql(sql);
            pgm.sql(`INSERT INTO ${schema}.migration_checksum (phase, name, checksum, options, sql)
              VALUES (${values.join(", ")});`);
          },
          down: (pgm: Parameters<typeof down>[0]) => {
            for (const sql of objects) pgm.sql(sql);
            down(pgm, context);
            pgm.sql(
              `DELETE FROM ${schema}.migration_checksum WHERE phase = ${phaseValue} AND name = ${nameValue};`,
            );
          },
        },
      };
    }),
  );
}
