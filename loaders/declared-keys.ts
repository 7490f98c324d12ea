/** The keys that migrations build on one target table after the load, in the target's names. */
export interface DeclaredKeys {
  table: string;
  /** Primary key, unique constraints, and what guards keep. */
  unique: { columns: string[]; nulls: "distinct" | "not distinct" }[];
  /** Foreign keys; `to` are columns of `table`. */
  references: { columns: string[]; table: string; to: string[] }[];
}
