import { resolve } from "node:path";
import { type RunnerOption, runner } from "node-pg-migrate";
import pg from "pg";
import { type ExclusiveWork, takeAdvisoryLock } from "../loaders/advisory-lock.ts";
import { type Connection, connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { editionOf, requireEdition } from "./edition.ts";
import { type AppliedMigration, checkHistory, describeApplied } from "./history.ts";
import {
  importMigration,
  listMigrations,
  type MigrationFile,
  type Phase,
  phases,
} from "./migration-files.ts";
import { renderUp } from "./render.ts";
import { dropRowsSetting } from "./reversal.ts";
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
 * Going down in the first phase takes the second phase down before it.
 * @throws TimeliftError `edition-mismatch`; `migration-*`, each naming the file
 */
export async function migrate(request: MigrateRequest, log: (line: string) => void): Promise<MigrateResult> {
  const client = await connect(request.target, `migrate ${request.phase}`);
  try {
    await takeAdvisoryLock(client, migrating);
    await requireEdition(client, editionOf(request.context));
    await ensureHistory(client);
    return await bringTo(client, request, log);
  } finally {
    await client.end();
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
  const described = await Promise.all(
    files.map(async (file) => describeApplied(file, context, await renderUp(file, context))),
  );
  const applied = await readApplied(client, phase);
  checkHistory(phase, described, applied);

  const last = request.to === undefined ? files.at(-1)?.name : request.to;
  const keep = files.findIndex(({ name }) => name === last) + 1;
  const result: MigrateResult = { down: [], up: [], applied: [] };
  if (keep < applied.length && phase === phases[0]) {
    const second = await bringTo(client, { ...request, phase: phases[1], to: null }, log);
    result.down.push(...second.down);
  }
  for (const { name } of applied.slice(keep).reverse()) {
    await step(client, request, described, "down", name, log);
    result.down.push(name);
  }
  for (const { name } of files.slice(applied.length, keep)) {
    await step(client, request, described, "up", name, log);
    result.up.push(name);
  }
  result.applied = await readApplied(client, phase);
  return result;
}

async function step(
  client: pg.Client,
  { phase, workloadDir, context, dropRows = false }: MigrateRequest,
  described: AppliedMigration[],
  direction: "up" | "down",
  name: string,
  log: (line: string) => void,
): Promise<void> {
  const facts = described.find((file) => file.name === name) as AppliedMigration;
  await client.query(`SELECT set_config('${dropRowsSetting}', $1, false)`, [dropRows ? "on" : "off"]);
  const started = performance.now();
  const options: RunnerOption = {
    dbClient: client,
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
      { extensions: [".ts"], loader: (paths) => loadUnits(paths, phase, workloadDir, context, facts) },
    ],
  };
  try {
    const run = await runner(options);
    if (run.length !== 1) throw new Error("node-pg-migrate did not run it");
  } catch (error) {
    throw failure(error, phase, name, direction);
  }
  log(`${direction} ${phase}/${name} (${Math.round(performance.now() - started)} ms)`);
}

/** The checksum is written by the migration's own transaction: both stand or neither does. */
async function loadUnits(
  paths: string[],
  phase: Phase,
  workloadDir: string,
  context: MigrationContext,
  facts: AppliedMigration,
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
            pgm.sql(`INSERT INTO ${schema}.migration_checksum (phase, name, checksum, options, sql)
              VALUES (${values.join(", ")});`);
          },
          down: (pgm: Parameters<typeof down>[0]) => {
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

async function ensureHistory(client: pg.Client): Promise<void> {
  await client.query(`CREATE TABLE IF NOT EXISTS ${schema}.migration_checksum (
    phase text NOT NULL, name text NOT NULL, checksum text NOT NULL, options text NOT NULL, sql text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT current_timestamp, PRIMARY KEY (phase, name))`);
}

function failure(error: unknown, phase: Phase, name: string, direction: "up" | "down"): TimeliftError {
  const cause = error as pg.DatabaseError;
  const subject = `migrations ${phase}/${name} (${direction})`;
  if (cause.code === "TL001") {
    return new TimeliftError({
      code: "migration-rows",
      subject,
      problem: `${cause.message}; dropping it would lose them`,
      remedy: `keep it, or say so: timelift migrate down ${name} --drop-rows`,
      cause,
    });
  }
  if (cause.code === "42P07") {
    return new TimeliftError({
      code: "target-occupied",
      subject,
      problem: `${cause.message}, and no migration of timelift made it`,
      remedy: "choose an empty database (timelift:database), or move what stands there out of the way",
      cause,
    });
  }
  const detail = cause.detail ? ` (${cause.detail})` : "";
  const hint = cause.hint ? ` PostgreSQL's hint: ${cause.hint}` : "";
  return new TimeliftError({
    code: "migration-failed",
    subject,
    problem: `${cause.message}${detail}${cause.code ? `, SQLSTATE ${cause.code}` : ""}; nothing of it was applied`,
    remedy: `mend the cause and run again; earlier migrations stand.${hint}`,
    cause,
  });
}
