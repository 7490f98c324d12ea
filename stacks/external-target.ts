import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Tls } from "../loaders/tls.ts";
import { parseTargetUrl, type TargetUrl } from "./target-url.ts";

/** A name and a password. */
export interface Login {
  user: string;
  password: string;
}

/** A database that others run, and who may do what there. */
export interface ExternalTarget {
  host: string;
  port: number;
  database: string;
  tls: Tls;
  /** One login may stand for all. */
  logins: Record<"owner" | "loader" | "readonly", Login>;
}

const url = z.string().default("");

/** Keys of the platform `external`; each is a secret. */
export const externalKeys = {
  /** The database itself, as the owner of its tables. */
  targetUrl: url,
  /** The same database as a login that writes rows; the owner's where there is none. */
  loaderUrl: url,
  /** The same database as a login that reads; the owner's where there is none. */
  readonlyUrl: url,
};
type UrlKey = keyof typeof externalKeys;

/** The lines that set them; Pulumi asks for the value, so that it ends up in no shell's history. */
export const externalExamples: Record<UrlKey, string> = {
  targetUrl: "--secret timelift:targetUrl",
  loaderUrl: "--secret timelift:loaderUrl",
  readonlyUrl: "--secret timelift:readonlyUrl",
};

/** A key of the config, what is wrong with it, and what to set in place of its own example. */
export interface KeyProblem {
  key: UrlKey | "dropData";
  problem: string;
  example?: string;
}

interface Given extends Record<UrlKey, string> {
  platform: string;
  dropData: boolean;
}

/**
 * Reads the database of a stack whose platform is `external`; undefined on others. `isSecret` says of a full key whether
 * it is kept encrypted.
 */
export function readExternalTarget(
  given: Given,
  isSecret: (key: string) => boolean,
): ExternalTarget | undefined | KeyProblem[] {
  const problems: KeyProblem[] = [];
  const refuse = (key: KeyProblem["key"], problem: string, example?: string) => {
    problems.push({ key, problem, ...(example && { example }) });
    return undefined;
  };
  const isExternal = given.platform === "external";
  const read = (key: UrlKey): TargetUrl | undefined => {
    if (given[key] === "") return undefined;
    if (!isExternal)
      return refuse(key, "it has no use, for timelift:platform is not external", "platform external");
    if (!isSecret(`timelift:${key}`))
      return refuse(key, "it holds a password and stands in the file in plain text");
    const parsed = parseTargetUrl(given[key]);
    return typeof parsed === "string" ? refuse(key, parsed) : parsed;
  };
  const [owner, loader, readonly] = [read("targetUrl"), read("loaderUrl"), read("readonlyUrl")];
  if (!isExternal) return problems.length > 0 ? problems : undefined;
  if (given.targetUrl === "") refuse("targetUrl", "timelift:platform is external, and no database is named");
  for (const [key, other] of [
    ["loaderUrl", loader],
    ["readonlyUrl", readonly],
  ] as const) {
    if (owner && other && !isDeepStrictEqual(placeOf(owner), placeOf(other))) {
      refuse(key, "it differs from timelift:targetUrl in more than user and password");
    }
  }
  if (given.dropData) refuse("dropData", "timelift drops no external database; its rows are yours to delete");
  if (problems.length > 0 || !owner) return problems;
  const login = ({ user, password }: TargetUrl) => ({ user, password });
  const logins = { owner: login(owner), loader: login(loader ?? owner), readonly: login(readonly ?? owner) };
  return { ...placeOf(owner), logins };
}

function placeOf({ host, port, database, tls }: TargetUrl) {
  return { host, port, database, tls };
}
