import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, type Options } from "execa";
import pg from "pg";
import { type ServiceName, serviceNames } from "../stacks/services/service.ts";
import { freePorts } from "./native-stack.ts";

const project = join(import.meta.dirname, "..");

/** What a command did. */
export interface Outcome {
  exitCode: number;
  /** stdout and stderr as they came. */
  output: string;
  stdout: string;
}

/** A clone of the project in a folder of its own, with a Pulumi home, state and ports of its own. */
export class ProjectCopy {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: Record<ServiceName, number>;

  readonly stack: string;

  private constructor(dir: string, stack: string, ports: ProjectCopy["ports"]) {
    this.dir = dir;
    this.stack = stack;
    this.ports = ports;
    const { PULUMI_BACKEND_URL: _, PULUMI_ACCESS_TOKEN: __, ...env } = process.env;
    this.env = { ...env, PULUMI_HOME: join(dir, ".pulumi-home") };
  }

  static async make(config: Record<string, unknown>, stack = "dev"): Promise<ProjectCopy> {
    const dir = mkdtempSync(join(tmpdir(), "timelift-copy-"));
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: project,
    });
    // Git still lists a file that was deleted and not committed yet.
    const files = stdout.split("\0").filter((file) => file !== "" && existsSync(join(project, file)));
    for (const file of files) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      cpSync(join(project, file), join(dir, file));
    }
    symlinkSync(join(project, "node_modules"), join(dir, "node_modules"));
    const ports = await freePorts(serviceNames.length);
    const named = serviceNames.map((service, index) => [service, ports[index]]);
    const copy = new ProjectCopy(dir, stack, Object.fromEntries(named) as ProjectCopy["ports"]);
    // A salt that the project's own stack left there belongs to another passphrase.
    writeFileSync(copy.#config, "");
    copy.configure({ ...config, ports: copy.ports });
    return copy;
  }

  /** Writes the config of the stack, keeping the salt that Pulumi put there. JSON is YAML. */
  configure(config: Record<string, unknown>): void {
    const file = this.#config;
    const salt = /^encryptionsalt: .*$/m.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    const keys = Object.entries(config).map(([key, value]) => `  timelift:${key}: ${JSON.stringify(value)}`);
    writeFileSync(file, `${salt}\nconfig:\n${keys.join("\n")}\n`);
  }

  /** Runs `./timelift` there, without a terminal. */
  async timelift(...args: string[]): Promise<Outcome> {
    return outcome(this.start(...args));
  }

  /** Runs `./timelift` there in another environment, or with something to read. */
  async timeliftWith(more: { env?: NodeJS.ProcessEnv; input?: string }, ...args: string[]): Promise<Outcome> {
    const options = {
      cwd: this.dir,
      env: this.env,
      extendEnv: false,
      all: true,
      reject: false,
      ...more,
    } as const;
    return outcome(execa(join(this.dir, "timelift"), args, { input: "", ...options }));
  }

  /** Starts `./timelift` there and hands the running process over. */
  start(...args: string[]) {
    const options = {
      cwd: this.dir,
      env: this.env,
      extendEnv: false,
      all: true,
      reject: false,
      stdin: "ignore",
    } as const;
    return execa(join(this.dir, "timelift"), args, options satisfies Options);
  }

  /** Runs plain `pulumi` on the stack, as in `timelift shell`. */
  pulumi(...args: string[]): Promise<Outcome> {
    return this.#run(args);
  }

  async #run(args: string[], input?: string): Promise<Outcome> {
    const env = {
      ...this.env,
      PULUMI_BACKEND_URL: `file://${join(this.dir, ".timelift", "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(this.dir, ".timelift", "passphrase"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const options = { cwd: this.dir, env, extendEnv: false, all: true, reject: false, input } as const;
    return outcome(execa("pulumi", [...args, "--stack", this.stack], options));
  }

  get #config(): string {
    return join(this.dir, `Pulumi.${this.stack}.yaml`);
  }

  /** Sets a secret of the config as a user would whose shell shall not remember it: by stdin. */
  async secret(key: string, value: string): Promise<void> {
    const { exitCode, output } = await this.#run(["config", "set", "--secret", `timelift:${key}`], value);
    if (exitCode !== 0) throw new Error(output);
  }

  /** An output of the stack, secret or not. */
  async output<T = string>(name: string): Promise<T> {
    const { stdout } = await this.pulumi("stack", "output", name, "--json", "--show-secrets");
    return JSON.parse(stdout) as T;
  }

  /** The first row of an answer, asked by a URL that the stack puts out. */
  async ask(url: string, sql: string): Promise<unknown> {
    const client = new pg.Client(this.fromHere(url));
    await client.connect();
    try {
      return (await client.query(sql)).rows[0];
    } finally {
      await client.end();
    }
  }

  /** A URL that the stack puts out: the path of a certificate in it starts at the project, and this process runs elsewhere. */
  fromHere(url: string): string {
    const parsed = new URL(url);
    const file = parsed.searchParams.get("sslrootcert");
    if (file !== null) parsed.searchParams.set("sslrootcert", join(this.dir, file));
    return parsed.href;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Waits for a started command. */
export async function outcome(
  child: PromiseLike<{ exitCode?: number; all?: string; stdout?: string }>,
): Promise<Outcome> {
  const { exitCode = 1, all = "", stdout = "" } = await child;
  return { exitCode, output: all, stdout };
}
