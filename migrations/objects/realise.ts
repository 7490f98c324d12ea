import { createHash } from "node:crypto";
import type { DeclaredObject } from "../../loaders/validate/declared-checks.ts";
import { chunkInterval } from "./chunk-interval.ts";
import { columnstore } from "./columnstore.ts";
import { columnstorePolicy } from "./columnstore-policy.ts";
import { continuousAggregate } from "./continuous-aggregate.ts";
import { guard } from "./guard.ts";
import { job } from "./job.ts";
import type { ObjectKind, RealisedAs, Steps, Surroundings, TimescaleObject } from "./object.ts";
import { reference } from "./reference.ts";
import { reorder } from "./reorder.ts";
import { retention } from "./retention.ts";

const kinds: { [Kind in TimescaleObject["kind"]]: ObjectKind<Extract<TimescaleObject, { kind: Kind }>> } = {
  "chunk interval": chunkInterval,
  columnstore,
  "columnstore policy": columnstorePolicy,
  "continuous aggregate": continuousAggregate,
  guard,
  job,
  reference,
  reorder,
  retention,
};

/** An object with the way it is realised. */
export interface Realisation extends Steps {
  object: TimescaleObject;
  as: RealisedAs;
  /** Why it is not the native way. */
  reason?: string;
}

/** The way in which an object is realised in these surroundings. */
export function realise(object: TimescaleObject, around: Surroundings): Realisation {
  const { as, reason } = kindOf(object).choose(object, around);
  return { object, as, ...(reason !== undefined && { reason }), ...stepsOf(object, as, around) };
}

/** The SQL of an object that was realised as `as`. */
export function stepsOf(object: TimescaleObject, as: RealisedAs, around: Surroundings): Steps {
  const kind = kindOf(object);
  const steps = as === "skipped" ? undefined : kind[as]?.(object, around);
  return steps ?? { how: "skipped", create: [], drop: [], checks: [] };
}

/** `continuous aggregate ohlc_daily`. */
export function titleOf({ kind, name }: Pick<TimescaleObject, "kind" | "name">): string {
  return `${kind} ${name}`;
}

/** In one line: `materialized view, refreshed every day (fallback: …)`. */
export function describeRealisation({ as, how, reason }: Pick<Realisation, "as" | "how" | "reason">): string {
  if (as === "skipped") return `skipped: ${reason}`;
  return as === "fallback" ? `${how} (fallback: ${reason})` : how;
}

/**
 * Title -> digest of what decides whether an object stands as it is; where it differs, the object is dropped and made
 * anew. An aggregate goes with the one that it reads.
 */
export function makingsOf(realisations: Pick<Realisation, "object" | "as">[]): Record<string, string> {
  const makings: Record<string, string> = {};
  for (const { object, as } of realisations) {
    const from = object.kind === "continuous aggregate" ? object.from : "";
    const below = makings[titleOf({ kind: "continuous aggregate", name: from })] ?? "";
    const text = JSON.stringify([as, object, below]);
    makings[titleOf(object)] = createHash("sha256").update(text).digest("hex").slice(0, 16);
  }
  return makings;
}

/** What validation asks the target about an object. */
export function declaredObject({ object, as, how, reason, checks }: Realisation): DeclaredObject {
  return {
    ...{ name: titleOf(object), how, skipped: as === "skipped", questions: checks },
    ...(reason !== undefined && { reason }),
  };
}

/** Each kind takes its own objects only, which no signature of a union can say. */
function kindOf({ kind }: TimescaleObject): ObjectKind<TimescaleObject> {
  return kinds[kind] as unknown as ObjectKind<TimescaleObject>;
}
