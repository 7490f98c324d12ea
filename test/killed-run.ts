import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { KillTargetRequest } from "./kill-target.ts";

/** A load and its keys in a process of their own (`kill-target.ts`), with what it says and when. */
export class KilledRun {
  /** Kinds of events, but those that come by the clock, in ms since the work began. */
  readonly said: { kind: string; ms: number }[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #log = "";
  #heard = () => {};

  /** @param cache a folder in which Node keeps what it compiled, so that many runs start fast */
  constructor(request: KillTargetRequest, cache: string) {
    this.#child = spawn(process.execPath, ["test/kill-target.ts"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    this.#closed = once(this.#child, "close");
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    this.#child.stderr?.on("data", (text) => {
      this.#log += text;
    });
    if (!this.#child.stdout) return;
    let began = 0;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#log += `${line}\n`;
      const { kind } = JSON.parse(line);
      if (kind === "progress") return;
      if (kind === "begin") began = performance.now();
      this.said.push({ kind, ms: performance.now() - began });
      this.#heard();
    });
  }

  /** Resolves so many ms after so many words, or when it is over. */
  async reaches({ words, ms }: { words: number; ms: number }): Promise<void> {
    await this.#until(() => this.said.length >= words);
    await Promise.race([sleep(ms), this.#closed]);
  }

  /** All that it printed so far. */
  get log(): string {
    return this.#log;
  }

  get lastSaid(): string {
    return this.said.at(-1)?.kind ?? "start";
  }

  /** Whether there is nothing left to be disturbed. */
  get isDone(): boolean {
    return this.said.some(({ kind }) => kind === "keys");
  }

  kill(): boolean {
    return this.#child.kill("SIGKILL");
  }

  /** Ends a thread of it; false where none was at work. */
  async endThread(): Promise<boolean> {
    this.#child.stdin?.write("end a thread\n");
    await this.#until(() => this.said.some(({ kind }) => kind === "thread"));
    return this.#log.includes('"kind":"thread","ended":true');
  }

  /** Waits for its end; `code` is null where it was killed. */
  async end(): Promise<{ code: number | null; log: string }> {
    await this.#closed;
    return { code: this.#child.exitCode, log: this.#log };
  }

  async #until(isSo: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heard = () => {
      if (isSo()) resolve();
    };
    this.#heard();
    await Promise.race([promise, this.#closed]);
  }
}
