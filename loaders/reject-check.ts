import type { Write } from "./apply-changes.ts";
import type { LoadContext } from "./copy-table.ts";
import type { LedgerTable } from "./ledger.ts";
import { RejectFlood } from "./reject-flood.ts";
import { allowedRejects, type MaxRejects, RejectBudget } from "./reject-limit.ts";
import { rereadsAll } from "./reject-retry.ts";
import { rowsRejected } from "./rows-rejected.ts";

/** Holds a load to the rows that it may reject. */
export class RejectCheck {
  readonly #context: LoadContext;
  readonly #workload: string;
  readonly #maxRejects: MaxRejects;
  readonly #tables: string[];

  /** @param tables the load's target tables */
  constructor(context: LoadContext, workload: string, tables: string[], maxRejects: MaxRejects) {
    this.#tables = tables;
    this.#context = context;
    this.#workload = workload;
    this.#maxRejects = maxRejects;
  }

  /**
   * Sets how many rows may be rejected before the load stops.
   * @throws TimeliftError rows-rejected where earlier loads rejected more already, max-rejects
   */
  async begin(plan: Write[], before: Map<string, LedgerTable>): Promise<void> {
    let rows = 0;
    let known = 0;
    for (const { task, action, retry } of plan) {
      const ledger = before.get(task.name);
      if (action.kind !== "none") rows += action.rows;
      if (ledger === undefined || rereadsAll(action)) continue;
      rows += ledger.rows + ledger.rejected;
      known += ledger.rejected - (retry?.fits.length ?? 0) - (retry?.gone.length ?? 0);
    }
    const budget = new RejectBudget(allowedRejects(this.#maxRejects, rows), known);
    // The same object as before: connections that write side by side share it.
    this.#context.budget.left = budget.left;
    if (this.#context.budget.left < 0) await this.end(before);
  }

  /**
   * Looks at what was rejected in the end.
   * @throws TimeliftError rows-rejected
   */
  async end(after: Map<string, LedgerTable>, flood?: RejectFlood): Promise<void> {
    const tables = this.#tables.flatMap((name) => after.get(name) ?? []);
    const rejected = tables.reduce((sum, table) => sum + table.rejected, 0);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0) + rejected;
    const allowed = allowedRejects(this.#maxRejects, rows);
    if (rejected <= allowed && flood === undefined) return;
    const load = { workload: this.#workload, tables: this.#tables, rows, rejected, allowed };
    throw await rowsRejected(this.#context.ledger, flood === undefined ? load : { ...load, flood });
  }

  /** Runs what writes; a flood of rejects becomes the error that names them. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RejectFlood)) throw error;
      await this.#context.client.query("ROLLBACK");
      await this.end(await this.#context.ledger.tables(), error);
      throw error;
    }
  }
}
