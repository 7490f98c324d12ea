/**
 * The host that clients connect to, for a port that is published at `address`: the address itself, or the engine's
 * machine where that is every address.
 *
 * @param engine `docker:host`, e.g. `ssh://user@db.example.com`, or empty
 */
export function clientHost(address: string, engine: string): string {
  if (address !== "0.0.0.0" && address !== "::") return address;
  return engine === "" || engine.startsWith("unix:") ? "127.0.0.1" : new URL(engine).hostname;
}
