import { rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { Connection } from "../../loaders/connection.ts";
import { renderLines } from "../../loaders/validate/render-lines.ts";
import type { Thresholds } from "../../loaders/validate/thresholds.ts";
import type { CheckStatus, ValidationReport } from "../../loaders/validation-report.ts";
import type { Edition } from "../../migrations/edition.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { WorkloadReference } from "../workload.ts";
import { runCommand } from "./command.ts";
import { reportPageIn, writeReportPage } from "./report-page.ts";
import { copyPathIn } from "./source-folder.ts";
import type { ValidationArgs } from "./validation.ts";

type Inputs = Omit<ValidationArgs, "password" | "recorder" | "loaded" | "after" | "realised" | "held"> & {
  password: string;
  recorder?: Login;
  loaded: string;
  after: string[];
  realised?: Record<string, string>;
  held: string[];
};
type Outputs = Inputs & { status: CheckStatus; lines: string[]; report: string; page: string };

/** A role that logs in. */
export interface Login {
  user: string;
  password: string;
}

/** One validation, as `timelift validate --request` reads it. */
export interface ValidateCommandRequest {
  workload: WorkloadReference;
  source: string;
  copyPath: string;
  expectedFingerprint: string;
  target: Connection;
  /**
   * Who keeps the result in the target's schema `timelift`, for monitoring.
   * @default nobody
   */
  recorder?: Login;
  /** @default "apache" */
  edition?: Edition;
  /** @default {} */
  hypertables?: Record<string, HypertableSettings>;
  /** @default strict */
  thresholds?: Thresholds;
}

/** A resource that exists although its work failed: Pulumi keeps its outputs, fails the update, and tries again. */
class ValidationFailed extends Error {
  readonly id: string;
  readonly properties: Outputs;
  readonly reasons: string[];

  constructor(outputs: Outputs) {
    const failed = outputs.lines.filter((line) => !/^(PASS|SKIP)/.test(line));
    const reasons = [...failed.slice(0, -1), `${failed.at(-1)}\n       the whole report: ${outputs.page}`];
    super(`validation failed\n${reasons.join("\n")}`);
    this.id = outputs.workload.name;
    this.properties = outputs;
    this.reasons = reasons;
  }
}

export async function check(_olds: object, news: Inputs): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const keys = ["loaded", "after", "realised", "held", "workload", "target", "thresholds"] as const;
  const changes = news.when === "always" || keys.some((key) => !isDeepStrictEqual(olds[key], news[key]));
  return { changes };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.workload.name, outs: await validate(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await validate(news) };
}

/** The page quotes rows, as the private copy of the source does, and goes like that. */
export async function remove(_id: string, { stateDir }: Outputs): Promise<void> {
  rmSync(reportPageIn(stateDir), { force: true });
}

async function validate(inputs: Inputs): Promise<Outputs> {
  const { workload, source, stateDir, target, user, password, loaded, held, thresholds } = inputs;
  const { edition, hypertables, recorder } = inputs;
  if (held.length > 0) {
    const line = `SKIP validation: timelift:migrateTo leaves ${held.join(", ")} down`;
    // A page of before would claim what is no longer proved.
    rmSync(reportPageIn(stateDir), { force: true });
    return { ...inputs, status: "SKIP", lines: [line], report: "{}", page: "" };
  }
  const request: ValidateCommandRequest = {
    workload,
    source,
    copyPath: copyPathIn(stateDir),
    expectedFingerprint: loaded,
    target: { ...target, user: user ?? "timelift_readonly_a", password, readOnly: true },
    ...(recorder && { recorder }),
    ...(edition && { edition }),
    ...(hypertables && { hypertables }),
    thresholds,
  };
  const report = await runCommand<ValidationReport>(["validate", "--request"], request);
  const outputs = {
    ...inputs,
    status: report.status,
    lines: renderLines(report),
    report: JSON.stringify(report),
    page: await writeReportPage(stateDir, report),
  };
  if (report.status === "FAIL") throw new ValidationFailed(outputs);
  return outputs;
}
