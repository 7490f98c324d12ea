import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { renderHtml } from "../loaders/validate/render-html/page.ts";
import { renderJunit } from "../loaders/validate/render-junit.ts";
import { renderLines } from "../loaders/validate/render-lines.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";

/** Where a report goes besides the terminal. */
export interface ReportFileOptions {
  html?: string;
  junit?: string;
  /** `-` or true for stdout, which then holds nothing else. */
  json?: string | true;
}

/** Adds `--html`, `--junit` and `--json` to a command. */
export function withReportFiles(command: Command): Command {
  return command
    .option("--html <file>", "write the report as one HTML page")
    .option("--junit <file>", "write the report as JUnit XML, for a CI server")
    .option("--json [file]", "write the report as JSON; to stdout where no file is named, or -");
}

/** The files that a report goes to, known to be writable before the report is there. */
export class ReportFiles {
  readonly #files: { path: string; render: (report: ValidationReport) => string; isNew: boolean }[];
  readonly #toStdout: boolean;

  private constructor({ html, junit, json }: ReportFileOptions) {
    const isStdout = json === true || json === "-";
    this.#toStdout = isStdout;
    const wanted = [
      { path: html, render: renderHtml },
      { path: junit, render: renderJunit },
      { path: isStdout ? undefined : json, render: asJson },
    ];
    this.#files = wanted.flatMap(({ path, render }) =>
      path === undefined ? [] : [{ path, render, isNew: !existsSync(path) }],
    );
  }

  /** @throws TimeliftError `report-unwritable` */
  static prepare(options: ReportFileOptions): ReportFiles {
    const files = new ReportFiles(options);
    try {
      for (const { path } of files.#files) attempt(path, () => closeSync(openSync(path, "a")));
    } catch (error) {
      files.discard();
      throw error;
    }
    return files;
  }

  /** Writes the files; lines go to stdout, or to stderr where stdout holds the JSON. */
  write(report: ValidationReport): void {
    for (const { path, render } of this.#files) {
      const text = render(report);
      attempt(path, () => writeFileSync(path, text));
    }
    if (this.#toStdout) process.stdout.write(asJson(report));
    const print = this.#toStdout ? console.error : console.log;
    for (const line of renderLines(report)) print(line);
  }

  /** Takes back the empty files that `prepare` made, when there will be no report. */
  discard(): void {
    for (const { path, isNew } of this.#files) if (isNew) rmSync(path, { force: true });
  }
}

function asJson(report: ValidationReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new TimeliftError({
      code: "report-unwritable",
      subject: path,
      problem: `the report cannot be written there: ${(error as Error).message}`,
      remedy: "Name a file in a folder that exists and that you may write to.",
      cause: error,
    });
  }
}
