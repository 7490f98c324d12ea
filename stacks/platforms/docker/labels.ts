/** What `docker ps --filter label=timelift.stack=…` finds all that a stack has on an engine by. */
export function labels(prefix: string, service?: string): { label: string; value: string }[] {
  const own = { label: "timelift.stack", value: prefix };
  return service === undefined ? [own] : [own, { label: "timelift.service", value: service }];
}
