/** A text as SQL writes it. */
export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
