import type pg from "pg";
import { CopyRows } from "./copy-rows.ts";
import { quoteIdentifier } from "./identifier.ts";
import type { Store } from "./source/columnstore-rows.ts";

/** The COPYs that write one part after another, one for each store that rows of a part go to. */
export class PartCopy {
  readonly #client: pg.ClientBase;
  readonly #table: string;
  readonly #columns: string[];
  #copy: CopyRows | null = null;
  #store: Store = "rowstore";

  constructor(client: pg.ClientBase, table: string, columns: string[]) {
    this.#client = client;
    this.#table = quoteIdentifier(table);
    this.#columns = columns;
  }

  /** Writes encoded rows, within a transaction. Resolves when the bytes are on their way. */
  async write(bytes: Uint8Array, store: Store = "rowstore"): Promise<void> {
    if (this.#copy === null || this.#store !== store) {
      await this.finish();
      if (store !== "rowstore") await this.#switch("on", store === "ordered columnstore" ? "on" : "off");
      this.#store = store;
      this.#copy = new CopyRows(this.#client, this.#table, this.#columns);
    }
    await this.#copy.write(bytes);
  }

  /** Resolves when the server has taken every row. */
  async finish(): Promise<void> {
    await this.#copy?.finish();
    this.#copy = null;
    if (this.#store !== "rowstore") await this.#switch("off", "off");
    this.#store = "rowstore";
  }

  /** For the transaction alone, so that a broken one leaves nothing switched. */
  async #switch(direct: "on" | "off", ordered: "on" | "off"): Promise<void> {
    await this.#client.query(
      `SET LOCAL timescaledb.enable_direct_compress_copy = ${direct};
       SET LOCAL timescaledb.enable_direct_compress_copy_client_sorted = ${ordered}`,
    );
  }
}
