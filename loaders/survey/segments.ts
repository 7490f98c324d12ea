/** More values than this, and in every twentieth row a new one, are no segments. */
const mostValues = 100_000;
const rowsPerValue = 20;
/** Above every hour since 1970 that a Date holds. */
const hoursApart = 2 ** 33;

/**
 * The rows of a table by the values that columns have in common: how many values there are, and how many rows of one
 * value fall into a chunk.
 */
export class Segments {
  readonly #numbers = new Map<string, number>();
  /** Segment and hour of each row as one number, in the order read, later ascending. */
  #rows: Float64Array<ArrayBufferLike> = new Float64Array(8192);
  #read = 0;
  #sorted = false;
  #last = 0;
  /** True once there are nearly as many values as rows. */
  endless = false;

  /** Different values. */
  get values(): number {
    return this.#numbers.size;
  }

  /**
   * Takes a row in and returns the number of its segment; null where segments are endless.
   *
   * @param value its values as one text; null for those of the row before
   */
  add(value: string | null, hour: number): number | null {
    if (this.endless) return null;
    if (value !== null) {
      this.#last = this.#numbers.get(value) ?? this.#numbers.size;
      this.#numbers.set(value, this.#last);
    }
    if (this.#read === this.#rows.length) {
      const wider = new Float64Array(this.#rows.length * 2);
      wider.set(this.#rows);
      this.#rows = wider;
    }
    this.#rows[this.#read++] = this.#last * hoursApart + hour + hoursApart / 2;
    if (this.values > mostValues && this.values * rowsPerValue > this.#read) this.#giveUp();
    return this.#last;
  }

  #giveUp(): void {
    this.endless = true;
    this.#rows = new Float64Array(0);
    this.#read = 0;
    this.#numbers.clear();
  }

  /**
   * Rows of one segment in one chunk of `hours`, on average over those that hold rows. Of a sample, in which every row
   * stands for `scale`, each segment is taken to reach from its first row to its last without a gap.
   */
  rowsPerChunk(hours: number, scale: number): number {
    if (this.#read === 0) return 0;
    this.#sort();
    let pairs = 0;
    let [segment, chunk] = [-1, 0];
    for (let row = 0; row < this.#read; row += 1) {
      const at = this.#rows[row] as number;
      const ownSegment = Math.floor(at / hoursApart);
      const ownChunk = Math.floor((at - ownSegment * hoursApart - hoursApart / 2) / hours);
      if (ownSegment !== segment) pairs += 1;
      else if (ownChunk !== chunk) pairs += scale === 1 ? 1 : ownChunk - chunk;
      [segment, chunk] = [ownSegment, ownChunk];
    }
    return (this.#read * scale) / pairs;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#rows = this.#rows.subarray(0, this.#read);
    // Rows that were written segment by segment are in order already, and looking is quicker than sorting.
    if (!this.#rows.every((row, at) => at === 0 || (this.#rows[at - 1] as number) <= row)) this.#rows.sort();
    this.#sorted = true;
  }
}
