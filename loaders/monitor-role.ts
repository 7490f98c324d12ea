/** The role that a stack's exporters log in as; it sees counts and times of the schema `timelift`, and no value of a row. */
export const monitorRole = "timelift_monitor";

/** SQL that lets it read tables of the schema `timelift`, where there is such a role. */
export function letMonitorRead(tables: string[]): string {
  const names = tables.map((table) => `timelift.${table}`).join(", ");
  return `
  DO $do$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${monitorRole}') THEN
      GRANT USAGE ON SCHEMA timelift TO ${monitorRole};
      GRANT SELECT ON ${names} TO ${monitorRole};
    END IF;
  END $do$`;
}
