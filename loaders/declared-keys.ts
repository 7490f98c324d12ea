/**
 * The keys of one target table that migrations build, in target names: primary keys, unique constraints and indexes, and
 * what a guard or trigger keeps in their place. Rows that would violate them are rejected before they are written.
 */
export interface DeclaredKeys {
  table: string;
  unique: DeclaredUnique[];
  references: DeclaredReference[];
}

/** Columns whose values no two rows may have in common. */
export interface DeclaredUnique {
  columns: string[];
  /** Whether rows that are NULL in one of the columns never equal each other (SQL's default), or do. */
  nulls: "distinct" | "not distinct";
}

/** Columns whose values a row of another table, or of the same one, must have. A NULL among them refers to nothing. */
export interface DeclaredReference {
  columns: string[];
  table: string;
  /** Columns of `table`, one for each of `columns`. */
  to: string[];
}
