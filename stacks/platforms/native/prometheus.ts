import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { PrometheusDeclaration } from "../../services/service.ts";
import { prometheusArguments } from "../prometheus-arguments.ts";
import { prometheusFiles } from "../prometheus-files.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

/** Prometheus as a process: its settings are flags, what it watches is a file that it can read again. */
export const prometheus: ServiceKind<PrometheusDeclaration> = {
  secretsOf: () => [],

  async prepare({ declaration, folder }) {
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    const files = prometheusFiles(declaration, { hostOf: () => "127.0.0.1" });
    for (const [name, text] of Object.entries(files)) folder.write(`conf/${name}`, text);
  },

  command({ declaration, program, folder, sandbox }) {
    const state = sandbox.inside(folder.stateMount);
    const place = { conf: join(state, "conf"), data: join(state, "data"), listen: "127.0.0.1" };
    return [program.file, ...prometheusArguments(declaration, place)];
  },

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  async reload({ declaration, folder }, before, pid) {
    const sameFlags = isDeepStrictEqual(before.settings, declaration.settings);
    if (before.port !== declaration.port || !sameFlags) return false;
    const position = folder.logSince(0).length;
    process.kill(pid, "SIGHUP");
    for (let tries = 0; tries < 100; tries++) {
      const said = folder.logSince(position);
      if (said.includes("Completed loading of configuration file")) return true;
      if (said.includes("Error reloading config")) return false;
      await sleep(20);
    }
    return false;
  },

  stop: { signal: "SIGTERM", graceSeconds: 30 },
};
