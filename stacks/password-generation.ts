import { TimeliftError } from "../loaders/timelift-error.ts";
import type { ServiceDeclaration } from "./services/service.ts";

/**
 * Refuses a step of `timelift:passwordGeneration` that would take the passwords of clients that still use them: each
 * number's login is taken over by the next but one.
 * @param before what was deployed, if anything was
 * @throws TimeliftError `password-generation`
 */
export function requireNextGeneration(before: ServiceDeclaration | undefined, now: ServiceDeclaration): void {
  const [from, to] = [generationOf(before), generationOf(now)];
  if (from === undefined || to === undefined || to === from || to === from + 1) return;
  throw new TimeliftError({
    code: "password-generation",
    subject: `timelift:passwordGeneration = ${to}`,
    problem: `the stack is at ${from}, and the number goes up by one at a time, so that no password in use is lost`,
    remedy: `pulumi config set timelift:passwordGeneration ${from + 1}; ${from} leaves the passwords as they are`,
  });
}

/** Of a database that was deployed before there were generations, the first. */
function generationOf(declaration: ServiceDeclaration | undefined): number | undefined {
  if (declaration?.name !== "timescaledb") return undefined;
  const { contents } = declaration as Partial<typeof declaration>;
  return contents?.generation ?? 1;
}
