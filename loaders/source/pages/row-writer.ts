import type { CopyBuffer } from "../../encode/copy-buffer.ts";
import { type Encode, type EncodedColumn, encoderOf } from "../../encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../../encode/value-problem.ts";
import { fieldWriter, type WriteField, writeNull } from "./field-writer.ts";
import type { StoredColumn } from "./paged-table.ts";
import { type StoredRecord, serial } from "./stored-record.ts";

/** Writes stored rows as rows of binary COPY. */
export class RowWriter {
  readonly #columns: EncodedColumn[];
  readonly #stored: Int32Array;
  readonly #writers: WriteField[];
  readonly #encoders: Encode[];
  readonly #older: (rowid: number) => SourceValue[];
  /** Values of columns that were added after a row was written: the same for all such rows. */
  readonly #added: (SourceValue | undefined)[];

  constructor(columns: EncodedColumn[], stored: StoredColumn[], older: (rowid: number) => SourceValue[]) {
    this.#columns = columns;
    this.#stored = Int32Array.from(stored, ({ at }) => at);
    this.#writers = columns.map((column, i) =>
      fieldWriter(column, stored[i]?.at ?? 0, stored[i]?.real ?? false),
    );
    this.#encoders = columns.map(encoderOf);
    this.#older = older;
    this.#added = columns.map(() => undefined);
  }

  /**
   * Appends a row, and notes in `places` where the fields at the positions `keys` begin.
   * @throws ValueProblem, which names the column; the buffer then holds half a row
   */
  write(record: StoredRecord, out: CopyBuffer, keys: Uint32Array, places: Uint32Array): void {
    const count = this.#writers.length;
    out.reserve(2 + 4 * count);
    out.putInt16(count);
    let i = 0;
    try {
      for (; i < count; i += 1) {
        for (let key = 0; key < keys.length; key += 1) if (keys[key] === i) places[key] = out.at;
        const at = this.#stored[i] as number;
        if (at < 0) this.#writeValue(BigInt(record.rowid), i, out);
        else if (at >= record.count) this.#writeValue(this.#addedValue(record.rowid, i), i, out);
        else if (record.serials[at] === serial.null) writeNull(this.#columns[i] as EncodedColumn, out);
        else (this.#writers[i] as WriteField)(record, out);
      }
    } catch (error) {
      if (error instanceof ValueProblem) error.column = this.#columns[i]?.target ?? "";
      throw error;
    }
  }

  #writeValue(value: SourceValue, i: number, out: CopyBuffer): void {
    if (value === null) writeNull(this.#columns[i] as EncodedColumn, out);
    else (this.#encoders[i] as Encode)(value, out);
  }

  #addedValue(rowid: number, i: number): SourceValue {
    let value = this.#added[i];
    if (value === undefined) {
      value = this.#older(rowid)[i] ?? null;
      this.#added[i] = value;
    }
    return value;
  }
}
