import { expect, test } from "vitest";
import { epoch, julianDay, type Reading } from "../loaders/define-loader.ts";
import { CopyBuffer } from "../loaders/encode/copy-buffer.ts";
import { type EncodedColumn, rowEncoder } from "../loaders/encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../loaders/encode/value-problem.ts";
import type { TargetType } from "../loaders/target-table.ts";
import { canonicalForm } from "../loaders/validate/canonical-form.ts";
import { RowBytes } from "../loaders/validate/row-bytes.ts";

const readings: (Reading | null)[] = [null, epoch("s"), epoch("ms"), epoch("us"), julianDay];
/** jsonb is left out: the validator lets PostgreSQL cast it. */
const types: [TargetType, (Reading | null)[]][] = [
  [{ kind: "text", length: null }, [null]],
  [{ kind: "text", length: 4 }, [null]],
  ...(["bool", "int2", "int4", "int8", "float4", "float8", "uuid", "json", "bytea"] as const).map(
    (kind): [TargetType, null[]] => [{ kind }, [null]],
  ),
  [{ kind: "numeric", precision: null, scale: null }, [null]],
  [{ kind: "numeric", precision: 20, scale: 6 }, [null]],
  [{ kind: "numeric", precision: 3, scale: -2 }, [null]],
  [{ kind: "date" }, readings],
  [{ kind: "timestamp", digits: 6 }, readings],
  [{ kind: "timestamptz", digits: 3 }, readings],
];

const integers = [
  ...[0n, 1n, -1n, 2n, 32767n, 32768n, -32769n, 2n ** 31n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  ...[-(2n ** 63n), 1700000000n, 1700006400n, 1700000000123n, 1700000000123456n, 2460310n],
  ...[9224318015999n, 9224318016000n, -210866803200n, -210866803201n, 185331707078400n],
];
const reals = [
  ...[0, -0, 1, 0.5, -1.5, 0.1, 7, 1e15, 1e21, 1e300, -1e300, 5e-324, Infinity, -Infinity, 1700000000.25],
  ...[1700000000.1234567, 1700000000123.4568, 2460310.5, 2460311.25, -0.5, 0.0000005, 99999.9999999, 1e14],
  ...[12345.5, 16777217],
];
const texts = [
  ...["", " ", "0", "1", "t", "T", "true", "yes", "on", "OFF", "n", "y", "maybe", "12", "+12", "-12", "007"],
  ...["12.0", "1e3", "1E3", ".5", "5.", "1.5", "-1.5e-3", "+1e+5", "1e999", "1e-999", "0e-999", "-0", "-0.0"],
  ...["0x10", "Infinity", "+Infinity", "inf", "-inf", "+inf", "NaN", "nan", "-nan", "constructor", "1e400"],
  ...[
    "9223372036854775807",
    "9223372036854775808",
    "9007199254740993",
    "1700000000",
    "1700000000.5",
    "1.7e9",
  ],
  ...[
    "2460310.5",
    "99999999999999999999999",
    " 12",
    "12 ",
    "1_000",
    "١٢",
    "20240102",
    "2024-1-2",
    "24-01-02",
  ],
  ...["2024-01-02", "2024-02-30", "2024-01-02 03:04", "2024-01-02T03:04:05", "2024-01-02 03:04:05.678"],
  ...["2024-01-02 03:04:05.1234567", "2024-01-02 03:04:05.1230000", "2024-01-02T03:04:05Z", "2024-01-02Z"],
  ...["2024-01-02T03:04:05z", "2024-01-02 03:04:05 +05:30", "2024-01-02 03:04:05-08", "2024-01-02 00:00:00"],
  ...["2024-01-02T00:00Z", "2024-01-02 +01", "2024-01-02 24:00:00", "2016-12-31 23:59:60", "0000-01-01"],
  ...[
    "0001-01-01",
    "0001-01-01 00:00:00+15:59",
    "9999-12-31 23:59:59.999999-15:59",
    "2024-01-02 10:00+16:00",
  ],
  ...["soon", "2024-01-02\n", "2024-01-02 03:04:05,5", "2024-01-02t03:04", "{}", "{", "[1,2]", "null", '"x"'],
  ...["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a\0b", "\uFFFD"],
  ...["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "🎉🎉🎉🎉", "🎉🎉🎉🎉🎉"],
];
const blobs = [Buffer.alloc(0), Buffer.alloc(16, 7), Buffer.from("7b7d", "hex")];
const values: SourceValue[] = [null, ...integers, ...reals, ...texts, ...blobs];

/** The field's bytes, null for a value that the column cannot hold. */
function encoded(column: EncodedColumn, value: SourceValue): Buffer | null {
  const out = new CopyBuffer(64);
  try {
    rowEncoder([column], 0)([value], out);
  } catch (error) {
    if (error instanceof ValueProblem) return null;
    throw error;
  }
  return out.bytes.subarray(2, out.at);
}

test.each(types)("loader and validator, written apart, make the same of every value for %o", (type, ways) => {
  for (const reading of ways) {
    for (const [emptyIsNull, nullable] of [
      [false, true],
      [true, true],
      [true, false],
    ] as const) {
      const column = { source: "s", target: "t", type, typeText: "", nullable, reading, emptyIsNull };
      const form = canonicalForm(column);
      for (const value of values) {
        const row = new RowBytes(1);
        const proven = form(value, row) ? row.bytes.subarray(0, row.at) : null;
        const written = encoded(column, value);
        const shown = { value, reading, emptyIsNull, nullable };
        expect({ ...shown, fits: written !== null }).toEqual({ ...shown, fits: proven !== null });
        // The server gives a numeric its display scale only when it is stored.
        if (type.kind !== "numeric")
          expect({ ...shown, bytes: written }).toEqual({ ...shown, bytes: proven });
      }
    }
  }
});
