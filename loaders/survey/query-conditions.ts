/** What a query asks of the tables that it names; read from its words, not from a plan. */
export interface QueryConditions {
  /** Tables after FROM and JOIN. */
  tables: string[];
  /** Name under which the query speaks of a table -> the table. */
  names: Record<string, string>;
  /** Columns that are compared with a constant or a parameter by = or IN, as `table.column` where the query says so. */
  equal: string[];
  /** Column -> the texts that it is compared with by <, >, BETWEEN; empty for parameters and expressions. */
  ranges: Record<string, string[]>;
  orderBy: string[];
  /** Whether it takes only the first rows. */
  limited: boolean;
}

interface Token {
  kind: "name" | "text" | "number" | "sign";
  value: string;
  quoted: boolean;
}

const pattern =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([A-Za-z_][\w$]*)|([?$:@]\w*|\d[\d._eE]*)|(<=|>=|<>|!=|==|::|[=<>(),.;*/+-])/g;

const ends =
  /^(where|group|order|limit|having|window|union|on|using|inner|left|right|full|cross|join|as|set)$/i;

/** Reads a query's conditions. What it does not understand it leaves out. */
export function queryConditions(sql: string): QueryConditions {
  const tokens = tokensOf(sql);
  const aliases = tableNames(tokens);
  const equal = new Set<string>();
  const ranges: Record<string, string[]> = {};
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== "name") continue;
    const operator = tokens[at + 1];
    const column = columnAt(tokens, at, aliases);
    if (operator === undefined || column === null) continue;
    const word = wordOf(operator);
    if ((word === "=" || word === "==") && isConstant(tokens, at + 2)) equal.add(column);
    else if (word === "in" && tokens[at + 2]?.value === "(") equal.add(column);
    else if (/^[<>]=?$/.test(word) && isConstant(tokens, at + 2)) {
      ranges[column] = [...(ranges[column] ?? []), ...textAt(tokens, at + 2)];
    } else if (word === "between") {
      const and = tokens.findIndex((each, i) => i > at && wordOf(each) === "and");
      ranges[column] = [...(ranges[column] ?? []), ...textAt(tokens, at + 2), ...textAt(tokens, and + 1)];
    }
  }
  return {
    tables: [...new Set(aliases.values())],
    names: Object.fromEntries(aliases),
    equal: [...equal],
    ranges,
    orderBy: orderOf(tokens),
    limited: tokens.some((token) => /^(limit|fetch)$/.test(wordOf(token))),
  };
}

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const [all, text, quoted, name, number] of sql.matchAll(pattern)) {
    if (all.startsWith("--") || all.startsWith("/*")) continue;
    if (text !== undefined) tokens.push({ kind: "text", value: text.replaceAll("''", "'"), quoted: true });
    else if (quoted !== undefined)
      tokens.push({ kind: "name", value: quoted.replaceAll('""', '"'), quoted: true });
    else if (name !== undefined) tokens.push({ kind: "name", value: name, quoted: false });
    else if (number !== undefined) tokens.push({ kind: "number", value: number, quoted: false });
    else tokens.push({ kind: "sign", value: all, quoted: false });
  }
  return tokens;
}

/** A word of the language in small letters; a quoted name is none. */
function wordOf(token: Token): string {
  return token.kind === "text" || token.quoted ? "" : token.value.toLowerCase();
}

/** Alias, or the name itself -> table. */
function tableNames(tokens: Token[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const [at, token] of tokens.entries()) {
    if (!/^(from|join)$/.test(wordOf(token))) continue;
    for (let next = at + 1; ; ) {
      let table = tokens[next];
      if (table?.kind !== "name") break;
      if (tokens[next + 1]?.value === "." && tokens[next + 2]) {
        next += 2;
        table = tokens[next] as Token;
      }
      if (tokens[next + 1]?.value === "(") break;
      names.set(table.value, table.value);
      const as = tokens[next + 1];
      const alias = as && wordOf(as) === "as" ? tokens[next + 2] : as;
      if (alias?.kind === "name" && (alias.quoted || !ends.test(alias.value))) {
        names.delete(table.value);
        names.set(alias.value, table.value);
        next += as === alias ? 1 : 2;
      }
      if (tokens[next + 1]?.value !== ",") break;
      next += 2;
    }
  }
  return names;
}

/** The column that a name stands for, with its table where the query names one; null for what is no column. */
function columnAt(tokens: Token[], at: number, aliases: Map<string, string>): string | null {
  const name = tokens[at] as Token;
  if (tokens[at - 1]?.value !== ".") return name.value;
  const table = aliases.get(tokens[at - 2]?.value ?? "");
  return table === undefined ? null : `${table}.${name.value}`;
}

const typed = /^(timestamp|timestamptz|date|interval|now|current_timestamp|current_date|any|array|cast)$/;

function isConstant(tokens: Token[], at: number): boolean {
  const token = tokens[at];
  if (token === undefined) return false;
  if (token.kind === "text" || token.kind === "number") return true;
  if (token.value === "-" || token.value === "(") return isConstant(tokens, at + 1);
  return (
    /^select$/.test(wordOf(token)) ||
    typed.test(wordOf(token)) ||
    (token.kind === "name" && tokens[at + 1]?.value === "(")
  );
}

function textAt(tokens: Token[], at: number): string[] {
  const token = tokens[at];
  if (token?.kind === "text") return [token.value];
  const next = tokens[at + 1];
  return token && typed.test(wordOf(token)) && next?.kind === "text" && wordOf(token) !== "interval"
    ? [next.value]
    : [];
}

/** The columns of the last ORDER BY: that of the whole answer. */
function orderOf(tokens: Token[]): string[] {
  const at = tokens.findLastIndex(
    (token, i) => wordOf(token) === "by" && wordOf(tokens[i - 1] as Token) === "order",
  );
  if (at < 0) return [];
  const columns: string[] = [];
  let depth = 0;
  let current: Token[] = [];
  const finish = () => {
    const column = current[1]?.value === "." ? current[2] : current[0];
    const descends = current.some((token) => wordOf(token) === "desc");
    if (column?.kind === "name") columns.push(column.value + (descends ? " desc" : ""));
    current = [];
  };
  for (const token of tokens.slice(at + 1)) {
    if (token.value === "(") depth += 1;
    if (token.value === ")" && --depth < 0) break;
    if (depth === 0 && /^(limit|fetch|offset)$/.test(wordOf(token))) break;
    if (token.value === "," && depth === 0) finish();
    else if (depth === 0) current.push(token);
  }
  finish();
  return columns;
}
