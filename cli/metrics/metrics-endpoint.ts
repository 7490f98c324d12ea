import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { TimeliftError } from "../../loaders/timelift-error.ts";

/** An endpoint that answers. */
export interface MetricsEndpoint {
  url: string;
  close(): Promise<void>;
}

/**
 * Answers `GET /metrics` on 127.0.0.1 while a command runs; it never keeps the process alive. Port 0 takes a free one.
 * @throws TimeliftError `metrics-port`
 */
export async function serveMetrics(registry: Registry, port: number): Promise<MetricsEndpoint> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end("metrics are at /metrics\n");
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refused(port, error)));
    server.listen(port, "127.0.0.1", resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refused(port: number, error: NodeJS.ErrnoException): TimeliftError {
  const taken = error.code === "EADDRINUSE";
  return new TimeliftError({
    code: "metrics-port",
    subject: `port ${port} on 127.0.0.1`,
    problem: taken ? "another program listens there" : error.message,
    remedy: "Name a free port: --metrics-port PORT",
    cause: error,
  });
}
