import { z } from "zod";
import { maxRejectsPattern } from "../loaders/reject-limit.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { alertNames, alerts } from "./alert-config.ts";
import { images, publish } from "./docker-config.ts";
import {
  type ExternalTarget,
  externalExamples,
  externalKeys,
  readExternalTarget,
} from "./external-target.ts";
import { hypertableSettingNames, hypertables } from "./hypertable-config.ts";
import { receiverNames, receivers } from "./receiver-config.ts";
import { redis, redisSettingNames } from "./redis-config.ts";
import { extensions, limitNames, roleLimits, shortRoleNames } from "./role-config.ts";
import { besideNames, services } from "./service-config.ts";
import { type ServiceName, serviceNames } from "./services/service.ts";
import { thresholdNames, thresholds } from "./threshold-config.ts";
import { keyProblem, tls } from "./tls/tls-config.ts";

const port = (standard: number) => z.int().min(1024).max(65535).default(standard);

/** Port of each service on 127.0.0.1; the defaults lie below those that Linux gives to outgoing connections. */
const ports = z.strictObject({
  /** Direct connections: migrations, COPY, advisory locks. */
  timescaledb: port(15432),
  /** The applications' way in, transaction pooling. */
  pgbouncer: port(16432),
  redis: port(16379),
  prometheus: port(19090),
  "postgres-exporter": port(19187),
  "pgbouncer-exporter": port(19127),
  "redis-exporter": port(19121),
  "node-exporter": port(19100),
  alertmanager: port(19093),
  grafana: port(13000),
});

/** The port of each service where the config names none. */
export const standardPorts = ports.parse({});

const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);
const name = /^[a-z_][a-z0-9_]{0,62}$/;

/** Every key of the `timelift:` namespace; Pulumi.yaml repeats the names, types and defaults. */
const keys = z.strictObject({
  /** The SQLite file, relative to the project folder or absolute. */
  source: z.string({ error: "no SQLite file is named" }).min(1, "no SQLite file is named"),
  /** Name of a workload in loaders/workloads. */
  workload: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "lower-case letters, digits and dashes")
    .default("stockula"),
  /** A folder with loader.ts and migrations/; wins over `workload`. */
  workloadPath: z.string().default(""),
  /** Parsed again by the workload's own schema. */
  workloadOptions: z.record(z.string(), z.unknown()).default({}),
  /** How services become real; external takes a database that is there already. */
  platform: z.enum(["native", "docker", "external"]).default("native"),
  /** Images of the docker platform in place of its default ones. */
  images,
  /** What the docker platform publishes, and where. */
  publish,
  /** The certificate of the servers; by default one is generated, with an authority of the stack's own. */
  tls,
  ...externalKeys,
  /** What runs beside the database; by default all of it, and nothing beside an external one. */
  services,
  /** Name of the target database; that of an external one is in its URL. */
  database: z.string().regex(name, "a lower-case PostgreSQL name, at most 63 characters").default("timelift"),
  /** MiB that TimescaleDB is tuned for. */
  memoryMb: z.coerce.number().int().min(256).default(2048),
  /** Cores that TimescaleDB is tuned for. */
  cpus: z.coerce.number().int().min(1).default(2),
  ports: ports.prefault({}),
  /** How much the applications' cache holds, and what it lets go of. */
  redis,
  /** Who makes what is inside the database; empty for the plugin on docker where it is there, else timelift itself. */
  databaseThrough: z.enum(["", "plugin", "builtin"], { error: "plugin or builtin" }).default(""),
  /** Number of the passwords of the database's logins; one more makes new ones, and the old still open. */
  passwordGeneration: z.coerce.number().int().min(1).default(1),
  /** Limits of the database's roles in place of the default ones. */
  roles: roleLimits,
  /** Extensions beside those that every stack has. */
  extensions,
  /** Edition of TimescaleDB; native runs Debian's, which is Apache, unless the machine brings its own. */
  edition: z.enum(["apache", "community"]).default("apache"),
  /** Hypertable -> what stands in place of what the migrations declare; `timelift advise` proposes it. */
  hypertables,
  /** Rows that a load may reject: a number of them, or a share of the load's rows such as 0.1%. */
  maxRejects: z.coerce
    .string()
    .regex(maxRejectsPattern, 'a number of rows, or a share of them such as "0.1%"')
    .default("0"),
  /** When every row is compared. */
  validate: z.enum(["changed", "always"]).default("changed"),
  /** What the comparison demands: a preset, or keys that stand in place of those of `strict`. */
  thresholds,
  /** What the stack demands of itself before it wakes somebody. */
  alerts,
  /** Who is told of alerts; with addresses that are secrets. */
  receivers,
  /** The last migration that should stand; empty for all. */
  migrateTo: z.string().default(""),
  /** Lets a way back drop a table that holds rows. */
  dropRows: flag.default(false),
  /** Lets destroy delete the services' data. */
  dropData: flag.default(false),
  /** Refuses every plan that would drop a service's data, or a table. */
  protect: flag.default(false),
});

