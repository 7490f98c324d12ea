/** Whether version `a` comes before `b`, as far as `b` says: `2.19.3` is not older than `2.19`. */
export function isOlder(a: string, b: string): boolean {
  const [left = [], right = []] = [a, b].map((version) =>
    version.split(".").map((part) => Number.parseInt(part, 10)),
  );
  for (const [index, wanted] of right.entries()) {
    const have = left[index] ?? 0;
    if (have !== wanted) return have < wanted;
  }
  return false;
}
