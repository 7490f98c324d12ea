import type { RecordCells } from "./sqlite-file/record.ts";

/** A stored whole number of at most 48 bits: serial types 1 to 5, 8 and 9. */
export function wholeAt({ view }: RecordCells, at: number, type: number): number {
  switch (type) {
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at);
    case 3:
      return (view.getInt8(at) << 16) | view.getUint16(at + 1);
    case 4:
      return view.getInt32(at);
    case 5:
      return view.getInt16(at) * 2 ** 32 + view.getUint32(at + 2);
    default:
      return type - 8;
  }
}
