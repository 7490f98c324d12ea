import type * as pulumi from "@pulumi/pulumi";
import { TimeliftError } from "../../loaders/timelift-error.ts";

/**
 * Runs the work of a provider's `check`: an error a user can act on becomes a failure of `property`, which
 * Pulumi shows without a stack trace; any other error stays what it is.
 */
export async function checked<Inputs>(
  property: string,
  news: Inputs,
  work: () => Promise<Partial<Inputs>>,
): Promise<pulumi.dynamic.CheckResult> {
  try {
    return { inputs: { ...news, ...(await work()) } };
  } catch (error) {
    if (!(error instanceof TimeliftError)) throw error;
    return { inputs: news, failures: [{ property, reason: error.message }] };
  }
}