/** Roles and extensions of a database of others are theirs. A protected stack drops nothing, so neither may be allowed. */
const schema = keys.superRefine(({ protect, ...config }, context) => {
  const own = {
    databaseThrough: config.databaseThrough !== "",
    passwordGeneration: config.passwordGeneration > 1,
    roles: Object.keys(config.roles).length > 0,
    extensions: config.extensions.length > 0,
  };
  for (const [key, isSet] of Object.entries(own)) {
    if (config.platform !== "external" || !isSet) continue;
    const message = "it has no use, for timelift:platform is external: logins and extensions are yours there";
    context.addIssue({ code: "custom", path: [key], message });
  }
  for (const key of ["dropRows", "dropData"] as const) {
    if (!protect || !config[key]) continue;
    const message = `timelift:protect is on, and a protected stack drops nothing; on purpose: pulumi config set timelift:protect false`;
    context.addIssue({ code: "custom", path: [key], message });
  }
});

/** The stack's config, parsed and complete. */
export type StackConfig = Omit<z.infer<typeof schema>, "services"> & {
  stack: string;
  services: ServiceName[];
  /** The database that the URLs name; on the platform external. */
  external?: ExternalTarget;
};

const objects = [
  "workloadOptions",
  "images",
  "publish",
  "tls",
  "ports",
  "redis",
  "hypertables",
  "thresholds",
  "alerts",
  "receivers",
  "services",
  "roles",
  "extensions",
] as const;

const examples: Record<keyof typeof keys.shape, string> = {
  source: "source path/to/app.db",
  workload: "workload stockula",
  workloadPath: "workloadPath path/to/workload",
  workloadOptions: "--path timelift:workloadOptions.priceType 'numeric(20,6)'",
  platform: "platform native",
  ...externalExamples,
  services: "--path 'timelift:services[0]' redis",
  images: "images sysroot",
  publish: "--path timelift:publish.SERVICE 127.0.0.1",
  tls: "--path timelift:tls.certificate FILE",
  database: "database timelift",
  memoryMb: "memoryMb 2048",
  cpus: "cpus 2",
  ports: "--path timelift:ports.SERVICE 15433",
  redis: "--path timelift:redis.maxMemoryMb 256",
  databaseThrough: "databaseThrough builtin",
  passwordGeneration: "passwordGeneration 1",
  roles: "--path timelift:roles.app.statementTimeout 1min",
  extensions: "--path 'timelift:extensions[0]' vector",
  edition: "edition apache",
  hypertables: "--path timelift:hypertables.TABLE.chunk '1 year'",
  maxRejects: "maxRejects 0.1%",
  validate: "validate changed",
  thresholds: "thresholds strict",
  receivers: "--secret --path timelift:receivers.webhook.url",
  alerts: "--path timelift:alerts.expectedUntil.TABLE 2020-12-31",
  migrateTo: "migrateTo ''",
  dropRows: "dropRows false",
  dropData: "dropData false",
  protect: "protect true",
};

