import { resolve } from "node:path";
import { type RunnerOption, runner } from "node-pg-migrate";
import pg from "pg";
import { type Connection, connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
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
const tableOf = (phase: Phase) => `migrations_${phase.replace("-", "_")}`;

/**
 * Brings one phase of the target to `to`. Each migration is a transaction of its own, with its checksum.
 * Going down in the first phase takes the second phase down before it.
 * @throws TimeliftError `migration-*`, each naming the file
 */
export async function migrate(request: MigrateRequest, log: (line: string) => void): Promise<MigrateResult> {
  const client = await connect(request.target, `migrate ${request.phase}`);
  try {
    await lock(client);
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
      const remember = (sql: string, values: string[]) =>
        `${sql.replace(/\$(\d)/g, (_, n) => pg.escapeLiteral(values[Number(n) - 1] as string))};`;
      return {
        id: file.path,
        filePaths: [file.path],
        actions: {
          up: (pgm: Parameters<typeof up>[0]) => {
            up(pgm, context);
            pgm.sql(
              remember(
                `INSERT INTO ${schema}.migration_checksum (phase, name, checksum, options, sql) VALUES ($1, $2, $3, $4, $5)`,
                [phase, file.name, facts.checksum, facts.options, facts.sql],
              ),
            );
          },
          down: (pgm: Parameters<typeof down>[0]) => {
            down(pgm, context);
            pgm.sql(
              remember(`DELETE FROM ${schema}.migration_checksum WHERE phase = $1 AND name = $2`, [
                phase,
                file.name,
              ]),
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

/** Waits half a minute, since the child of a killed update may still be finishing its step. */
async function lock(client: pg.Client): Promise<void> {
  await client.query("SET lock_timeout = '30s'");
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('timelift migrate'))");
  } catch (error) {
    const { rows } = await client.query(
      `SELECT pid, application_name, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND application_name LIKE 'timelift migrate%'`,
    );
    const holder = rows[0]
      ? `backend ${rows[0].pid} (${rows[0].application_name}, since ${rows[0].backend_start.toISOString()})`
      : "another connection";
    throw new TimeliftError({
      code: "migration-locked",
      subject: "migrations",
      problem: `${holder} is migrating this database`,
      remedy: "wait until it is done, then run again",
      cause: error,
    });
  }
  await client.query("SET lock_timeout = 0");
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
