/** "1 row", "5,665 rows". */
export function rowCount(rows: number): string {
  return `${rows.toLocaleString("en-US")} row${rows === 1 ? "" : "s"}`;
}
