import { type BenchResult, isSkipped } from "./bench-result.ts";
import { about } from "./render-lines.ts";
import { count, memory, seconds, type TextTable, tablesOf } from "./tables.ts";

/** A plot to show on the page. */
export interface PageImage {
  title: string;
  /** Relative to the page. */
  path: string;
}

/** A result as a page: what was measured on what, the tables, the plots, and how to do it again. */
export function renderMarkdown(result: BenchResult, others: BenchResult[], images: PageImage[]): string {
  const sections = [
    "# Benchmarks",
    `Written by \`timelift bench\` on ${result.measuredAt.slice(0, 10)}; nothing here is typed by hand. Every contender
loads the same rows into the same server, by turns, each time into an empty database after a CHECKPOINT. Figures are
medians.`,
    about(result)
      .map((line) => `- ${line}`)
      .join("\n"),
    ...images.map(({ title, path }) => `![${title}](${path})`),
    ...tablesOf(result).map(section),
    ...(others.length > 0 ? [section(sizeTable([result, ...others]))] : []),
    howTo(result),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** The same figures at other sizes. */
function sizeTable(results: BenchResult[]): TextTable {
  const sorted = results.toSorted((a, b) => a.rows - b.rows);
  return {
    title: "Other sizes",
    head: ["rows", "load", "primary key", "rows a second, with key", "÷ floor", "peak memory"],
    rows: sorted.flatMap(({ rows, contenders: { timelift }, ratios }) => {
      if (isSkipped(timelift)) return [];
      const { wallMs, steps, memoryMb } = timelift.median;
      return [
        [
          count(rows),
          seconds(steps?.load ?? wallMs),
          seconds(steps?.key ?? 0),
          count(Math.round(rows / (wallMs / 1000))),
          ratios.floor?.toFixed(2) ?? "–",
          memoryMb === null ? "–" : memory(memoryMb),
        ],
      ];
    }),
    notes: [],
  };
}

function section({ title, head, rows, notes }: TextTable): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const table =
    head.length > 0 ? [line(head), `|---|${"---:|".repeat(head.length - 1)}`, ...rows.map(line), ""] : [];
  return [`## ${title}`, "", ...table, ...notes.map((note) => `${note}\n`)].join("\n").trimEnd();
}

function howTo({ rows, rounds }: BenchResult): string {
  return `## What is measured

- **timelift**: the CLI's own process as \`pulumi up\` runs it, from its start to its end, reading the source
  in place, because nobody writes to it; then \`ALTER TABLE … ADD PRIMARY KEY\`, in its own line as "key".
- **floor**: the server reads a ready file in PostgreSQL's binary form (\`COPY … FROM '/path'\`), in the source's order,
  into the same empty hypertable; then the same key. Reading SQLite, encoding and sending cost nothing here.
- **pgloader**, **sling**: into a plain table that they make, with their own defaults; no hypertable, no key on it.
- **pipe**: \`sqlite3 -csv\` into \`psql \\copy\`, into the hypertable with its key in place; reals as \`%!.17g\`, for
  the shell's own 15 digits lose some.
- **validation**: \`timelift validate\`: every row of the source compared with the target.
- **unchanged**, **incremental**: a second load of the same file, and of one with 1 % more rows, the table declared
  \`append("id")\`; beside an **empty run** of the CLI (\`--help\`), what Node itself takes.
- CPU is user and system time of all processes of a contender; the server's is what its processes used meanwhile. Peak
  memory is the largest sum of resident memory over a contender's processes, looked at every 50 ms.
- fsync and full_page_writes are on and every table is logged; the bench refuses a server where they are not.

## Again

\`\`\`sh
apt-get install pgloader sqlite3                  # the rivals that a distribution has; what is missing is left out
pip download --no-deps sling-linux-amd64 && unzip -p sling_linux_amd64-*.whl '*/sling-linux-amd64' > ~/bin/sling && chmod +x ~/bin/sling
./timelift bench --rows ${rows} --runs ${rounds} --json bench.json
./timelift bench --from bench.json --svg docs/images --markdown docs/benchmarks.md
\`\`\`

A server with the Community edition is measured too where \`TIMELIFT_COMMUNITY_URL\` holds a superuser's URL.`;
}
