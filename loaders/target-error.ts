import pg from "pg";
import { isConnectionLost } from "./connection-lost.ts";
import { TimeliftError } from "./timelift-error.ts";

interface ServerError {
  code?: string;
  message: string;
  detail?: string;
  table?: string;
  column?: string;
  constraint?: string;
  where?: string;
}

/** Turns what PostgreSQL or the connection to it throws into an error that a user can act on. */
export function targetError(subject: string, error: unknown): unknown {
  if (error instanceof TimeliftError || !(error instanceof Error)) return error;
  const { code = "", message, detail, constraint } = error as ServerError;
  const of = (name: string, problem: string, remedy: string) =>
    new TimeliftError({ code: name, subject, problem, remedy, cause: error });
  const said = `${message}${detail ? ` (${detail})` : ""}`;

  if (code === "53100" || /No space left on device/i.test(message)) {
    return of(
      "target-disk-full",
      `the target's disk is full: ${said}.`,
      "Free space on the disk that holds the database and run again; what was committed stands, the load goes on from there.",
    );
  }
  if (code === "42501") {
    return of(
      "target-permission",
      `the loading role may not do this: ${said}.`,
      "Grant it as the table's owner.",
    );
  }
  if (code === "23505") {
    return of(
      "target-duplicate",
      `a row with the same key is there already: ${said}.`,
      `Either the source holds the key twice under the target's rules, or somebody else wrote the row${constraint ? ` (constraint ${constraint})` : ""}. Remove one of them.`,
    );
  }
  if (code === "23503") {
    return of(
      "target-reference",
      `a row refers to one that is not there: ${said}.`,
      'Mend the reference in the source (PRAGMA foreign_key_check lists such rows), or leave the row out with "where".',
    );
  }
  if (isConnectionLost(error)) return connectionLost(subject, error);
  if (error instanceof pg.DatabaseError) {
    return of(
      "target-refused",
      `the database refused: ${said} (SQLSTATE ${code}).`,
      "Mend the cause and run again; what was committed stands.",
    );
  }
  return error;
}

/** The error for a connection that broke in the middle. */
export function connectionLost(subject: string, error: Error): TimeliftError {
  return new TimeliftError({
    code: "target-connection-lost",
    subject,
    problem: `the connection to the database broke: ${error.message}.`,
    remedy: "Check the server's log; then run again: what was committed stands, the load goes on from there.",
    cause: error,
  });
}
