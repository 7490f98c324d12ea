import type { LoadEvent } from "../../loaders/load-event.ts";

/** Shows a load while it runs. */
export interface LoadView {
  take(event: LoadEvent): void;
  /** Stops showing; whatever is printed next stands below. */
  end(): Promise<void>;
}
