import { connect } from "../../loaders/connection.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { findDrift } from "../../migrations/schema-drift.ts";
import { isExternal } from "../external-stack.ts";
import { connectionAs, hasTarget } from "../stack-services.ts";
import { driftText } from "./drift-text.ts";

/** A preview shows so many lines of a drift; `timelift schema --diff` shows all. */
const shownLines = 40;

/** A preview waits so long for a connection, and for an answer, in milliseconds. */
const patienceMs = 2_000;

/**
 * What a preview says of drift: nothing where there is none, or no target yet; one line where the target cannot be
 * asked. It never fails.
 */
export async function driftLines(stack: string): Promise<string[]> {
  try {
    if (!hasTarget(stack) && !isExternal(stack)) return [];
    const lines = await driftOf(stack);
    if (lines.length <= shownLines) return lines;
    const more = lines.length - shownLines;
    return [...lines.slice(0, shownLines), `  … ${more} more lines: timelift schema --diff --stack ${stack}`];
  } catch (error) {
    // An external database before its first up.
    if (error instanceof TimeliftError && error.code === "schema-unrecorded" && isExternal(stack)) return [];
    const [problem = ""] = (error as Error).message.split("\n");
    return [`Schema drift: not looked for; ${problem}`];
  }
}

async function driftOf(stack: string): Promise<string[]> {
  const client = await connect(await connectionAs(stack, "timelift_readonly"), "preview", { patienceMs });
  try {
    const drift = await findDrift(client);
    return drift.objects.length === 0
      ? []
      : ["Schema drift:", ...driftText(drift).map((line) => `  ${line}`)];
  } finally {
    await client.end();
  }
}
