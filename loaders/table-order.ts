/**
 * Sorts tables so that one comes after those it refers to. A circle keeps the given order: its keys have to be
 * deferred, or added after the load.
 *
 * @param refersTo the tables a table's foreign keys point at
 */
export function orderTables(tables: string[], refersTo: (table: string) => string[]): string[] {
  const known = new Set(tables);
  const ordered = new Set<string>();
  const visiting = new Set<string>();
  const visit = (table: string) => {
    if (ordered.has(table) || visiting.has(table) || !known.has(table)) return;
    visiting.add(table);
    for (const parent of refersTo(table)) visit(parent);
    visiting.delete(table);
    ordered.add(table);
  };
  for (const table of tables) visit(table);
  return [...ordered];
}
