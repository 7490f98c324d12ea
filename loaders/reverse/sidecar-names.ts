/** Begins the names of what timelift adds to a file that it writes; no part of the application's schema. */
export const sidecarPrefix = "_timelift_";

/** The table of a written file that keeps what the application's schema has no place for. */
export function sidecarName(target: string): string {
  return `${sidecarPrefix}${target}`;
}

/** The table that keeps whole rows which the application's own table refuses. */
export function refusedName(target: string): string {
  return `${sidecarPrefix}refused_${target}`;
}

/** The table that keeps whole rows of which the application's table holds a value only nearly. */
export function exactName(target: string): string {
  return `${sidecarPrefix}exact_${target}`;
}

/** The view that shows a target table's rows as a whole: the application's rows with what is kept beside them. */
export function wholeName(target: string): string {
  return `${sidecarPrefix}rows_${target}`;
}

/** Marks the row of a sidecar that was merged into the application's own row. */
export const mergedColumn = `${sidecarPrefix}merged`;
/** Names the row of the application's table where it has no key of its own. */
export const rowidColumn = `${sidecarPrefix}rowid`;
