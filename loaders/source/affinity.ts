/** How a column's declared type makes SQLite turn values when they are stored or compared. */
export type Affinity = "INTEGER" | "TEXT" | "BLOB" | "REAL" | "NUMERIC";

/** SQLite's rules, in their order (sqlite.org/datatype3.html, "Determination Of Column Affinity"). */
export function affinityOf(declaredType: string): Affinity {
  if (/INT/i.test(declaredType)) return "INTEGER";
  if (/CHAR|CLOB|TEXT/i.test(declaredType)) return "TEXT";
  if (/BLOB/i.test(declaredType) || declaredType === "") return "BLOB";
  return /REAL|FLOA|DOUB/i.test(declaredType) ? "REAL" : "NUMERIC";
}

/** The affinity under which values of two columns are compared: it is applied to both sides, where it changes one. */
export function comparedAffinity(a: Affinity, b: Affinity): "NUMERIC" | "TEXT" | "BLOB" {
  const either = (...wanted: Affinity[]) => wanted.includes(a) || wanted.includes(b);
  if (either("INTEGER", "REAL", "NUMERIC")) return "NUMERIC";
  return either("TEXT") ? "TEXT" : "BLOB";
}
