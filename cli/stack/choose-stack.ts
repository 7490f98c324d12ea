import { readdirSync } from "node:fs";
import { join } from "node:path";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { Edition } from "../../migrations/edition.ts";
import { standardPorts } from "../../stacks/config.ts";
import { besideNames } from "../../stacks/service-config.ts";
import type { ServiceName } from "../../stacks/services/service.ts";
import { parseTargetUrl } from "../../stacks/target-url.ts";
import { findWorkload } from "../../stacks/workload.ts";
import { projectDir } from "../backend.ts";
import { sourceInConfig } from "../deploy.ts";
import type { PlatformName, StackChoices } from "./stack-choices.ts";
import { unusedPorts } from "./stack-ports.ts";
import type { Questions } from "./stack-questions.ts";

/** What the command line answers beforehand. */
export interface GivenChoices {
  platform?: PlatformName;
  workload?: string;
  workloadPath?: string;
  source?: string;
  edition?: Edition;
  publish?: string[];
  port?: string[];
  dockerHost?: string;
  /** The URL of an external database. */
  targetUrl?: string;
  protect?: boolean;
}

/** Choices, and what is kept as a secret beside them. */
export interface ChosenStack {
  choices: StackChoices;
  /** Empty where it is set later. */
  targetUrl: string;
}

const platforms: Record<PlatformName, string> = {
  native: "processes of this machine, without root",
  docker: "containers of a Docker engine, here or elsewhere",
  external: "a TimescaleDB that is there already",
};

/**
 * Fills in what a stack's config needs, from what is given and, for the rest, from answers. Each is checked as it comes.
 * @throws TimeliftError `stack-option`, `workload-…`, `source-…` for what cannot be used
 */
export async function chooseStack(stack: string, given: GivenChoices, ask: Questions): Promise<ChosenStack> {
  const platform = given.platform ?? (await ask.choose("Where do its services run?", platforms, "native"));
  refuseOptions(platform, given);
  const { workloadPath = "" } = given;
  const workload = given.workload ?? (workloadPath ? "" : await askWorkload(ask));
  await findWorkload({ name: workload, path: workloadPath, options: {} });
  const source = given.source
    ? sourceInConfig(given.source)
    : await ask
        .line("Which SQLite file is its source? (empty: named later)", "", refusedSource)
        .then((file) => (file === "" ? "" : sourceInConfig(file)));
  const edition = given.edition ?? (await askEdition(platform, ask));
  const targetUrl = platform === "external" ? await askUrl(given, ask) : "";
  const isDocker = platform === "docker";
  const dockerHost =
    given.dockerHost ??
    (isDocker
      ? await ask.line(
          "Which engine? ssh://user@host, tcp://host:2376 (empty: this machine's)",
          "",
          refusedHost,
        )
      : "");
  const publish = isDocker ? await askPublished(given, ask) : [];
  const ports = await askPorts(platform, publish, given, ask);
  const protect =
    given.protect ??
    (await ask.agree("Protect it, so that nothing can drop its data?", platform === "external"));
  const own = { stack, platform, workload, workloadPath, source, edition };
  return { choices: { ...own, publish, ports, dockerHost, protect }, targetUrl };
}

/** What only one platform understands is no silent nothing on another. */
function refuseOptions(platform: PlatformName, given: GivenChoices): void {
  const only = (option: string, value: unknown, wanted: PlatformName) => {
    if (value === undefined || platform === wanted) return;
    throw optionError(option, `it is for --platform ${wanted}, and this one is ${platform}`, "leave it out");
  };
  only("--publish", given.publish, "docker");
  only("--docker-host", given.dockerHost, "docker");
  only("--target-url-stdin", given.targetUrl, "external");
  const refused = given.dockerHost && refusedHost(given.dockerHost);
  if (refused) throw optionError("--docker-host", refused, "--docker-host ssh://user@host");
  if (given.workload && given.workloadPath) {
    throw optionError("--workload-path", "--workload names another one", "leave one of the two out");
  }
}

async function askWorkload(ask: Questions): Promise<string> {
  const files = readdirSync(join(projectDir, "loaders", "workloads"));
  const names = files.map((file) => file.replace(/\.ts$/, "")).sort();
  const preset = names.includes("stockula") ? "stockula" : (names[0] ?? "");
  return ask.choose("Whose tables are these?", Object.fromEntries(names.map((name) => [name, ""])), preset);
}

