import * as pulumi from "@pulumi/pulumi";
import { renderQueries } from "../stacks/monitoring/query.ts";
import { type DockerPlatformArgs, dockerPlatform } from "../stacks/platforms/docker.ts";
import type { Service } from "../stacks/platforms/platform.ts";
import { alertmanager } from "../stacks/services/alertmanager.ts";
import {
  nodeExporter,
  pgbouncerExporter,
  postgresExporter,
  redisExporter,
} from "../stacks/services/exporters.ts";
import { grafana } from "../stacks/services/grafana.ts";
import { loginOf } from "../stacks/services/login.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { prometheus, scrapeOf } from "../stacks/services/prometheus.ts";
import { redis } from "../stacks/services/redis.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { stackSecrets } from "./native-stack.ts";

/** What the stack's servers prove themselves by. */
export const stackCertificate = {
  ...{ certificate: "certificate of tests", key: "key of tests", authority: "authority of tests" },
};

/** One resource that a program declared, as the engine would be told of it. */
export interface Declared {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into inputs of many shapes
  inputs: Record<string, any>;
  /** Inputs that are secret, wholly or somewhere inside. */
  secrets: string[];
  dependencies: string[];
  retainOnDelete: boolean;
  /** What is there already and is adopted; empty where it is made. */
  adopted: string;
  /** Whether Pulumi refuses to delete it. */
  protect: boolean;
  deleteBeforeReplace: boolean;
  replaceOnChanges: string[];
}

let declared: Declared[] = [];

/** What is read of a request to register a resource. */
interface Registration {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getRetainondelete(): boolean;
  getImportid(): string;
  getProtect(): boolean;
  getDeletebeforereplace(): boolean;
  getReplaceonchangesList(): string[];
}
interface Monitor {
  registerResource(request: Registration, callback: unknown): Promise<void>;
}

/** Makes the resources' classes talk to a recorder in place of an engine. Call before any is made. */
export function recordResources(): Promise<void> {
  return record(false);
}

/** The same, as they would be told in a preview. */
export function recordPreview(): Promise<void> {
  return record(true);
}

async function record(isPreview: boolean): Promise<void> {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs }) => {
        const { __provider: _, ...plain } = unwrapped(inputs) as Declared["inputs"];
        inputsOf.set(`${type} ${name}`, plain);
        return { id: `${name}-id`, state: { ...plain, ...outputsOf(type, name, plain) } };
      },
      call: ({ inputs }) => inputs,
    },
    "timelift",
    "staging",
    isPreview,
  );
  // Mocks are not told of secrets and options; the request that they answer holds them.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = async (request, callback) => {
    const [type, name] = [request.getType(), request.getName()];
    await register(request, callback);
    declared.push({
      ...{ type, name, inputs: inputsOf.get(`${type} ${name}`) ?? {} },
      secrets: secretsOf(request.getObject()?.toJavaScript() ?? {}),
      dependencies: request
        .getDependenciesList()
        .map((urn) => urn.split("::").slice(-2).join("::").replace(/^.*\$/, "")),
      retainOnDelete: request.getRetainondelete() === true,
      adopted: request.getImportid(),
      protect: request.getProtect() === true,
      deleteBeforeReplace: request.getDeletebeforereplace() === true,
      replaceOnChanges: request.getReplaceonchangesList(),
    });
  };
}

const inputsOf = new Map<string, Declared["inputs"]>();

/** Pulumi's mark of a secret. */
const mark = "1b47061264138c4ac30d75fd1eb44270";

/** Names of inputs with the mark on them, or somewhere inside. */
function secretsOf(raw: Record<string, unknown>): string[] {
  return Object.entries(raw).flatMap(([key, value]) => (JSON.stringify(value).includes(mark) ? [key] : []));
}

/** Values without the mark. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  if (Object.values(value).includes(mark)) return unwrapped((value as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unwrapped(each)]));
}

function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value as T));
  });
}

function outputsOf(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  if (type.endsWith(":RemoteImage")) return { imageId: `sha256:of ${inputs.name}` };
  if (type.endsWith(":Credentials")) {
    return { passwords: inputs.names ? { postgres: "superuser of tests" } : stackSecrets };
  }
  if (type.endsWith(":Certificates")) return stackCertificate;
  if (type.endsWith(":SysrootImage")) return { image: "timelift-sysroot:abc" };
  return type.endsWith(":DockerService") ? { version: `version of ${name}` } : {};
}

/** What is declared while `work` runs. */
export async function recorded(work: () => Promise<unknown>): Promise<Declared[]> {
  declared = [];
  await work();
  return declared;
}

/** All that the docker platform declares for the stack's services, and what it says of them. */
export async function declareServices(
  more: Partial<DockerPlatformArgs>,
): Promise<{ resources: Declared[]; services: Record<string, Service>; find: (name: string) => Declared }> {
  declared = [];
  const platform = dockerPlatform({
    ...{ stack: "staging", stateDir: ".timelift/staging", dropData: false, edition: "apache" as const },
    ...{ images: {}, publish: { timescaledb: "127.0.0.1" }, tls: { names: [] }, ...more },
  });
  const secrets = pulumi.secret({
    ...stackSecrets,
    receivers: JSON.stringify({ webhook: "http://hooks/Zq87" }),
  });
  const database = platform.service(
    timescaledb({ port: 15432, database: "timelift", memoryMb: 1024 }),
    secrets,
  );
  const pool = pgbouncer({ port: 16432, upstreamPort: 15432, database: "timelift" });
  const user = loginOf("timelift_monitor", 1);
  const at = { upstreamPort: 15432, database: "timelift", user, queries: renderQueries([]) };
  const exporters = [
    postgresExporter({ port: 19187, ...at }),
    pgbouncerExporter({ port: 19127, poolPort: 16432, user }),
    redisExporter({ port: 19121, cachePort: 16379 }),
    nodeExporter({ port: 19100 }),
    alertmanager({ port: 19093, receivers: { webhook: { severities: ["critical"] } } }),
  ];
  const scrape = exporters.map(scrapeOf);
  const services = {
    timescaledb: database,
    pgbouncer: platform.service(pool, secrets, [database]),
    redis: platform.service(redis({ port: 16379 }), secrets),
    ...Object.fromEntries(
      exporters.map((exporter) => [exporter.name, platform.service(exporter, secrets, [database])]),
    ),
    prometheus: platform.service(prometheus({ port: 19090, scrape }), secrets),
    grafana: platform.service(
      grafana({
        ...{ port: 13000, prometheusPort: 19090, dashboards: { "timelift-health": "{}\n" } },
        database: { port: 15432, name: "timelift", user: "timelift_readonly" },
      }),
      pulumi.secret({ ...stackSecrets, grafana: "grafana-Zq87" }),
      [database],
    ),
  };
  for (const { resource } of Object.values(services)) {
    await resolved(resource.urn);
  }
  const resources = declared;
  const find = (wanted: string) => {
    const found = resources.find(({ type, name }) => `${type.split(":").at(-1)} ${name}` === wanted);
    if (found === undefined)
      throw new Error(`no ${wanted} among ${resources.map(({ type, name }) => `${type} ${name}`)}`);
    return found;
  };
  return { resources, services, find };
}
