import { isUtf8 } from "node:buffer";

/** Whether bytes are a text in that encoding, as SQLite's pragma names it. */
export function isEncoded(bytes: Buffer, encoding: string): boolean {
  if (encoding === "UTF-8") return isUtf8(bytes);
  if (bytes.length % 2 === 1) return false;
  const little = encoding === "UTF-16be" ? Buffer.from(bytes).swap16() : bytes;
  return little.toString("utf16le").isWellFormed();
}
