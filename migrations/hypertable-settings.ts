/** What a stack's config sets for one hypertable in place of what its migrations declare. */
export interface HypertableSettings {
  /** Span of chunks that are made from now on, as `1 year`. */
  chunk?: string;
  /** Columns that the columnstore segments by; none for an empty list. */
  segmentBy?: string[];
  /** Columns that order a segment; each may end in ` desc`. */
  orderBy?: string[];
  /** Age at which chunks move to the columnstore, as `90 days`. */
  columnstoreAfter?: string;
  /** Age at which chunks are dropped, as `5 years`; `on` for the declared one, `off` for never. */
  retention?: string;
}
