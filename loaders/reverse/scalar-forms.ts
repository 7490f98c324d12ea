import { plainNumber } from "../encode/encode-number.ts";
import { affinityOf } from "../source/affinity.ts";
import { jsonStyle, restyled } from "./json-style.ts";
import type { Forms } from "./spelling.ts";

const int8 = { low: -(2n ** 63n), high: 2n ** 63n - 1n };
const wholeText = /^-?(0|[1-9]\d*)$/;

const opposites: Record<string, string> = { t: "f", true: "false", y: "n", yes: "no", on: "off", "1": "0" };
const truths = new Map(
  Object.entries(opposites).flatMap(([yes, no]) => [[yes, true] as const, [no, false] as const]),
);

/** 0 and 1, or the words that stand for them; a word's opposite is spelled as it is. */
export const booleanForms: Forms = {
  kindOf: (value) => String(value),
  write(value, spelling) {
    if (spelling === "integer") return value === true ? 1n : 0n;
    const word = spelling.slice(1);
    if (truths.get(word.toLowerCase()) === value) return word;
    return oppositeOf(word);
  },
  recognise(value) {
    if (value === 1n || value === 0n) return { kind: String(value === 1n), spelling: "integer" };
    const truth = typeof value === "string" ? truths.get(value.toLowerCase()) : undefined;
    return truth === undefined ? null : { kind: String(truth), spelling: `=${String(value)}` };
  },
  defaults: ["integer"],
};

function oppositeOf(word: string): string {
  const lower = word.toLowerCase();
  const found = Object.entries(opposites).flatMap(([a, b]) =>
    a === lower ? [b] : b === lower ? [a] : [],
  )[0];
  const opposite = found ?? "0";
  if (word === lower) return opposite;
  if (word === word.toUpperCase() && word.length > 1) return opposite.toUpperCase();
  return opposite[0]?.toUpperCase() + opposite.slice(1);
}

/** Whole numbers. */
export function wholeForms(declaredType: string): Forms {
  return {
    kindOf: () => "whole",
    write: (value, spelling) => wholeAs(value as bigint, spelling),
    recognise(value) {
      if (typeof value === "bigint") return { kind: "whole", spelling: "integer" };
      if (typeof value === "number")
        return Number.isSafeInteger(value) ? { kind: "whole", spelling: "real" } : null;
      if (typeof value !== "string" || !/^[+-]?\d+$/.test(value)) return null;
      return { kind: "whole", spelling: wholeText.test(value) && value !== "-0" ? "text" : "text*" };
    },
    defaults: affinityOf(declaredType) === "TEXT" ? ["text"] : ["integer"],
  };
}

function wholeAs(value: bigint, spelling: string): bigint | number | string | undefined {
  if (spelling === "integer") return value >= int8.low && value <= int8.high ? value : undefined;
  if (spelling === "real") return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return String(value);
}

/** Doubles. SQLite has no NaN: it is spelled as text. Minus zero is real. */
export const floatForms: Forms = {
  kindOf: (value) => floatKind(value as number),
  write(value, spelling) {
    const number = value as number;
    if (spelling.startsWith("=")) {
      const named = namedDouble(spelling.slice(1));
      return Object.is(named, number) ? spelling.slice(1) : undefined;
    }
    if (spelling === "real") return Number.isNaN(number) ? undefined : number;
    if (spelling === "integer") {
      return Number.isInteger(number) && !Object.is(number, -0) && Math.abs(number) < 2 ** 63
        ? BigInt(number)
        : undefined;
    }
    return Number.isFinite(number) ? (Object.is(number, -0) ? "-0" : String(number)) : undefined;
  },
  recognise(value) {
    if (typeof value === "bigint") return { kind: "whole", spelling: "integer" };
    if (typeof value === "number") return { kind: floatKind(value), spelling: "real" };
    if (typeof value !== "string") return null;
    const plain = plainNumber(value);
    if (plain === null) {
      const named = namedDouble(value);
      return named === undefined ? null : { kind: floatKind(named), spelling: `=${value}` };
    }
    const number = Number(plain);
    return { kind: floatKind(number), spelling: String(number) === value ? "text" : "text*" };
  },
  defaults: ["real", "=Infinity", "=-Infinity", "=NaN"],
};

function floatKind(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "infinity" : "-infinity";
  return Number.isInteger(value) ? "whole" : "fraction";
}

