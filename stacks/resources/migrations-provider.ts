import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { editionOf } from "../../migrations/edition.ts";
import { checkHistory, describeApplied, formatApplied, parseApplied } from "../../migrations/history.ts";
import type { MigrateRequest, MigrateResult } from "../../migrations/migrate.ts";
import { listMigrations, type Phase, phases } from "../../migrations/migration-files.ts";
import { renderUp } from "../../migrations/render.ts";
import { findWorkload, type Workload } from "../workload.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import type { MigrationsArgs } from "./migrations.ts";

/** What `check` adds: the migrations that should stand, and the SQL that each of them is. */
interface Plan {
  /** Name -> its checksums. */
  files: Record<string, string>;
  sql: Record<string, string[]>;
  /** Names of migrations that `to` leaves down. */
  down: string[];
}
type Inputs = Omit<MigrationsArgs, "password"> & Plan & { password: string };
type Outputs = Inputs & { applied: string[]; held: string[] };

export function check(olds: Partial<Inputs>, news: Inputs): Promise<pulumi.dynamic.CheckResult> {
  return checked("phase", news, async () => {
    const { migrationsDir, context } = await workloadFor(news);
    const standing = standingFiles(migrationsDir, news.phase, news.to);
    const plan: Plan = { files: {}, sql: {}, down: [] };
    const described = [];
    for (const file of listMigrations(migrationsDir, news.phase)) {
      const sql = await renderUp(file, context);
      const facts = describeApplied(file, context, sql);
      described.push(facts);
      if (!standing.has(file.name)) {
        plan.down.push(file.name);
        continue;
      }
      plan.files[file.name] = formatApplied(facts);
      plan.sql[file.name] = sql;
    }
    const past = Object.entries(olds.files ?? {}).map(([name, text]) => parseApplied(name, text));
    checkHistory(news.phase, described, past);
    return plan;
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<pulumi.dynamic.DiffResult> {
  const wanted = Object.keys(news.files).sort();
  const changes =
    !isDeepStrictEqual(wanted, olds.applied) ||
    !isDeepStrictEqual(news.down, olds.held) ||
    editionOf(olds) !== editionOf(news) ||
    olds.target.database !== news.target.database;
  return { changes };
}

export async function create(inputs: Inputs): Promise<pulumi.dynamic.CreateResult> {
  return { id: inputs.phase, outs: await apply(inputs) };
}

export async function update(
  _id: string,
  _olds: Outputs,
  news: Inputs,
): Promise<pulumi.dynamic.UpdateResult> {
  return { outs: await apply(news) };
}

/** The target's tables stay: taking migrations down is explicit, never a side effect of destroy. */
export async function remove(): Promise<void> {}

async function apply(inputs: Inputs): Promise<Outputs> {
  const { migrationsDir, context } = await workloadFor(inputs);
  const request: MigrateRequest = {
    target: { ...inputs.target, user: "timelift_owner", password: inputs.password },
    workloadDir: migrationsDir,
    phase: inputs.phase,
    context,
    to: Object.keys(inputs.files).sort().at(-1) ?? null,
    dropRows: inputs.dropRows,
  };
  const { applied } = await runCommand<MigrateResult>(["migrate", "apply"], request);
  return { ...inputs, applied: applied.map(({ name }) => name), held: inputs.down };
}

async function workloadFor({ workload, edition }: Inputs): Promise<Workload> {
  const found = await findWorkload(workload);
  return { ...found, context: { ...found.context, edition } };
}

/** `to` names a migration of either phase; everything after it, in run order, should not stand. */
function standingFiles(workloadDir: string, phase: Phase, to: string | undefined): Set<string> {
  const all = phases.flatMap((each) =>
    listMigrations(workloadDir, each).map(({ name }) => ({ phase: each, name })),
  );
  const found = all.filter((file) => file.name === to || `${file.phase}/${file.name}` === to);
  const target = found[0];
  if (to && (found.length > 1 || !target)) {
    throw new TimeliftError({
      code: "migrate-to",
      subject: `timelift:migrateTo = ${to}`,
      problem: target ? "both phases have a migration of that name" : "there is no such migration",
      remedy: `choose one of ${all.map((file) => `${file.phase}/${file.name}`).join(", ")}`,
    });
  }
  const end = target ? all.indexOf(target) + 1 : all.length;
  return new Set(all.slice(0, end).flatMap((file) => (file.phase === phase ? [file.name] : [])));
}
