import type pg from "pg";
import { isConnectionLost } from "../loaders/connection-lost.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { Phase } from "./migration-files.ts";

/** Where a migration failed. */
export interface FailedStep {
  phase: Phase;
  /** The migration's name. */
  name: string;
  direction: "up" | "down";
  /** The statement, in one line. */
  statement: string;
}

/** What to do about errors that have one cause; by SQLSTATE. */
const remedies: Record<string, (step: FailedStep) => string> = {
  // TimescaleDB's own words name the licence.
  "0A000": () =>
    "if it names a licence: pulumi config set timelift:edition apache (or install the Community edition); else leave the word out of the migration",
  "25001": ({ name }) =>
    `use the vocabulary's word for it (continuousAggregate, columnstore …), which runs it outside the transaction of ${name}`,
  "23505": () =>
    "the rows hold a key twice: ./timelift inspect names them, ./timelift load --max-rejects N goes without them",
  "23503": () =>
    "rows refer to rows that are not there: ./timelift inspect names them, ./timelift load --max-rejects N goes without them",
  "2BP01": () => "something else builds on it: drop that first (the detail names it)",
};

/** A migration's error with the file, the statement, the cause and the remedy. */
export function failure(error: unknown, step: FailedStep): TimeliftError {
  const { phase, name, direction, statement } = step;
  const cause = error as pg.DatabaseError;
  const subject = `migrations ${phase}/${name} (${direction})`;
  if (isConnectionLost(cause)) return lostConnection(subject, cause);
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
  return new TimeliftError({
    code: "migration-failed",
    subject,
    problem: `${statement === "" ? "" : `at "${statement}": `}${explain(cause)}; nothing of it was applied`,
    remedy: `${remedyFor(cause, step)}; earlier migrations stand`,
    cause,
  });
}

/** The error for a connection that broke while a phase was brought in line; any other error stays what it is. */
export function connectionFailure(error: unknown, phase: Phase): unknown {
  if (error instanceof TimeliftError || !(error instanceof Error && isConnectionLost(error))) return error;
  return lostConnection(`migrations ${phase}`, error);
}

function lostConnection(subject: string, cause: Error): TimeliftError {
  return new TimeliftError({
    code: "migration-connection-lost",
    subject,
    problem: `the connection to the database broke: ${cause.message}`,
    remedy:
      "see in the server's log why (timelift logs timescaledb), then run again: a migration stands whole or not at all, and the next run goes on there",
    cause,
  });
}

/** An error of the steps that follow a migration's commit, or bring an object in line. */
export function objectFailure(error: unknown, title: string, step: FailedStep): TimeliftError {
  const cause = error as pg.DatabaseError;
  if (isConnectionLost(cause))
    return lostConnection(`${title} (migrations ${step.phase}/${step.name})`, cause);
  return new TimeliftError({
    code: "object-failed",
    subject: `${title} (migrations ${step.phase}/${step.name})`,
    problem: `at "${step.statement}": ${explain(cause)}; what was done before stands`,
    remedy: `${remedyFor(cause, step)}; the next up goes on here`,
    cause,
  });
}

function explain({ message, detail, code }: pg.DatabaseError): string {
  return `${message}${detail ? ` (${detail})` : ""}${code ? `, SQLSTATE ${code}` : ""}`;
}

function remedyFor(cause: pg.DatabaseError, step: FailedStep): string {
  const known = remedies[cause.code ?? ""]?.(step) ?? "mend the cause and run again";
  return cause.hint ? `${known} (PostgreSQL's hint: ${cause.hint})` : known;
}
