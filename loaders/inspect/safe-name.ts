/** Bytes of the longest name that PostgreSQL keeps. */
const longestName = 63;

/**
 * The name itself where the target and the words of a migration can write it, else one close to it that is still free.
 * Names are taken without regard to case.
 */
export function safeName(name: string, taken: Set<string>): string {
  const clean = name.replace(/["'\\\0]/g, "_") || "unnamed";
  let safe = cut(clean, longestName);
  for (let n = 2; taken.has(safe.toLowerCase()); n++) safe = `${cut(clean, longestName - 4)}_${n}`;
  taken.add(safe.toLowerCase());
  return safe;
}

function cut(name: string, bytes: number): string {
  let short = name;
  while (Buffer.byteLength(short) > bytes) short = [...short].slice(0, -1).join("");
  return short;
}
