/** A name as SQL quotes it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names as a column list. */
export function identifiers(names: string[]): string {
  return names.map(identifier).join(", ");
}
