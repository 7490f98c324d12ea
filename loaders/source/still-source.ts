import { statSync } from "node:fs";
import { readSourceHeader } from "./source-header.ts";

/** How long nobody may have written to a source before it is read where it is (ms). */
const quietMs = 10_000;

/** A state of a source that nobody writes to, known again by what every write changes. */
export interface StillMark {
  path: string;
  modifiedNs: bigint;
  size: bigint;
  inode: bigint;
}

/** A source that was read where it is was written to meanwhile: what was read since the last check does not count. */
export class SourceMoved extends Error {}

/**
 * Marks a source that can be read where it is: under the rollback journal, no transaction open, and not written to for
 * ten seconds. Null for one that has to be copied first, so that its writers are not disturbed.
 */
export function markStill(path: string): StillMark | null {
  const mark = look(path);
  if (mark === null || readSourceHeader(path).wal) return null;
  const quietFor = BigInt(Date.now()) * 1_000_000n - mark.modifiedNs;
  return quietFor >= BigInt(quietMs) * 1_000_000n ? mark : null;
}

/** False when the source was written to since it was marked, or is being written to. */
export function isStill(mark: StillMark): boolean {
  const now = look(mark.path);
  return now?.modifiedNs === mark.modifiedNs && now.size === mark.size && now.inode === mark.inode;
}

/** @throws SourceMoved unless `isStill`; a copy (null) always is */
export function requireStill(mark: StillMark | null): void {
  if (mark !== null && !isStill(mark)) throw new SourceMoved(`${mark.path} was written to while it was read`);
}

/** Null while there is a journal: a transaction is open, or died. */
function look(path: string): StillMark | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || holdsBytes(`${path}-journal`) || holdsBytes(`${path}-wal`)) return null;
  return { path, modifiedNs: stat.mtimeNs, size: stat.size, inode: stat.ino };
}

function holdsBytes(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