/**
 * Parses the raw config of a stack (`timelift:key` -> text as Pulumi hands it over). `isSecret` says whether a key is
 * kept encrypted, which URLs have to be.
 * @throws TimeliftError `config` that lists every problem at once, each with key, value (but that of a URL), what is
 * allowed, and the line that mends it
 */
export function parseConfig(
  raw: Record<string, string>,
  stack: string,
  isSecret: (key: string) => boolean = () => true,
): StackConfig {
  const own = Object.entries(raw).flatMap(([key, value]) =>
    key.startsWith("timelift:") ? [[key.slice("timelift:".length), value] as const] : [],
  );
  const values = Object.fromEntries(own.map(([key, value]) => [key, plain(key, value)]));
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => describe(issue, values));
    throw refused(stack, problems);
  }
  if (Object.keys(parsed.data.receivers).length > 0 && !isSecret("timelift:receivers")) {
    const problem = "receivers: it holds secrets and stands in the file in plain text";
    throw refused(stack, [line(problem, examples.receivers)]);
  }
  const external = readExternalTarget(parsed.data, isSecret);
  if (Array.isArray(external)) {
    const problems = external.map(({ key, problem, example }) =>
      line(`${key}: ${problem}`, example ?? examples[key]),
    );
    throw refused(stack, problems);
  }
  const unsafe = keyProblem(parsed.data.tls, isSecret);
  if (unsafe !== undefined)
    throw refused(stack, [line(`tls: ${unsafe}`, "--path --secret timelift:tls.key FILE")]);
  const { services = external ? [] : besideNames } = parsed.data;
  return { ...parsed.data, services, stack, ...(external && { external, database: external.database }) };
}

function refused(stack: string, problems: string[]): TimeliftError {
  return new TimeliftError({
    code: "config",
    subject: `config of stack ${stack}`,
    problem: `${problems.length} of its values cannot be used\n${problems.join("\n")}`,
    remedy: "run the lines above, or edit the stack's Pulumi file, then run again",
  });
}

/** A problem and the command that mends it. */
function line(problem: string, example: string): string {
  const set = example.startsWith("--") ? example : `timelift:${example}`;
  return `  timelift:${problem}\n    pulumi config set ${set}`;
}

/** Keys of the config, or of one of its objects. */
function keysBelow([object, key]: PropertyKey[]): string[] {
  if (object === "roles") return key === undefined ? shortRoleNames : limitNames;
  if (object === undefined) return Object.keys(keys.shape);
  if (object === "images" || object === "publish") return [...serviceNames];
  if (object === "redis") return redisSettingNames;
  if (object === "tls") return ["certificate", "key", "authority", "names"];
  if (object === "hypertables") return hypertableSettingNames;
  if (object === "alerts") return alertNames;
  if (object === "receivers") return receiverNames;
  return object === "thresholds" ? thresholdNames : Object.keys(ports.shape);
}

function plain(key: string, value: string): unknown {
  if (!(objects as readonly string[]).includes(key)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function describe(issue: z.core.$ZodIssue, values: Record<string, unknown>): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = keysBelow(issue.path);
    return issue.keys.map((key) => {
      const full = [...issue.path, key].join(".");
      return `  timelift:${full}: no such key; known are ${known.join(", ")}\n    pulumi config rm --path timelift:${full}`;
    });
  }
  const key = issue.path[0] as keyof typeof examples;
  const value = issue.path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown>)?.[step],
    values,
  );
  const isUnsaid =
    value === undefined || (key === "source" && value === "") || key in externalKeys || key === "tls";
  const given = isUnsaid || key === "receivers" ? "" : ` = ${JSON.stringify(value)}`;
  const nested = issue.path.join(".") === "redis.policy" && "--path timelift:redis.policy allkeys-lru";
  const example = (nested || examples[key]).replace("SERVICE", String(issue.path[1] ?? "timescaledb"));
  return [line(`${issue.path.join(".")}${given}: ${issue.message}`, example)];
}
