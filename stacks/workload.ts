import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { z } from "zod";
import type { LoaderDefinition } from "../loaders/define-loader.ts";
import { importFile } from "../loaders/import-file.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { MigrationContext } from "../migrations/timescale.ts";

/** Names a workload; short and free of machine paths, so that it can be a resource's input. */
export interface WorkloadReference {
  name: string;
  /** Folder as the config writes it; empty for a workload of the project. */
  path: string;
  /** As the config writes them; the workload's schema fills in defaults. */
  options: Record<string, unknown>;
}

/** Names the workload of a stack; one kept elsewhere is called after its folder. */
export function workloadReference(config: {
  workload: string;
  workloadPath: string;
  workloadOptions: Record<string, unknown>;
}): WorkloadReference {
  const path = config.workloadPath;
  return { name: path ? basename(path) : config.workload, path, options: config.workloadOptions };
}

/** One application's loader and migrations, with its options parsed. */
export interface Workload {
  name: string;
  loader: LoaderDefinition;
  /** The folder that holds `before-load/` and `after-load/`. */
  migrationsDir: string;
  /** The file that declares its dashboards; it need not be there. */
  dashboardsFile: string;
  context: MigrationContext;
}

/** What `loader.ts` exports. */
interface LoaderExports {
  default: LoaderDefinition | ((options: Record<string, unknown>) => LoaderDefinition);
  options: z.ZodType<Record<string, unknown>>;
}

/**
 * Loads a workload: `loaders/workloads/<name>.ts` with `migrations/<name>/`, or `<path>/loader.ts` with
 * `<path>/migrations/`; dashboards are in `dashboards.ts` of the one or the other folder. Relative paths start at the current folder, which is the project's.
 * @throws TimeliftError `workload-missing`, `workload-import`, `workload-loader`, `workload-options`
 */
export async function findWorkload(reference: WorkloadReference): Promise<Workload> {
  const project = resolve(import.meta.dirname, "..");
  const [loaderFile, migrationsDir, dashboardsFile] = (
    reference.path
      ? ["loader.ts", "migrations", "dashboards.ts"].map((name) => resolve(reference.path, name))
      : [
          join(project, "loaders", "workloads", `${reference.name}.ts`),
          join(project, "migrations", reference.name),
          join(project, "migrations", reference.name, "dashboards.ts"),
        ]
  ) as [string, string, string];
  if (!existsSync(loaderFile)) {
    throw new TimeliftError({
      code: "workload-missing",
      subject: reference.path ? `workload in ${reference.path}` : `workload ${reference.name}`,
      problem: reference.path ? "the folder has no loader.ts" : "there is no such workload",
      remedy: reference.path
        ? "point timelift:workloadPath at a folder with loader.ts and migrations/"
        : `choose one of ${readdirSync(join(project, "loaders", "workloads"))
            .map((file) => file.replace(/\.ts$/, ""))
            .join(", ")}, or point timelift:workloadPath at your own`,
    });
  }
  const module = await importFile<LoaderExports>(loaderFile);
  const options = parseOptions(reference, module.options);
  const loader = typeof module.default === "function" ? module.default(options) : module.default;
  if (!loader?.tables) {
    throw new TimeliftError({
      code: "workload-loader",
      subject: loaderFile,
      problem: "its default export is no loader",
      remedy: "export default defineLoader({ tables: { … } }), or a function of the options that gives one",
    });
  }
  return {
    name: reference.name,
    loader,
    migrationsDir,
    dashboardsFile,
    context: { options },
  };
}

function parseOptions(
  { name, options }: WorkloadReference,
  schema: z.ZodType<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  if (!schema) return options;
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new TimeliftError({
    code: "workload-options",
    subject: `timelift:workloadOptions of ${name}`,
    problem: parsed.error.issues
      .map((issue) => `${issue.path.join(".") || "key"}: ${issue.message}`)
      .join("; "),
    remedy: "pulumi config set --path timelift:workloadOptions.KEY VALUE",
  });
}
