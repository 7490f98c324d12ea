import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { LoadResult } from "../loaders/load-result.ts";
import { type RunLoadArgs, runLoad } from "../loaders/run-load.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { columnstoreAges, declaredHypertables, declaredKeys, realisations } from "../migrations/declared.ts";
import type { Edition } from "../migrations/edition.ts";
import { intervalText } from "../migrations/interval.ts";
import type { MigrateRequest, MigrateResult } from "../migrations/migrate.ts";
import type { Phase } from "../migrations/migration-files.ts";
import { declaredObject } from "../migrations/objects/realise.ts";
import type { MigrationContext } from "../migrations/timescale.ts";
import { findWorkload, type Workload, type WorkloadReference } from "../stacks/workload.ts";
import { EditionTarget } from "./edition-target.ts";

/** A workload, a source and an empty target, with the steps of a deployment one by one. */
export class DeployedWorkload {
  readonly folder: string;
  readonly source: string;
  readonly target: EditionTarget;
  readonly workload: Workload;

  private constructor(folder: string, target: EditionTarget, workload: Workload) {
    this.folder = folder;
    this.source = join(folder, "app.db");
    this.target = target;
    this.workload = workload;
  }

  static async make(reference: WorkloadReference, edition: Edition): Promise<DeployedWorkload> {
    const workload = await findWorkload(reference);
    const target = await EditionTarget.open(edition, reference.name);
    return new DeployedWorkload(mkdtempSync(join(tmpdir(), "timelift-deployed-")), target, workload);
  }

  /** What the stack's config says, with the workload's own options unless given. */
  context(more: Partial<MigrationContext> = {}): MigrationContext {
    return { ...this.workload.context, edition: this.target.edition, ...more };
  }

  migrate(phase: Phase, more: Partial<MigrateRequest> = {}): Promise<MigrateResult> {
    return this.target.migrate(this.workload.migrationsDir, phase, { context: this.context(), ...more });
  }

  load(more: Partial<RunLoadArgs> = {}): Promise<LoadResult> {
    const { name, loader, migrationsDir } = this.workload;
    return runLoad({
      ...{ workload: name, loader, source: this.source, copyPath: join(this.folder, "copy.db") },
      target: this.target.connection,
      columnstoreAfter: () => columnstoreAges(migrationsDir, this.context()),
      keys: () => declaredKeys(migrationsDir, this.context()),
      ...more,
    });
  }

  async validate(context = this.context()): Promise<ValidationReport> {
    const { name, loader, migrationsDir } = this.workload;
    const hypertables = await declaredHypertables(migrationsDir, context);
    return runValidation({
      ...{ workload: name, loader, source: this.source, copyPath: join(this.folder, "copy.db") },
      ...{ expectedFingerprint: "", target: this.target.connection },
      hypertables: hypertables.map(({ table, time, chunk }) => ({
        ...{ table, column: time, interval: intervalText(chunk) },
      })),
      declared: (await realisations(migrationsDir, context)).map(declaredObject),
    });
  }

  /** Runs SQL on the source, as the application would. */
  write(sql: string): void {
    const database = new Database(this.source);
    database.exec(sql);
    database.close();
  }

  async remove(): Promise<void> {
    await this.target.drop();
    rmSync(this.folder, { recursive: true });
  }
}
