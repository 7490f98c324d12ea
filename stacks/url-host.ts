/** A host as a URL has it: an IPv6 address is in brackets. */
export function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
