/** Seconds between the first and the last moment that a condition names; undefined where it names fewer than two. */
export function momentsLength(literals: string[]): number | undefined {
  const moments = momentsOf(literals);
  return moments.length < 2 ? undefined : Math.max(...moments) - Math.min(...moments);
}

/** The moments among literals, in seconds since 1970. */
export function momentsOf(literals: string[]): number[] {
  return literals.map((literal) => momentOf(literal)).filter((moment) => !Number.isNaN(moment));
}

/** Seconds since 1970 of a literal, UTC where it names no offset; NaN for no moment. */
function momentOf(literal: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(
    literal,
  );
  if (match === null) return Number.NaN;
  const [, day, clock = "00:00", zone = "Z"] = match;
  const offset =
    zone === "Z" ? "Z" : zone.length === 3 ? `${zone}:00` : zone.replace(/^(...)(\d\d)$/, "$1:$2");
  return Date.parse(`${day}T${clock}${offset}`) / 1000;
}
