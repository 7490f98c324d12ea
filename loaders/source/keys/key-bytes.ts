import { CopyBuffer } from "../../encode/copy-buffer.ts";
import { type EncodedColumn, encoderOf } from "../../encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../../encode/value-problem.ts";

/** A key as the target would hold it. */
export interface Key {
  /** Equal for values that the target takes to be equal; overwritten by the next key. */
  bytes: Buffer;
  /** Positions, among the key's columns, of NULL. */
  nulls: number[];
}

/** Returns a function that turns a key's values into what they are in the target; null where one of them does not fit. */
export function keyEncoder(columns: EncodedColumn[]): (values: SourceValue[]) => Key | null {
  const encoders = columns.map((column) => encoderOf({ ...column, nullable: true }));
  const settle = columns.map(({ type }) => settlers[type.kind]);
  const out = new CopyBuffer(1024);
  return (values) => {
    out.at = 0;
    const nulls: number[] = [];
    try {
      for (let i = 0; i < encoders.length; i += 1) {
        const start = out.at;
        const value = values[i] as SourceValue;
        if (value === null) putNull(out);
        else encoders[i]?.(value, out);
        if (out.view.getInt32(start) < 0) nulls.push(i);
        else settle[i]?.(out.view, start + 4);
      }
    } catch (error) {
      if (error instanceof ValueProblem) return null;
      throw error;
    } finally {
      out.suspect = false;
    }
    return { bytes: out.bytes.subarray(0, out.at), nulls };
  };
}

function putNull(out: CopyBuffer): void {
  out.reserve(4);
  out.putInt32(-1);
}

/** Makes bytes equal that differ for equal values: minus zero, and the scale that a numeric is shown with. */
const settlers: Partial<Record<EncodedColumn["type"]["kind"], (view: DataView, at: number) => void>> = {
  float8: (view, at) => {
    if (view.getFloat64(at) === 0) view.setFloat64(at, 0);
  },
  float4: (view, at) => {
    if (view.getFloat32(at) === 0) view.setFloat32(at, 0);
  },
  numeric: (view, at) => view.setInt16(at + 6, 0),
};
