/** Quotes a name for SQL; SQLite and PostgreSQL agree on the form. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
