import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import pg from "pg";
import type { Connection } from "../loaders/connection.ts";
import { migrate } from "../migrations/migrate.ts";
import { startService, stopService } from "../stacks/platforms/native/native-service.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { stackSecrets } from "./native-stack.ts";
import { ProjectCopy } from "./project-copy.ts";

/** A workload as text: its loader, and the migration that makes its tables. */
export interface WorkloadText {
  loader: string;
  /** What stands between `timescale((db) => {` and `})`. */
  tables: string;
}

/** A stack as `up` leaves it before the load: config, a database that runs, tables. In a copy of the project. */
export class StackCopy {
  readonly project: ProjectCopy;
  /** The SQLite file that the stack's config names. */
  readonly source: string;
  /** The target, as its owner. */
  readonly owner: pg.Client;
  readonly #port: number;

  private constructor(project: ProjectCopy, port: number) {
    this.project = project;
    this.source = join(project.dir, "app.db");
    this.#port = port;
    this.owner = new pg.Client(this.as("timelift_owner"));
  }

  static async make({ loader, tables }: WorkloadText): Promise<StackCopy> {
    const project = await ProjectCopy.make({});
    project.configure({ source: "app.db", workloadPath: "shop", ports: project.ports });
    const before = join(project.dir, "shop", "migrations", "before-load");
    mkdirSync(before, { recursive: true });
    mkdirSync(join(project.dir, "shop", "migrations", "after-load"));
    writeFileSync(join(project.dir, "shop", "loader.ts"), loader);
    const imports = `import { timescale } from "../../../migrations/timescale.ts";`;
    const text = `${imports}\nexport const up = timescale((db) => {${tables}});\nexport const down = up.reverse;`;
    writeFileSync(join(before, "0001_tables.ts"), text);
    mkdirSync(join(project.dir, ".timelift", "state"), { recursive: true, mode: 0o700 });
    writeFileSync(join(project.dir, ".timelift", "passphrase"), "of tests", { mode: 0o600 });
    const { exitCode, output } = await project.pulumi("stack", "init");
    if (exitCode !== 0) throw new Error(output);

    const stack = new StackCopy(project, project.ports.timescaledb);
    const declaration = timescaledb({ port: stack.#port, database: "timelift", memoryMb: 512 });
    await startService({ stateDir: stack.#stateDir, declaration, secrets: stackSecrets }, () => {});
    const workloadDir = join(project.dir, "shop", "migrations");
    const context = { options: {} };
    await migrate(
      { target: stack.as("timelift_owner"), workloadDir, phase: "before-load", context },
      () => {},
    );
    await stack.owner.connect();
    return stack;
  }

  get #stateDir(): string {
    return join(this.project.dir, ".timelift", "dev");
  }

  as(role: "timelift_owner" | "timelift_loader"): Connection {
    return {
      host: "127.0.0.1",
      port: this.#port,
      database: "timelift",
      user: `${role}_a`,
      password: stackSecrets[role],
    };
  }

  /** Starts a command there, without a terminal. */
  start(...args: string[]) {
    return execa(process.execPath, ["cli/main.ts", ...args], {
      cwd: this.project.dir,
      env: this.project.env,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    });
  }

  /** Runs a command there. */
  async timelift(...args: string[]) {
    const { exitCode, stdout, stderr } = await this.start(...args);
    return { exitCode, stdout, stderr };
  }

  /** Empties the tables and forgets what was loaded. */
  async empty(tables: string[]): Promise<void> {
    await this.owner.query(`TRUNCATE ${tables.join(", ")}`);
    const loader = new pg.Client(this.as("timelift_loader"));
    await loader.connect();
    const { rows } = await loader.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE tableowner = current_user",
    );
    if (rows.length > 0) await loader.query(`DROP TABLE ${rows.map(({ name }) => name).join(", ")} CASCADE`);
    await loader.end();
  }

  /** Rows of a query on the target, each as one text. */
  async rows(sql: string): Promise<string[]> {
    const { rows } = await this.owner.query({ text: sql, rowMode: "array" });
    return rows.map((row: unknown[]) => row.map(String).join(" "));
  }

  async remove(): Promise<void> {
    await this.owner.end();
    await stopService({ stateDir: this.#stateDir, declaration: { name: "timescaledb" }, dropData: true });
    this.project.remove();
  }
}
