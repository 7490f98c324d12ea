/** A value as SQLite stores it; integers are bigint so that none loses a digit. */
export type SourceValue = null | bigint | number | string | Buffer;

const longestShown = 60;

/** A value's text as a person reads it in a note: quoted, so that a trailing space shows; long ones cut. */
export function shown(text: string | null | undefined): string {
  return text === null || text === undefined ? "NULL" : `'${cut(text)}'`;
}

/** A text no longer than a note's line allows, and how long it was; control characters made visible. */
export function cut(text: string): string {
  const visible = JSON.stringify(text.slice(0, longestShown)).slice(1, -1).replaceAll('\\"', '"');
  return text.length > longestShown ? `${visible}… (${text.length} characters)` : visible;
}
