import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { describeTarget } from "../../loaders/connection.ts";
import { trustedCertificates } from "../../loaders/tls.ts";
import type { Logins } from "../../migrations/access/check-access.ts";
import { type AccessDemand, demandOf } from "../../migrations/access/demand.ts";
import { findWorkload } from "../workload.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import type { ExternalDatabaseArgs } from "./external-database.ts";

type Each<Value> = Record<keyof Logins, Value>;

/** `demand` is what preview shows: what the database will be asked for. */
type Inputs = Omit<ExternalDatabaseArgs, "logins"> & {
  users: Each<string>;
  passwords: Each<string>;
  demand: AccessDemand;
};

/** What was found there. */
export interface ExternalDatabaseResult {
  version: string;
  server: string;
  notes: string[];
}
type Outputs = Inputs & ExternalDatabaseResult;

/** One verification, as `timelift target --request` reads it. */
export interface TargetCommandRequest {
  logins: Logins;
  demand: AccessDemand;
}

export function check(_olds: object, news: Inputs): Promise<dynamic.CheckResult> {
  return checked("target", news, async () => {
    const { target, edition, hypertables } = news;
    if (target.tls?.rootCert !== undefined) trustedCertificates(target.tls);
    const { loader, migrationsDir, context } = await findWorkload(news.workload);
    const settings = hypertables && { hypertables };
    return { demand: await demandOf(loader, migrationsDir, { ...context, edition, ...settings }) };
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const keys = ["target", "users", "passwords", "demand"] as const;
  return { changes: keys.some((key) => !isDeepStrictEqual(olds[key], news[key])) };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: "external", outs: await verify(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await verify(news) };
}

/** The database is not ours to delete, nor a row of it. */
export async function remove(_id: string, { target }: Outputs): Promise<void> {
  console.log(`${describeTarget(target)} is left as it is, with its rows and the schema timelift`);
}

async function verify(inputs: Inputs): Promise<Outputs> {
  const { target, users, passwords, demand } = inputs;
  const login = (name: keyof Logins) => ({ ...target, user: users[name], password: passwords[name] });
  const request: TargetCommandRequest = {
    logins: { owner: login("owner"), loader: login("loader"), readonly: login("readonly") },
    demand,
  };
  return { ...inputs, ...(await runCommand<ExternalDatabaseResult>(["target", "--request"], request)) };
}
