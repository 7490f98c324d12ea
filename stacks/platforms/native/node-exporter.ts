import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeExporterDeclaration } from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import { metricsFolder } from "../metrics-folder.ts";
import { askHttp } from "./health.ts";
import type { Mount } from "./sandbox.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { ServiceKind } from "./service-kind.ts";

/** All of the machine's files, whose mounts tell of its disks. */
const machine: Mount = { path: "/", seenAt: "/tmp/timelift/machine", readOnly: true };
const metricsOf = ({ path }: ServiceFolder): Mount => ({
  path: metricsFolder(join(path, "../..")),
  seenAt: "/tmp/timelift/metrics",
  readOnly: true,
});

/** The exporter of the machine as a process. It tells of one disk: the one that holds the services' data. */
export const nodeExporter: ServiceKind<NodeExporterDeclaration> = {
  secretsOf: () => [],

  mounts(folder) {
    const metrics = metricsOf(folder);
    mkdirSync(metrics.path, { recursive: true, mode: 0o700 });
    return [machine, metrics];
  },

  async prepare() {},

  command: ({ declaration: { port, settings }, program, folder, sandbox }) => [
    program.file,
    `--web.listen-address=127.0.0.1:${port}`,
    `--path.rootfs=${sandbox.inside(machine)}`,
    `--collector.filesystem.mount-points-include=^${escaped(mountPointOf(folder.path))}$`,
    // Its own list leaves out what containers have for a disk.
    "--collector.filesystem.fs-types-exclude=^$",
    `--collector.textfile.directory=${sandbox.inside(metricsOf(folder))}`,
    ...flags(settings),
  ],

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 5 },
};

/** Where the file system that holds a path is mounted. */
function mountPointOf(path: string): string {
  const points = readFileSync("/proc/1/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4]?.replace(/\\040/g, " ") ?? []);
  const holds = (point: string) => point === "/" || path === point || path.startsWith(`${point}/`);
  return points.filter(holds).sort((one, other) => other.length - one.length)[0] ?? "/";
}

function escaped(text: string): string {
  return text.replace(/[^\w/]/g, "\\$&");
}
