import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { withDeclared } from "../../migrations/declared.ts";
import { editionOf } from "../../migrations/edition.ts";
import { checkHistory, describeApplied, formatApplied, parseApplied } from "../../migrations/history.ts";
import { lossText, tableLosses } from "../../migrations/losses.ts";
import type { MigrateRequest, MigrateResult } from "../../migrations/migrate.ts";
import { importMigration, listMigrations, type Phase, phases } from "../../migrations/migration-files.ts";
import { describeRealisation, makingsOf, titleOf } from "../../migrations/objects/realise.ts";
import { renderDown, renderUp } from "../../migrations/render.ts";
import { findWorkload, type Workload } from "../workload.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import { isElsewhere } from "./endpoint.ts";
import type { MigrationsArgs } from "./migrations.ts";

/** What `check` adds: the migrations that should stand, and the SQL that each of them is. */
interface Plan {
  /** Name -> its checksums. */
  files: Record<string, string>;
  sql: Record<string, string[]>;
  /** Aggregate, policy, guard … -> what it becomes on this edition; a change is reconciled by the next up. */
  objects: Record<string, string>;
  /** The same -> digest of what it is made of; another one is dropped and made anew. */
  makings: Record<string, string>;
  /** Names of migrations that `to` leaves down. */
  down: string[];
  /** Name of a migration that stands and will go down -> the SQL of its way back. */
  back?: Record<string, string[]>;
}
type Inputs = Omit<MigrationsArgs, "password" | "loaded"> & Plan & { password: string; loaded?: string };
type Outputs = Inputs & { applied: string[]; held: string[]; realised: Record<string, string> };

export function check(olds: Partial<Inputs>, news: Inputs): Promise<pulumi.dynamic.CheckResult> {
  return checked("phase", news, async () => {
    const { migrationsDir, context: given } = await workloadFor(news);
    const context = await withDeclared(migrationsDir, given);
    const standing = standingFiles(migrationsDir, news.phase, news.to);
    const plan: Plan = { files: {}, sql: {}, objects: {}, makings: {}, down: [] };
    const described = [];
    const realised = [];
    const back: Record<string, string[]> = {};
    for (const file of listMigrations(migrationsDir, news.phase)) {
      const facts = await describeApplied(file, context);
      described.push(facts);
      if (!standing.has(file.name)) {
        plan.down.push(file.name);
        if (olds.files?.[file.name] !== undefined) back[file.name] = await renderDown(file, context);
        continue;
      }
      plan.files[file.name] = formatApplied(facts);
      plan.sql[file.name] = await renderUp(file, context);
      const { up } = await importMigration(file);
      const realisations = "realisations" in up ? up.realisations(context) : [];
      for (const each of realisations) plan.objects[titleOf(each.object)] = describeRealisation(each);
      realised.push(...realisations);
    }
    plan.makings = makingsOf(realised);
    const past = Object.entries(olds.files ?? {}).map(([name, text]) => parseApplied(name, text));
    checkHistory(news.phase, described, past);
    if (news.protect && past.length > 0) requireTables(news.phase, { ...plan, back }, olds.files ?? {});
    return Object.keys(back).length === 0 ? plan : { ...plan, back };
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<pulumi.dynamic.DiffResult> {
  const wanted = Object.keys(news.files).sort();
  const changes =
    !isDeepStrictEqual(wanted, olds.applied) ||
    !isDeepStrictEqual(news.down, olds.held) ||
    editionOf(olds) !== editionOf(news) ||
    !isDeepStrictEqual(olds.objects, news.objects) ||
    (olds.loaded ?? "") !== (news.loaded ?? "") ||
    isElsewhere(olds.target, news.target);
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
    target: { ...inputs.target, user: inputs.user ?? "timelift_owner_a", password: inputs.password },
    workloadDir: migrationsDir,
    phase: inputs.phase,
    context,
    to: Object.keys(inputs.files).sort().at(-1) ?? null,
    dropRows: inputs.dropRows,
  };
  const { applied, realised } = await runCommand<MigrateResult>(["migrate", "apply"], request);
  return { ...inputs, applied: applied.map(({ name }) => name), held: inputs.down, realised };
}

async function workloadFor({ workload, edition, hypertables }: Inputs): Promise<Workload> {
  const found = await findWorkload(workload);
  return { ...found, context: { ...found.context, edition, ...(hypertables && { hypertables }) } };
}

/**
 * Refuses what takes whole tables away from a protected stack. Whether they hold rows nothing tells without a connection,
 * so it is refused either way.
 */
function requireTables(phase: Phase, { sql, back = {} }: Plan, applied: Record<string, string>): void {
  const steps = [
    ...Object.entries(back)
      .reverse()
      .map(([name, lines]) => ({ name, lines, runs: "its way back runs" })),
    ...Object.entries(sql)
      .filter(([name]) => !(name in applied))
      .map(([name, lines]) => ({ name, lines, runs: "it runs" })),
  ];
  for (const { name, lines, runs } of steps) {
    const losses = tableLosses(lines).map(lossText);
    if (losses.length === 0) continue;
    throw new TimeliftError({
      code: "stack-protected",
      subject: `migration ${phase}/${name}`,
      problem: `${runs} ${losses.join(", ")}, and the stack is protected (timelift:protect)`,
      remedy:
        `${name in back ? "timelift migrate up lets it stand" : "leave the tables where they are"}; ` +
        "on purpose: pulumi config set timelift:protect false, then the same again",
    });
  }
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
