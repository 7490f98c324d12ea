import type pg from "pg";

/**
 * What timelift remembers of migrations, beside the loader's ledger in the schema `timelift`: checksums, what each
 * object was realised as, and the tasks that stand in for policies. Safe to run again.
 */
export async function keepBooks(client: pg.ClientBase): Promise<void> {
  await client.query(tables);
  await client.query(taskFunctions);
}

const tables = `
  CREATE TABLE IF NOT EXISTS timelift.migration_checksum (
    phase text NOT NULL, name text NOT NULL, checksum text NOT NULL, options text NOT NULL, sql text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT current_timestamp, PRIMARY KEY (phase, name));
  CREATE TABLE IF NOT EXISTS timelift.realised (
    kind text NOT NULL, name text NOT NULL,
    phase text NOT NULL, migration text NOT NULL, position integer NOT NULL,
    edition text NOT NULL, realised_as text NOT NULL, how text NOT NULL, reason text,
    declaration jsonb NOT NULL,
    realised_at timestamptz NOT NULL DEFAULT current_timestamp,
    settled_at timestamptz,
    PRIMARY KEY (kind, name));
  CREATE TABLE IF NOT EXISTS timelift.task (
    name text PRIMARY KEY, every interval NOT NULL, statement text NOT NULL,
    scheduler text NOT NULL CHECK (scheduler IN ('timescaledb', 'pg_cron', 'maintain')),
    started_at timestamptz, finished_at timestamptz, error text);
  -- Hypertables that retention drops rows of, or once did: an aggregate must not be refreshed where they were.
  CREATE TABLE IF NOT EXISTS timelift.retained (table_name text PRIMARY KEY);
  -- The schema itself says who may look.
  GRANT SELECT ON timelift.migration_checksum, timelift.realised, timelift.task, timelift.retained TO PUBLIC;
`;

