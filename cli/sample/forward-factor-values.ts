import { createHash } from "node:crypto";

/** SHA-256 of a text, in hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The same UUID (shaped as version 4, as the application's are) for the same kind and number. */
export function uuid(kind: string, number: number): string {
  const hex = sha256(`${kind} ${number}`);
  const variant = "89ab"[Number.parseInt(hex[16] as string, 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

/** A moment as SQLAlchemy writes it: UTC without saying so, always six digits of a second's fraction. */
export function timestamp(ms: number, micros: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}.${String(micros).padStart(6, "0")}`;
}

/** Milliseconds of a minute or second that is written as `timestamp` writes it. */
export function moment(text: string): number {
  return Date.parse(`${text.replace(" ", "T")}Z`);
}

/** The day of a moment, as SQLAlchemy writes a DATE. */
export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Milliseconds in a minute, and in a day. */
export const minuteMs = 60_000;
export const dayMs = 1440 * minuteMs;
