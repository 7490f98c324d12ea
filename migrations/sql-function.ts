import { quoteIdentifier as identifier } from "../loaders/identifier.ts";

/** A function whose body is one SELECT. */
export interface SqlFunctionArgs {
  /** Name -> type, in order. In the body they are `$1`, `$2`, … or `function.name`. */
  arguments: Record<string, string>;
  /** A type, or `TABLE (name type, …)`. */
  returns: string;
  /** The SELECT, without a semicolon. */
  body: string;
}

/** The statement that makes the function, and the one that drops it. */
export function functionSql(name: string, args: SqlFunctionArgs): { create: string; drop: string } {
  const given = Object.entries(args.arguments).map(([argument, type]) => `${identifier(argument)} ${type}`);
  return {
    create: `CREATE FUNCTION ${identifier(name)}(${given.join(", ")}) RETURNS ${args.returns}
LANGUAGE sql STABLE PARALLEL SAFE AS $timelift$
${args.body}
$timelift$;`,
    drop: `DROP FUNCTION IF EXISTS ${identifier(name)}(${Object.values(args.arguments).join(", ")});`,
  };
}
