import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while no other process runs work under the same `name`; waits for its turn.
 *
 * The lock is an abstract Unix socket: the kernel lets it go when its holder dies, however it dies, so there
 * is no stale lock to clear and no file left behind.
 */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const key = createHash("sha256").update(name).digest("hex").slice(0, 32);
  const holder = await acquire(`\0timelift-${process.getuid?.() ?? 0}-${key}`);
  try {
    return await work();
  } finally {
    await new Promise((released) => holder.close(released));
  }
}

async function acquire(address: string): Promise<Server> {
  for (;;) {
    const server = await listen(address);
    if (server !== undefined) return server;
    await sleep(50);
  }
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}
