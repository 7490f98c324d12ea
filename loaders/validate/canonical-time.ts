const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?[ ]?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** What a text says about a moment: its wall clock, and how far that is from UTC (minutes; undefined: not said). */
interface Moment {
  /** Milliseconds since 1970 of the wall clock, whole seconds. */
  seconds: number;
  micros: number;
  offset: number | undefined;
}

/** A text as `YYYY-MM-DD`; undefined when it is no date, or has a time of day other than midnight. */
export function dateText(text: string): string | undefined {
  const moment = parse(text);
  if (!moment || moment.offset !== undefined) return undefined;
  const midnight = moment.micros === 0 && moment.seconds % 86_400_000 === 0;
  return midnight ? render(moment.seconds, 0)?.slice(0, -" 00:00:00".length) : undefined;
}

/**
 * A text as `YYYY-MM-DD HH:MM:SS[.ffffff]` in UTC, which is what a text without an offset says; undefined when
 * it is no moment, or has more fraction digits than the column keeps.
 */
export function timestampText(text: string, digits: number): string | undefined {
  const moment = parse(text);
  if (!moment || moment.micros % 10 ** (6 - digits) !== 0) return undefined;
  return render(moment.seconds - (moment.offset ?? 0) * 60_000, moment.micros);
}

/** Compares two canonical times (or dates) of one column, also beyond the year 9999. */
export function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  const plain = a.indexOf("-") === 4 && b.indexOf("-") === 4;
  return (plain ? a < b : sortKey(a) < sortKey(b)) ? -1 : 1;
}

function sortKey(text: string): string {
  return text.slice(0, text.indexOf("-")).padStart(6, "0") + text.slice(text.indexOf("-"));
}

function parse(text: string): Moment | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
  const fraction = (match[7] ?? "").replace(/0+$/, "");
  const offset = offsetOf(match[8]);
  if (fraction.length > 6 || Number.isNaN(offset)) return undefined;
  return { seconds, micros: Number(fraction.padEnd(6, "0")), offset };
}

/** Minutes ahead of UTC; NaN for an offset that no clock has. */
function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", "") || 0)];
  if (hours > 15 || minutes > 59) return Number.NaN;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Undefined before the year 1, which an offset may lead to. */
function render(seconds: number, micros: number): string | undefined {
  const iso = new Date(seconds).toISOString();
  if (iso.startsWith("-") || iso.startsWith("0000")) return undefined;
  const year = iso.startsWith("+") ? iso.slice(1, iso.indexOf("-")).replace(/^0+/, "") : iso.slice(0, 4);
  const rest = iso.slice(iso.indexOf("-", 1), iso.indexOf("T"));
  const fraction = micros === 0 ? "" : `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`;
  return `${year}${rest} ${iso.slice(iso.indexOf("T") + 1, -5)}${fraction}`;
}
