import { damaged } from "./damage.ts";
import type { PageSource } from "./page-source.ts";

const interior = 0x05;
const leaf = 0x0d;
const runBytes = 512 * 1024;
/** Pages between two wanted ones are read along rather than skipped, up to so many bytes. */
const gapBytes = 48 * 1024;
const deepest = 40;

/** Takes a leaf page: it begins at `base` of `bytes`, its header at `header`. Both are used again afterwards. */
export type VisitLeaf = (bytes: Buffer, view: DataView, base: number, header: number) => void;

/** Walks the pages of a table with rowid. The order of leaves is not that of the rowids. */
export class TablePages {
  readonly #file: PageSource;
  readonly #run: Buffer;
  readonly #view: DataView;
  readonly #runPages: number;
  #visited = 0;

  constructor(file: PageSource) {
    this.#file = file;
    this.#runPages = Math.max(1, Math.floor(runBytes / file.pageSize));
    this.#run = Buffer.allocUnsafeSlow(this.#runPages * file.pageSize);
    this.#view = new DataView(this.#run.buffer, this.#run.byteOffset, this.#run.byteLength);
  }

  /**
   * Calls `visit` for every leaf of the tree with that root page.
   * @throws TimeliftError source-corrupt
   */
  eachLeaf(root: number, visit: VisitLeaf): void {
    this.#visited = 0;
    this.#level([root], 0, visit);
  }

  #level(pages: number[], depth: number, visit: VisitLeaf): void {
    const { path, pageSize, pageCount } = this.#file;
    if (depth > deepest) throw damaged(path, "a table's pages lead back to themselves.");
    const sorted = pages.toSorted((a, b) => a - b);
    const gap = Math.max(1, Math.floor(gapBytes / pageSize));
    for (let at = 0; at < sorted.length; ) {
      const first = sorted[at] as number;
      let end = at + 1;
      while (
        end < sorted.length &&
        (sorted[end] as number) - (sorted[end - 1] as number) <= gap &&
        (sorted[end] as number) - first < this.#runPages
      ) {
        end += 1;
      }
      this.#file.read(first, (sorted[end - 1] as number) - first + 1, this.#run);
      const interiors: Buffer[] = [];
      for (; at < end; at += 1) {
        const page = sorted[at] as number;
        this.#visited += 1;
        if (this.#visited > pageCount) throw damaged(path, "a table's pages lead back to themselves.");
        const base = (page - first) * pageSize;
        const header = page === 1 ? base + 100 : base;
        const kind = this.#run[header];
        if (kind === leaf) visit(this.#run, this.#view, base, header);
        else if (kind === interior) interiors.push(Buffer.from(this.#run.subarray(base, base + pageSize)));
        else throw damaged(path, `page ${page} should belong to a table, but its kind is ${kind}.`);
      }
      // Their children overwrite the run.
      for (const copy of interiors) this.#level(this.#children(copy, depth), depth + 1, visit);
    }
  }

  #children(page: Buffer, depth: number): number[] {
    const header = depth === 0 && page.toString("latin1", 0, 6) === "SQLite" ? 100 : 0;
    const cells = page.readUInt16BE(header + 3);
    const pointers = header + 12;
    if (pointers + cells * 2 > page.length) throw damaged(this.#file.path, "an interior page is overfull.");
    const children: number[] = [];
    for (let cell = 0; cell < cells; cell += 1) {
      const at = page.readUInt16BE(pointers + cell * 2);
      if (at + 4 > page.length) throw damaged(this.#file.path, "a cell lies beyond its page.");
      children.push(page.readUInt32BE(at));
    }
    children.push(page.readUInt32BE(header + 8));
    return children;
  }
}
