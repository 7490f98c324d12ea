import { inScope } from "./scope.ts";

/** Functions, sequences and types; each query gives what `DumpLine` says. */
export const objectLines = [
  `SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
    p.oid::regprocedure::text AS name,
    CASE WHEN prokind <> 'a' THEN btrim(pg_get_functiondef(p.oid), E' \\n')
      ELSE concat_ws(E'\\n', format('state %s by %s', aggtranstype::regtype, aggtransfn),
        'result by ' || nullif(aggfinalfn, 0)::regproc, 'from ' || agginitval) END AS line
  FROM pg_proc p LEFT JOIN pg_aggregate ON aggfnoid = p.oid
  WHERE ${inScope("pg_proc", "p.oid", "pronamespace")}`,

  // Those of identity and serial columns belong to their column.
  `SELECT 'sequence' AS kind, c.oid::regclass::text AS name, format('as %s start %s increment %s minimum %s maximum %s%s',
    seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, CASE WHEN seqcycle THEN ' cycle' ELSE '' END) AS line
  FROM pg_class c JOIN pg_sequence ON seqrelid = c.oid
  WHERE ${inScope("pg_class", "c.oid", "relnamespace")} AND NOT EXISTS (SELECT FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i'))`,

  `SELECT 'type' AS kind, t.oid::regtype::text AS name, format('value %L', enumlabel) AS line, enumsortorder AS place
  FROM pg_type t JOIN pg_enum ON enumtypid = t.oid
  WHERE ${inScope("pg_type", "t.oid", "typnamespace")}`,

  `SELECT 'type' AS kind, t.oid::regtype::text AS name, format('domain of %s', format_type(typbasetype, typtypmod))
    || CASE WHEN typnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || typdefault, '')
    || coalesce((SELECT string_agg(' ' || pg_get_constraintdef(c.oid, true), '' ORDER BY conname COLLATE "C")
         FROM pg_constraint c WHERE contypid = t.oid AND contype = 'c'), '') AS line
  FROM pg_type t WHERE typtype = 'd' AND ${inScope("pg_type", "t.oid", "typnamespace")}`,
];

/** What stands in for what an edition lacks, by the name of the table in `timelift` that holds it. */
export const bookLines = {
  task: `SELECT 'tasks' AS kind, NULL AS name, format('%s every %s by %s', name, every, scheduler) AS line
  FROM timelift.task`,
  realised: `SELECT 'realised' AS kind, NULL AS name, format('%s %s as %s', kind, name, realised_as) AS line
  FROM timelift.realised`,
};