function namedDouble(text: string): number | undefined {
  const match = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (match === null) return undefined;
  if (match[2]?.toLowerCase() === "nan") return Number.NaN;
  return match[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Exact decimals, given as PostgreSQL writes them: with all digits of a declared scale. */
export function numericForms(scale: number | null, declaredType: string): Forms {
  return {
    kindOf: (value) =>
      isNumber(value as string) ? (hasFraction(value as string) ? "fraction" : "whole") : (value as string),
    write(value, spelling) {
      const text = value as string;
      if (spelling === "real") return asReal(text);
      if (!isNumber(text)) return text;
      const short = shortest(text);
      if (spelling === "integer") return hasFraction(text) ? undefined : wholeAs(BigInt(short), "integer");
      return spelling.startsWith("text short") ? short : text;
    },
    recognise(value) {
      if (typeof value === "bigint") return { kind: "whole", spelling: "integer" };
      if (typeof value === "number")
        return { kind: Number.isInteger(value) ? "whole" : "fraction", spelling: "real" };
      if (typeof value !== "string" || plainNumber(value) === null) return null;
      const kind = hasFraction(value) ? "fraction" : "whole";
      if (!/^-?(0|[1-9]\d*)(\.\d+)?$/.test(value)) return { kind, spelling: "text*" };
      const decimals = value.split(".")[1]?.length ?? 0;
      if (scale === null || decimals === scale) return { kind, spelling: "text" };
      return { kind, spelling: shortest(value) === value ? "text short" : "text short*" };
    },
    defaults: affinityOf(declaredType) === "TEXT" ? ["text"] : ["real", "text"],
  };
}

function isNumber(text: string): boolean {
  return /\d/.test(text);
}

function hasFraction(text: string): boolean {
  return /\.\d*[1-9]/.test(text);
}

function shortest(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A real whose shortest decimal is this number, which is how the loader reads it. */
function asReal(text: string): number | undefined {
  if (!isNumber(text)) return text === "NaN" ? undefined : Number(text);
  const number = Number(text);
  return String(number) === shortest(text) ? number : undefined;
}

/** 36 or 32 characters, in either case, or 16 bytes. */
export function uuidForms(declaredType: string): Forms {
  const usual = /CHAR\w*\s*\(\s*32\s*\)/i.test(declaredType) ? "hex" : "hyphens";
  return {
    kindOf: () => "any",
    write(value, spelling) {
      const text = value as string;
      const hex = text.replaceAll("-", "");
      if (spelling === "blob") return Buffer.from(hex, "hex");
      const plain = spelling.startsWith("hex") ? hex : text;
      return spelling.endsWith("upper") ? plain.toUpperCase() : plain;
    },
    recognise(value) {
      if (Buffer.isBuffer(value)) return { kind: "any", spelling: "blob" };
      if (typeof value !== "string") return null;
      const style = value.length === 32 ? "hex" : value.length === 36 ? "hyphens" : "hyphens*";
      if (value === value.toLowerCase()) return { kind: "any", spelling: style };
      return { kind: "any", spelling: value === value.toUpperCase() ? `${style} upper` : `${style}*` };
    },
    defaults: affinityOf(declaredType) === "BLOB" && declaredType !== "" ? ["blob"] : [usual],
  };
}

/** JSON: json is the source's own text; jsonb is another text of the same value, in the style of the column. */
export function jsonForms(type: "json" | "jsonb"): Forms {
  return {
    kindOf: (value) => (plainNumber(value as string) === null ? "other" : "number"),
    write(value, spelling) {
      const text = value as string;
      if (spelling === "integer") return wholeText.test(text) ? wholeAs(BigInt(text), spelling) : undefined;
      if (spelling === "real") {
        const number = plainNumber(text) === null ? Number.NaN : Number(text);
        return (Object.is(number, -0) ? "-0" : String(number)) === text ? number : undefined;
      }
      return type === "json" ? text : restyled(text, spelling);
    },
    recognise(value) {
      if (typeof value === "bigint") return { kind: "number", spelling: "integer" };
      if (typeof value === "number") return { kind: "number", spelling: "real" };
      if (typeof value !== "string") return null;
      const kind = plainNumber(value) === null ? "other" : "number";
      return { kind, spelling: type === "json" ? "text" : `${jsonStyle(value)}*` };
    },
    defaults: ["text"],
  };
}