const taskFunctions = `
  -- Runs a task that is due, or at once; says nothing where another session runs it. A failure is kept in the table.
  CREATE OR REPLACE FUNCTION timelift.run_task(task_name text, at_once boolean DEFAULT false) RETURNS void
  LANGUAGE plpgsql AS $timelift$
  DECLARE
    task timelift.task;
    began timestamptz := clock_timestamp();
  BEGIN
    SELECT * INTO task FROM timelift.task WHERE name = task_name FOR UPDATE SKIP LOCKED;
    IF NOT FOUND OR NOT at_once AND task.started_at > began - task.every * 0.9 THEN RETURN; END IF;
    BEGIN
      EXECUTE task.statement;
      UPDATE timelift.task SET started_at = began, finished_at = clock_timestamp(), error = NULL WHERE name = task_name;
    EXCEPTION WHEN OTHERS THEN
      UPDATE timelift.task SET started_at = began, error = SQLERRM WHERE name = task_name;
      RAISE WARNING 'timelift task "%": %', task_name, SQLERRM;
    END;
  END
  $timelift$;

  CREATE OR REPLACE PROCEDURE timelift.run_task_job(job_id integer, config jsonb)
  LANGUAGE plpgsql AS $timelift$
  BEGIN
    PERFORM timelift.run_task(config ->> 'task', true);
  END
  $timelift$;

  -- Gives a task to the scheduler that the server has: TimescaleDB's jobs, pg_cron, or none but timelift maintain.
  CREATE OR REPLACE FUNCTION timelift.schedule_task(task_name text, task_every interval, cron_schedule text, task_statement text)
  RETURNS text LANGUAGE plpgsql AS $timelift$
  DECLARE
    chosen text := 'maintain';
    command text := format('SELECT timelift.run_task(%L)', task_name);
  BEGIN
    PERFORM timelift.drop_task(task_name);
    IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'apache' THEN
      PERFORM add_job('timelift.run_task_job', task_every, config => jsonb_build_object('task', task_name));
      chosen := 'timescaledb';
    ELSIF to_regprocedure('cron.schedule(text, text, text)') IS NOT NULL AND has_schema_privilege('cron', 'USAGE') THEN
      PERFORM cron.schedule('timelift ' || task_name, cron_schedule, command);
      chosen := 'pg_cron';
    END IF;
    INSERT INTO timelift.task (name, every, statement, scheduler) VALUES (task_name, task_every, task_statement, chosen);
    RETURN chosen;
  END
  $timelift$;

  CREATE OR REPLACE FUNCTION timelift.drop_task(task_name text) RETURNS void LANGUAGE plpgsql AS $timelift$
  BEGIN
    IF current_setting('timescaledb.license', true) IS DISTINCT FROM 'apache' THEN
      PERFORM delete_job(job_id) FROM timescaledb_information.jobs
        WHERE proc_schema = 'timelift' AND proc_name = 'run_task_job' AND config ->> 'task' = task_name;
    END IF;
    IF to_regclass('cron.job') IS NOT NULL AND has_schema_privilege('cron', 'USAGE') THEN
      PERFORM cron.unschedule(jobid) FROM cron.job
        WHERE jobname = 'timelift ' || task_name AND username = current_user;
    END IF;
    DELETE FROM timelift.task WHERE name = task_name;
  END
  $timelift$;

  -- Who may read a table may read what belongs to it.
  CREATE OR REPLACE FUNCTION timelift.share_reading(of_table regclass, with_table regclass) RETURNS void
  LANGUAGE plpgsql AS $timelift$
  DECLARE
    reader regrole;
    schema_name regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = with_table);
  BEGIN
    FOR reader IN SELECT DISTINCT grantee::regrole FROM pg_class, aclexplode(relacl)
      WHERE oid = of_table AND privilege_type = 'SELECT' AND grantee <> 0
    LOOP
      EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', schema_name, reader);
      EXECUTE format('GRANT SELECT ON %s TO %s', with_table, reader);
    END LOOP;
  END
  $timelift$;

  -- The time of a hypertable's newest row, also for who may read none of its rows: monitoring. NULL where there is none.
  CREATE OR REPLACE FUNCTION timelift.newest_row(hypertable text) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $timelift$
  DECLARE
    time_column name;
    newest timestamptz;
  BEGIN
    SELECT column_name INTO time_column FROM timescaledb_information.dimensions
      WHERE hypertable_schema = 'public' AND hypertable_name = hypertable AND dimension_number = 1
        AND column_type IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype);
    IF NOT FOUND THEN RETURN NULL; END IF;
    EXECUTE format('SELECT max(%I) FROM public.%I', time_column, hypertable) INTO newest;
    RETURN newest;
  END
  $timelift$;

  -- Refreshes a materialized view; concurrently once it has been filled.
  CREATE OR REPLACE FUNCTION timelift.refresh_view(view_name text) RETURNS void LANGUAGE plpgsql AS $timelift$
  BEGIN
    IF (SELECT relispopulated FROM pg_class WHERE oid = to_regclass(quote_ident(view_name))) THEN
      EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY %I', view_name);
    ELSE
      EXECUTE format('REFRESH MATERIALIZED VIEW %I', view_name);
    END IF;
  END
  $timelift$;

  -- Drops the chunks of a hypertable that are wholly older than a span, with what triggers keep of their rows:
  -- rows that refer to them, and the entries of guards. drop_chunks itself fires no trigger.
  CREATE OR REPLACE FUNCTION timelift.retain(table_name text, after interval) RETURNS void LANGUAGE plpgsql AS $timelift$
  DECLARE
    before timestamptz;
    kept record;
    refers boolean;
  BEGIN
    SELECT max(range_end) INTO before FROM timescaledb_information.chunks
      WHERE hypertable_schema = current_schema() AND hypertable_name = table_name AND range_end <= now() - after;
    IF before IS NULL THEN RETURN; END IF;
    FOR kept IN SELECT declaration AS d FROM timelift.realised
      WHERE kind = 'reference' AND declaration ->> 'parent' = table_name
    LOOP
      IF kept.d ->> 'onDelete' = 'cascade' THEN
        EXECUTE format('DELETE FROM %I WHERE %I < $1', kept.d ->> 'table', kept.d -> 'columns' ->> -1) USING before;
      ELSE
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I < $1)', kept.d ->> 'table', kept.d -> 'columns' ->> -1)
          INTO refers USING before;
        IF refers THEN
          RAISE foreign_key_violation USING
            MESSAGE = format('rows of %I refer to chunks of %I that are older than %s', kept.d ->> 'table', table_name, after);
        END IF;
      END IF;
    END LOOP;
    FOR kept IN SELECT declaration AS d FROM timelift.realised
      WHERE kind = 'guard' AND declaration ->> 'table' = table_name
    LOOP
      EXECUTE format('DELETE FROM timelift_guard.%I WHERE %I < $1',
        table_name || '_' || (SELECT string_agg(value, '_' ORDER BY n)
          FROM jsonb_array_elements_text(kept.d -> 'unique') WITH ORDINALITY AS u(value, n)),
        kept.d ->> 'time') USING before;
    END LOOP;
    PERFORM drop_chunks(to_regclass(quote_ident(table_name)), older_than => before);
  END
  $timelift$;
`;
