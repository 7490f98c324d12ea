import type pg from "pg";
import type { Edition } from "./edition.ts";
import { literal } from "./literal.ts";
import type { MigrationFile, Phase } from "./migration-files.ts";
import type { RealisedAs, TimescaleObject } from "./objects/object.ts";
import type { Realisation } from "./objects/realise.ts";

/** What the target remembers of an object. */
export interface Realised {
  object: TimescaleObject;
  /** The migration that declares it. */
  migration: string;
  as: RealisedAs;
  how: string;
  reason: string | null;
  /** Whether its last steps were done. */
  settled: boolean;
}

/** What a phase's objects were realised as, in the order in which they were. */
export async function readRealised(client: pg.ClientBase, phase: Phase): Promise<Realised[]> {
  const { rows } = await client.query<Omit<Realised, "object"> & { declaration: TimescaleObject }>(
    `SELECT declaration, migration, realised_as AS as, how, reason, settled_at IS NOT NULL AS settled
     FROM timelift.realised WHERE phase = $1 ORDER BY migration, position`,
    [phase],
  );
  return rows.map(({ declaration, ...row }) => ({ ...row, object: declaration }));
}

/** SQL that remembers an object; it belongs into the transaction that makes it. */
export function rememberSql(
  { object, as, how, reason }: Realisation,
  at: { phase: Phase; migration: MigrationFile["name"]; position: number; edition: Edition },
): string {
  const values = [object.kind, object.name, at.phase, at.migration, at.edition, as, how].map(literal);
  const because = reason === undefined ? "NULL" : literal(reason);
  return `INSERT INTO timelift.realised
    (kind, name, phase, migration, edition, realised_as, how, reason, position, declaration)
    VALUES (${values.join(", ")}, ${because}, ${at.position}, ${literal(JSON.stringify(object))});`;
}

/** SQL that remembers that an object is realised in another way; it belongs into the transaction that adjusts it. */
export function rememberHowSql({ object: { kind, name }, how, reason }: Realisation): string {
  const because = reason === undefined ? "NULL" : literal(reason);
  return `UPDATE timelift.realised SET how = ${literal(how)}, reason = ${because}
    WHERE kind = ${literal(kind)} AND name = ${literal(name)};`;
}

/** SQL that forgets an object; it belongs into the transaction that drops it. */
export function forgetSql({ kind, name }: TimescaleObject): string {
  return `DELETE FROM timelift.realised WHERE kind = ${literal(kind)} AND name = ${literal(name)};`;
}

/** Remembers that an object's last steps were done. */
export async function rememberSettled(client: pg.ClientBase, { kind, name }: TimescaleObject): Promise<void> {
  await client.query(
    "UPDATE timelift.realised SET settled_at = current_timestamp WHERE kind = $1 AND name = $2",
    [kind, name],
  );
}
