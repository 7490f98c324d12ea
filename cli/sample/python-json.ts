type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** JSON as the applications' Python writes it: a space after each comma and colon, ASCII only. */
export function pythonJson(value: Json): string {
  return asciiOnly(spaced(value));
}

function spaced(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`)
    .join(", ")}}`;
}

/** JSON text with everything but ASCII escaped, as Python's `json` does. */
export function asciiOnly(json: string): string {
  return json.replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
