const dayMs = 86_400_000;
/** Days on which exchanges are closed every year; the movable ones are left out. */
const holidays = new Set(["01-01", "07-04", "12-25"]);

/** The last `count` days of trade up to and with `last`, oldest first, as YYYY-MM-DD. */
export function weekdaysUpTo(last: string, count: number): string[] {
  const days: string[] = [];
  for (let at = Date.parse(last); days.length < count; at -= dayMs) {
    if (isTradingDay(at)) days.push(isoDay(at));
  }
  return days.reverse();
}

/** The next day of trade. */
export function dayAfter(day: string): string {
  let at = Date.parse(day) + dayMs;
  while (!isTradingDay(at)) at += dayMs;
  return isoDay(at);
}

function isTradingDay(at: number): boolean {
  const weekday = new Date(at).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !holidays.has(isoDay(at).slice(5));
}

function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
