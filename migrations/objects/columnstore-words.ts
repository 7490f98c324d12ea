import { isOlder } from "../../loaders/version-order.ts";
import { literal } from "../literal.ts";

/** How a version of TimescaleDB says what it does with the columnstore. */
export interface ColumnstoreWords {
  enabled: string;
  segmentBy: string;
  orderBy: string;
  /** Statements of PL/pgSQL or SQL; `table` and `after` are expressions. */
  addPolicy(table: string, after: string): string;
  removePolicy(table: string): string;
  /** Inside PL/pgSQL. */
  toRows(chunk: string): string;
  /** A key cannot be added to a hypertable that has it enabled. */
  keysFirst: boolean;
}

const columnstore: ColumnstoreWords = {
  enabled: "timescaledb.enable_columnstore",
  segmentBy: "timescaledb.segmentby",
  orderBy: "timescaledb.orderby",
  addPolicy: (table, after) =>
    `CALL add_columnstore_policy(${table}, after => ${after}, if_not_exists => true)`,
  removePolicy: (table) => `CALL remove_columnstore_policy(${table}, if_exists => true)`,
  keysFirst: false,
  toRows: (chunk) => `CALL convert_to_rowstore(${chunk}, if_columnstore => true)`,
};

/** Before 2.18 it was called compression. */
const compression: ColumnstoreWords = {
  enabled: "timescaledb.compress",
  segmentBy: "timescaledb.compress_segmentby",
  orderBy: "timescaledb.compress_orderby",
  addPolicy: (table, after) =>
    `SELECT add_compression_policy(${table}, compress_after => ${after}, if_not_exists => true)`,
  removePolicy: (table) =>
    `DO ${literal(`BEGIN PERFORM remove_compression_policy(${table}, if_exists => true); END`)}`,
  keysFirst: true,
  toRows: (chunk) => `PERFORM decompress_chunk(${chunk}, if_compressed => true)`,
};

/**
 * The words of a version; those of today where it is not known, as in a preview.
 * @param version of TimescaleDB, `2.17.2`
 */
export function columnstoreWords(version: string | undefined): ColumnstoreWords {
  return version !== undefined && isOlder(version, "2.18") ? compression : columnstore;
}
