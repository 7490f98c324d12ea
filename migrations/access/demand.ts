import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import { declaredObjects } from "../declared.ts";
import type { Edition } from "../edition.ts";
import type { MigrationContext } from "../timescale.ts";

/** What a workload will touch in a database, so that it can be asked for before the first of it is touched. */
export interface AccessDemand {
  /** Edition of TimescaleDB that the migrations are built for. */
  edition: Edition;
  /** Target tables, in the schema public. */
  tables: string[];
  /** Aggregates: views that validation and applications read. */
  views: string[];
  /** Whether a schema of guards is made beside `timelift`. */
  guards: boolean;
}

/** The demand of a workload's loader and migrations. */
export async function demandOf(
  { tables }: LoaderDefinition,
  migrationsDir: string,
  context: MigrationContext & { edition: Edition },
): Promise<AccessDemand> {
  const objects = await declaredObjects(migrationsDir, context);
  return {
    edition: context.edition,
    tables: Object.keys(tables).sort(),
    views: objects.flatMap(({ kind, name }) => (kind === "continuous aggregate" ? [name] : [])).sort(),
    guards: objects.some(({ kind }) => kind === "guard"),
  };
}
