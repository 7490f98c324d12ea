import type { TargetType } from "../target-table.ts";
import type { CopyBuffer } from "./copy-buffer.ts";
import { encodeBoolean, encodeFloat4, encodeFloat8, encodeInteger } from "./encode-number.ts";
import { encodeNumeric } from "./encode-numeric.ts";
import { encodeBytea, encodeJson, encodeText, encodeUuid } from "./encode-text.ts";
import { encodeDate, encodeTimestamp } from "./encode-time.ts";
import { type SourceValue, ValueProblem } from "./value-problem.ts";

/** Writes one value as a field of binary COPY: its length, then its bytes. Never called with NULL. */
export type Encode = (value: SourceValue, out: CopyBuffer) => void;

/** The encoder of a type. It throws a ValueProblem rather than change a value. */
export function encoderOf(type: TargetType): Encode {
  switch (type.kind) {
    case "text":
      return encodeText(type.length);
    case "bool":
      return encodeBoolean;
    case "int2":
    case "int4":
    case "int8":
      return encodeInteger(type.kind);
    case "float4":
      return encodeFloat4;
    case "float8":
      return encodeFloat8;
    case "numeric":
      return encodeNumeric(type.precision, type.scale);
    case "date":
      return encodeDate;
    case "timestamp":
    case "timestamptz":
      return encodeTimestamp(type.kind, type.digits);
    case "uuid":
      return encodeUuid;
    case "json":
    case "jsonb":
      return encodeJson(type.kind);
    case "bytea":
      return encodeBytea;
  }
}

/** What the row encoder has to know of a column; small enough to cross into a worker. */
export interface EncodedColumn {
  target: string;
  type: TargetType;
  nullable: boolean;
}

/**
 * Returns a function that appends one row, read as an array, to the buffer. The values start at `offset`.
 * A row with a problem leaves nothing behind in the buffer, and the ValueProblem names its column.
 */
export function rowEncoder(columns: EncodedColumn[], offset: number) {
  const encoders = columns.map((column) => encoderOf(column.type));
  const nullable = columns.map((column) => column.nullable);
  const count = columns.length;
  return (row: SourceValue[], out: CopyBuffer): void => {
    const start = out.at;
    let i = 0;
    try {
      out.reserve(2 + 4 * count);
      out.putInt16(count);
      for (; i < count; i++) {
        const value = row[offset + i] as SourceValue;
        if (value !== null) {
          (encoders[i] as Encode)(value, out);
        } else if (nullable[i]) {
          out.reserve(4);
          out.putInt32(-1);
        } else {
          throw new ValueProblem(value, "NULL where the target says NOT NULL");
        }
      }
    } catch (error) {
      out.at = start;
      if (error instanceof ValueProblem) error.column = columns[i]?.target ?? "";
      throw error;
    }
  };
}

/** Starts a binary COPY: signature, no flags, no extension. */
export const copyHeader = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** Ends a binary COPY. */
export const copyTrailer = Buffer.from([0xff, 0xff]);
