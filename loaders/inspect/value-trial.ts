import { CopyBuffer } from "../encode/copy-buffer.ts";
import { rowEncoder } from "../encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../encode/value-problem.ts";
import type { TargetType } from "../target-table.ts";
import type { ColumnSuggestion } from "./suggest-column.ts";

/**
 * Returns what the loader itself would say of a value: null when it is written, else why it is rejected. The encoder
 * decides, so that an inspection and a load agree.
 */
export function valueTrial(
  column: string,
  suggestion: ColumnSuggestion,
  nullable: boolean,
): (value: SourceValue) => string | null {
  const out = new CopyBuffer(4096);
  const encode = rowEncoder(
    [
      {
        source: column,
        target: column,
        type: targetType(suggestion.type),
        nullable,
        reading: suggestion.reading,
        emptyIsNull: suggestion.emptyIsNull,
      },
    ],
    0,
  );
  return (value) => {
    out.at = 0;
    out.suspect = false;
    try {
      encode([value], out);
      return null;
    } catch (error) {
      if (error instanceof ValueProblem) return error.reason;
      throw error;
    }
  };
}

/** The types that an inspection suggests, as the encoder knows them. */
function targetType(type: string): TargetType {
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(type);
  if (numeric) return { kind: "numeric", precision: Number(numeric[1]), scale: Number(numeric[2]) };
  switch (type) {
    case "bigint":
      return { kind: "int8" };
    case "double precision":
      return { kind: "float8" };
    case "numeric":
      return { kind: "numeric", precision: null, scale: null };
    case "boolean":
      return { kind: "bool" };
    case "timestamptz":
      return { kind: "timestamptz", digits: 6 };
    case "date":
    case "uuid":
    case "jsonb":
    case "bytea":
      return { kind: type };
    default:
      return { kind: "text", length: null };
  }
}
