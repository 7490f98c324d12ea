import type { Edition } from "../edition.ts";
import type { ChunkInterval } from "./chunk-interval.ts";
import type { Columnstore } from "./columnstore.ts";
import type { ColumnstorePolicy } from "./columnstore-policy.ts";
import type { ContinuousAggregate } from "./continuous-aggregate.ts";
import type { Guard } from "./guard.ts";
import type { Job } from "./job.ts";
import type { Reference } from "./reference.ts";
import type { Reorder } from "./reorder.ts";
import type { Retention } from "./retention.ts";

/**
 * Something that a migration declares and that an edition of TimescaleDB has its own way for: plain data that survives
 * JSON. What it was realised as is recorded in the target (`timelift.realised`) and brought in line when edition or
 * declaration change, apart from the history of migrations.
 */
export type TimescaleObject =
  | ChunkInterval
  | Columnstore
  | ColumnstorePolicy
  | ContinuousAggregate
  | Guard
  | Job
  | Reference
  | Reorder
  | Retention;

/** `native`: TimescaleDB's own. `fallback`: something else does the same work. `skipped`: there is none, with a reason. */
export type RealisedAs = "native" | "fallback" | "skipped";

/** What decides how an object is realised. */
export interface Surroundings {
  edition: Edition;
  /** Version of TimescaleDB, for words that changed. @default unknown: those of today */
  version?: string;
  /** Every object of the workload's migrations. */
  declared: TimescaleObject[];
}

/** A question to the target whose answer proves that an object is there and right. */
export interface ObjectCheck {
  /** What is asked about, after the object's own name; empty where that says it all. */
  about?: string;
  expected: string;
  /** One row, `pass boolean, actual text`; run by a role that may only read. */
  sql: string;
}

/** A statement with a value in it that only the target knows, where the statement itself takes no subquery. */
export interface AskedStatement {
  /** A query of one value, as text. */
  ask: string;
  /** The statement, with that value. */
  sql(value: string | null): string;
}

/** The SQL of one way to realise an object. */
export interface Steps {
  /** In words, for preview and report: `materialized view, refreshed every day`. */
  how: string;
  /** In the migration's transaction. */
  create: string[];
  /** After its commit, each in a transaction of its own and safe to repeat. */
  settle?: string[];
  /** After each later load, likewise. */
  refresh?: AskedStatement[];
  /** In one transaction, where the object stays and only `how` became another, because something beside it did. */
  adjust?: string[];
  /** Before `drop`, each in transactions of its own and safe to repeat. */
  leave?: string[];
  /** In one transaction. */
  drop: string[];
  checks: ObjectCheck[];
}

/** How one kind of object is realised. */
export interface ObjectKind<T> {
  /** The way that fits; `reason` says why it is not the native one. */
  choose(object: T, around: Surroundings): { as: RealisedAs; reason?: string };
  native?(object: T, around: Surroundings): Steps;
  fallback?(object: T, around: Surroundings): Steps;
}

/** What cannot be done by the Apache edition, in one sentence. */
export const onlyCommunity = (what: string) => `the Apache edition of TimescaleDB has no ${what}`;
