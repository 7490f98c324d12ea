import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { type Interval, intervalSql, intervalText } from "../interval.ts";
import { literal } from "../literal.ts";
import { enabling } from "./columnstore.ts";
import { columnstoreWords } from "./columnstore-words.ts";
import { type ObjectKind, onlyCommunity } from "./object.ts";
import { policyCheck } from "./policy-check.ts";

/** When chunks move to the columnstore. */
export interface ColumnstorePolicyArgs {
  /** A chunk moves when all of it is older than this. */
  after: Interval;
}

/** The job that moves a hypertable's old chunks to the columnstore. */
export interface ColumnstorePolicy extends ColumnstorePolicyArgs {
  kind: "columnstore policy";
  /** The hypertable. */
  name: string;
}

/** It runs as soon as it is there, so it comes after the load; going, it leaves chunks where they are. */
export const columnstorePolicy: ObjectKind<ColumnstorePolicy> = {
  choose: (_object, { edition }) =>
    edition === "community"
      ? { as: "native" }
      : { as: "skipped", reason: onlyCommunity("columnstore to move chunks to") },
  native: ({ name, after }, { version, declared }) => {
    const words = columnstoreWords(version);
    const layout = declared.find((object) => object.kind === "columnstore" && object.name === name);
    const first = words.keysFirst && layout?.kind === "columnstore" ? enabling(layout, version) : undefined;
    return {
      how: `chunks move when they are ${intervalText(after)} old`,
      create: [
        ...(first?.create ?? []),
        `${words.addPolicy(literal(identifier(name)), intervalSql(after))};`,
      ],
      ...(first && { leave: first.leave }),
      drop: [`${words.removePolicy(literal(identifier(name)))};`, ...(first?.drop ?? [])],
      checks: [
        policyCheck(["policy_compression", "policy_columnstore"], name, `after ${intervalText(after)}`),
      ],
    };
  },
};
