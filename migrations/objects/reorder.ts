import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
import { type ObjectKind, onlyCommunity } from "./object.ts";
import { policyCheck } from "./policy-check.ts";

/** The job that rewrites full chunks in the order of an index. */
export interface Reorder {
  kind: "reorder";
  /** The hypertable. */
  name: string;
  index: string;
}

/** Rows that were reordered stay so. */
export const reorder: ObjectKind<Reorder> = {
  choose: (_object, { edition }) =>
    edition === "community"
      ? { as: "native" }
      : { as: "skipped", reason: onlyCommunity("reorder policy; rows stay in the order of their arrival") },
  native: ({ name, index }) => ({
    how: `full chunks are rewritten in the order of ${index}`,
    create: [
      `SELECT add_reorder_policy(${literal(identifier(name))}, ${literal(index)}, if_not_exists => true);`,
    ],
    drop: [`SELECT remove_reorder_policy(${literal(identifier(name))}, if_exists => true);`],
    checks: [policyCheck(["policy_reorder"], name, `by ${index}`)],
  }),
};