function askEdition(platform: PlatformName, ask: Questions): Promise<Edition> {
  const editions = { apache: "without columnstore and continuous aggregates", community: "everything" };
  if (platform !== "external") return Promise.resolve(platform === "docker" ? "community" : "apache");
  return ask.choose("Which edition of TimescaleDB does it run?", editions, "community");
}

async function askUrl({ targetUrl }: GivenChoices, ask: Questions): Promise<string> {
  const form = "postgresql://owner:PASSWORD@host:5432/database?sslmode=verify-full";
  const refuse = (url: string) => {
    const parsed = url === "" ? undefined : parseTargetUrl(url);
    return typeof parsed === "string" ? parsed : undefined;
  };
  if (targetUrl === undefined)
    return ask.secret(`Its URL, kept as a secret: ${form} (empty: set later)`, refuse);
  const refused = targetUrl === "" ? "stdin holds none" : refuse(targetUrl);
  if (refused === undefined) return targetUrl;
  throw optionError("--target-url-stdin", refused, form);
}

async function askPublished({ publish }: GivenChoices, ask: Questions): Promise<ServiceName[]> {
  if (publish === undefined) {
    const options = Object.fromEntries(besideNames.map((name) => [name, ""])) as Record<ServiceName, string>;
    return ask.several("What does this machine reach on 127.0.0.1, beside the database?", options);
  }
  const unknown = publish.find((name) => !(besideNames as string[]).includes(name));
  if (unknown !== undefined) {
    throw optionError("--publish", `there is no ${unknown}`, `one of ${besideNames.join(", ")}`);
  }
  return publish as ServiceName[];
}

async function askPorts(
  platform: PlatformName,
  publish: ServiceName[],
  given: GivenChoices,
  ask: Questions,
): Promise<StackChoices["ports"]> {
  const own: Record<PlatformName, ServiceName[]> = {
    native: Object.keys(standardPorts) as ServiceName[],
    docker: ["timescaledb", ...publish],
    external: [],
  };
  const proposed = own[platform].length > 0 ? unusedPorts(projectDir, own[platform]) : {};
  const merge = (words: string[]) => ({ ...proposed, ...readPorts(words) });
  if (given.port !== undefined) return merge(given.port);
  if (own[platform].length === 0) return {};
  const shown = Object.entries(proposed).map(([service, port]) => `${service}=${port}`);
  const refuse = (line: string) => {
    try {
      merge(wordsOf(line));
      return undefined;
    } catch (error) {
      return (error as TimeliftError).problem;
    }
  };
  return merge(wordsOf(await ask.line(`Ports (${shown.join(" ")}; others: SERVICE=PORT …)`, "", refuse)));
}

const wordsOf = (line: string) => line.split(/[\s,]+/).filter(Boolean);

function readPorts(words: string[]): StackChoices["ports"] {
  return Object.fromEntries(
    words.map((word) => {
      const [, service = "", port = ""] = /^([\w-]+)=(\d+)$/.exec(word) ?? [];
      if (!Object.hasOwn(standardPorts, service)) {
        const known = Object.keys(standardPorts).join(", ");
        throw optionError(
          "--port",
          `${word} is not SERVICE=PORT, with one of ${known}`,
          "--port timescaledb=15500",
        );
      }
      if (Number(port) < 1024 || Number(port) > 65535) {
        throw optionError("--port", `${word} is not between 1024 and 65535`, "--port timescaledb=15500");
      }
      return [service, Number(port)];
    }),
  );
}

function refusedSource(file: string): string | undefined {
  try {
    if (file !== "") sourceInConfig(file);
    return undefined;
  } catch (error) {
    return error instanceof TimeliftError ? `${error.problem}; ${error.remedy}` : String(error);
  }
}

function refusedHost(host: string): string | undefined {
  return host === "" || /^(ssh|tcp):\/\/[^\s/]+|^unix:\/\/\/\S+/.test(host)
    ? undefined
    : "it is no ssh://user@host, tcp://host:port or unix:///path";
}

function optionError(option: string, problem: string, remedy: string): TimeliftError {
  return new TimeliftError({ code: "stack-option", subject: option, problem, remedy });
}
