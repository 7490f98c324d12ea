import type { ResolvedColumn } from "../resolve-table.ts";
import { CopyBuffer } from "./copy-buffer.ts";
import { encodeBoolean, encodeFloat4, encodeFloat8, encodeInteger } from "./encode-number.ts";
import { encodeNumeric } from "./encode-numeric.ts";
import { encodeBytea, encodeJson, encodeText, encodeUuid } from "./encode-text.ts";
import { encodeDate, encodeTimestamp } from "./encode-time.ts";
import { type SourceValue, ValueProblem } from "./value-problem.ts";

/** Writes one value as a field of binary COPY: its length, then its bytes. Never called with NULL. */
export type Encode = (value: SourceValue, out: CopyBuffer) => void;

/** What the row encoder has to know of a column; small enough to cross into a worker. */
export type EncodedColumn = Pick<
  ResolvedColumn,
  "source" | "target" | "type" | "nullable" | "reading" | "emptyIsNull"
>;

/** The encoder of a column. It throws a ValueProblem rather than change a value. */
export function encoderOf(column: EncodedColumn): Encode {
  const encode = encoderOfType(column);
  return column.emptyIsNull && column.type.kind !== "text" ? emptyAsNull(column, encode) : encode;
}

function encoderOfType(column: EncodedColumn): Encode {
  const { type } = column;
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
      return encodeDate(column);
    case "timestamp":
    case "timestamptz":
      return encodeTimestamp(type.kind, type.digits, column);
    case "uuid":
      return encodeUuid;
    case "json":
    case "jsonb":
      return encodeJson(type.kind);
    case "bytea":
      return encodeBytea;
  }
}

function emptyAsNull({ nullable }: EncodedColumn, encode: Encode): Encode {
  return (value, out) => {
    if (value !== "") return encode(value, out);
    if (!nullable) throw new ValueProblem(value, "stands for NULL, which the target's NOT NULL refuses");
    out.reserve(4);
    out.putInt32(-1);
  };
}

/** Names the column of a problem. An empty text gets its remedy here, off the way of the values that fit. */
function about(column: EncodedColumn | undefined, problem: ValueProblem): ValueProblem {
  const named =
    problem.value === "" && !column?.emptyIsNull
      ? new ValueProblem("", 'is empty, and the target is no text; if it means NULL, declare empty: "null"')
      : problem;
  named.column = column?.target ?? "";
  return named;
}

/**
 * Returns a function that appends one row, read as an array, to the buffer. The values start at `offset`.
 * A row with a problem leaves nothing behind in the buffer, and the ValueProblem names its column.
 */
export function rowEncoder(columns: EncodedColumn[], offset: number) {
  const encoders = columns.map(encoderOf);
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
          throw refusedNull();
        }
      }
    } catch (error) {
      out.at = start;
      throw error instanceof ValueProblem ? about(columns[i], error) : error;
    }
  };
}

/** Returns a function that finds every problem of a row, one a column; the slow way, for rows known to have one. */
export function rowProblems(columns: EncodedColumn[], offset: number) {
  const encoders = columns.map((column) => rowEncoder([column], 0));
  return (row: SourceValue[]): ValueProblem[] => {
    const out = new CopyBuffer(1024);
    return encoders.flatMap((encode, i) => {
      out.at = 0;
      try {
        encode([row[offset + i] as SourceValue], out);
        return [];
      } catch (error) {
        if (error instanceof ValueProblem) return [error];
        throw error;
      }
    });
  };
}

function refusedNull(): ValueProblem {
  return new ValueProblem(null, "is refused by the target's NOT NULL");
}

/** Starts a binary COPY: signature, no flags, no extension. */
export const copyHeader = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** Ends a binary COPY. */
export const copyTrailer = Buffer.from([0xff, 0xff]);
