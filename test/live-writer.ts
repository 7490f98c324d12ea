import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const script = `
  const { createRequire } = await import("node:module");
  const Database = createRequire(process.env.BASE)("better-sqlite3");
  const db = new Database(process.env.DB, { timeout: Number(process.env.WAIT) });
  db.exec(process.env.BEFORE);
  console.log("ready");
  let wrote = 0;
  let longest = 0;
  const write = () => {
    const start = performance.now();
    try {
      db.exec(process.env.WRITE);
      wrote += 1;
    } catch (error) {
      console.log("error " + error.message);
    }
    longest = Math.max(longest, performance.now() - start);
  };
  const timer = process.env.WRITE ? setInterval(write, Number(process.env.EVERY)) : setInterval(() => {}, 1000);
  process.stdin.resume().on("end", () => {
    clearInterval(timer);
    db.close();
    console.log(JSON.stringify({ wrote, longest }));
  });`;

/** What a writer did. */
export interface Written {
  wrote: number;
  /** The longest that one write took, in ms. */
  longest: number;
  /** Messages of writes that failed. */
  errors: string[];
}

/**
 * An application that writes to a SQLite file from a process of its own: closing a file drops every lock that its
 * process holds there, so a writer inside the test's process would prove nothing.
 */
export class LiveWriter {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * @param before SQL run once
   * @param write SQL run every `everyMs`, each time giving up after `waitMs`
   */
  static async start(
    path: string,
    before: string,
    write = "",
    { everyMs = 10, waitMs = 1000 } = {},
  ): Promise<LiveWriter> {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"] as const,
      env: {
        ...process.env,
        ...{ BASE: import.meta.url, DB: path, BEFORE: before, WRITE: write },
        ...{ EVERY: String(everyMs), WAIT: String(waitMs) },
      },
    });
    const writer = new LiveWriter(child);
    const ready = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "ready") ready.resolve();
      else writer.#lines.push(line);
    });
    child.once("exit", () => ready.reject(new Error("the writer did not start")));
    await ready.promise;
    return writer;
  }

  /** Ends the writer in good order. */
  async stop(): Promise<Written> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
    const summary = JSON.parse(this.#lines.findLast((line) => line.startsWith("{")) ?? "{}");
    const errors = this.#lines.filter((line) => line.startsWith("error ")).map((line) => line.slice(6));
    return { ...summary, errors };
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}
