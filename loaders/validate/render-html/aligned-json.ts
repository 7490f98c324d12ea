/** JSON.rawJSON, which keeps a number's own digits. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * Two JSON documents with their keys in the same order and the same spaces, so that only what differs looks different:
 * jsonb orders and spaces them its own way. Nothing for texts that are no objects or lists, or differ in nothing else.
 */
export function alignedJson(source: string, target: string): [string, string] | undefined {
  const ours = aligned(source);
  const theirs = aligned(target);
  if (ours === undefined || theirs === undefined || ours === theirs) return undefined;
  return [ours, theirs];
}

function aligned(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const reviver: Reviver = (_key, value, { source }) => {
      if (typeof value === "number") return rawJSON(source ?? String(value));
      return isPlainObject(value) ? sorted(value) : value;
    };
    const value = JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]) as unknown;
    // A line end inside a text is written \n, so these are all between values.
    return JSON.stringify(value, null, 1).replace(/\n */g, " ");
  } catch {
    return undefined;
  }
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
