import { syncBuiltinESMExports } from "node:module";
import { createInterface } from "node:readline";
import workerThreads from "node:worker_threads";
import type { Connection } from "../loaders/connection.ts";

/** What the process that is going to be killed shall do: a load, then the keys, as `up` does. */
export interface KillTargetRequest {
  workload: string;
  /** The workload's `loader.ts`. */
  loader: string;
  /** The folder of its migrations. */
  migrations: string;
  source: string;
  copyPath: string;
  partRows: number;
  workers: number;
  /** As the loading role. */
  target: Connection;
  /** As the role that owns the tables. */
  owner: Connection;
}

/**
 * A process of its own that loads and migrates for `load-kill.test.ts`. It takes one request as a JSON line on stdin,
 * prints every event as a JSON line, and a `{"kind":"keys"}` when all is done. On a second line on stdin it ends a
 * thread of its own that is at work: a thread cannot be killed from outside, so `Worker.terminate()`, which stops it
 * wherever it is and tells it nothing, stands for a thread that dies.
 */
const threads = new Set<workerThreads.Worker>();
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(...args: ConstructorParameters<typeof workerThreads.Worker>) {
    super(...args);
    threads.add(this);
    this.once("exit", () => threads.delete(this));
  }
};
syncBuiltinESMExports();

const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

async function run(request: KillTargetRequest): Promise<void> {
  const { runLoad } = await import("../loaders/run-load.ts");
  const { migrate } = await import("../migrations/migrate.ts");
  const { default: loader } = await import(request.loader);
  const { workload, source, copyPath, partRows, workers, target, owner, migrations } = request;
  say({ kind: "begin" });
  await runLoad({ workload, loader, source, copyPath, partRows, workers, target, events: say });
  say({ kind: "rows" });
  const context = { options: {} };
  await migrate({ target: owner, workloadDir: migrations, phase: "after-load", context }, () => {});
  say({ kind: "keys" });
}

const lines = createInterface({ input: process.stdin });
lines.once("line", (request) => {
  lines.on("line", () => {
    const [thread] = threads;
    say({ kind: "thread", ended: thread !== undefined });
    void thread?.terminate();
  });
  run(JSON.parse(request))
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    })
    .finally(() => process.stdin.destroy());
});
