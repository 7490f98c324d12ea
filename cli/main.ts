import { Command } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";

/** Each command in a file of its own, read only when it is asked for: resources start many of them. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  demo: {
    summary: "deploy the sample: services, migrations, load, validation; then try it",
    load: async () => (await import("./demo.ts")).demoCommand(),
  },
  up: {
    summary: "deploy a stack (pulumi up)",
    load: async () => (await import("./deploy.ts")).deployCommand("up"),
  },
  preview: {
    summary: "show what up would do: services, SQL, rows (pulumi preview)",
    load: async () => (await import("./preview.ts")).previewCommand(),
  },
  refresh: {
    summary: "compare the state with what is there (pulumi refresh)",
    load: async () => (await import("./deploy.ts")).deployCommand("refresh"),
  },
  destroy: {
    summary: "take a stack back (pulumi destroy)",
    load: async () => (await import("./deploy.ts")).deployCommand("destroy"),
  },
  shell: {
    summary: "a shell in which plain pulumi commands work",
    load: async () => (await import("./shell.ts")).shellCommand(),
  },
  stack: {
    summary: "write the config of a new stack: stack new NAME",
    load: async () => (await import("./stack.ts")).stackCommand(),
  },
  target: {
    summary: "what a database of your own lacks for timelift",
    load: async () => (await import("./target.ts")).targetCommand(),
  },
  status: {
    summary: "what runs, where, since when",
    load: async () => (await import("./status.ts")).statusCommand(),
  },
  logs: { summary: "the log of a service", load: async () => (await import("./logs.ts")).logsCommand() },
  psql: { summary: "psql on the target", load: async () => (await import("./psql.ts")).psqlCommand() },
  migrate: {
    summary: "the target's migrations: status, up, down",
    load: async () => (await import("./migrate.ts")).migrateCommand(),
  },
  maintain: {
    summary: "run the due tasks that the server has no scheduler for",
    load: async () => (await import("./maintain.ts")).maintainCommand(),
  },
  schema: {
    summary: "the target's schema as text; --diff: what was changed by hand",
    load: async () => (await import("./schema.ts")).schemaCommand(),
  },
  load: {
    summary: "load what the target lacks; --status: how far a load is",
    load: async () => (await import("./load.ts")).loadCommand(),
  },
  rejects: {
    summary: "the rows that were not loaded, and why; load them after a correction",
    load: async () => (await import("./rejects.ts")).rejectsCommand(),
  },
  validate: {
    summary: "compare every row with the source, now",
    load: async () => (await import("./validate.ts")).validateCommand(),
  },
  export: {
    summary: "write a SQLite file in the application's own schema from the target, compared row by row",
    load: async () => (await import("./export.ts")).exportCommand(),
  },
  metrics: {
    summary: "what loads and validations left behind, as Prometheus reads it",
    load: async () => (await import("./metrics.ts")).metricsCommand(),
  },
  report: {
    summary: "show the last validation's report again: lines, HTML, JUnit, JSON",
    load: async () => (await import("./report.ts")).reportCommand(),
  },
  service: {
    summary: "start or stop one service (what NativeService runs)",
    load: async () => (await import("./service.ts")).serviceCommand(),
  },
  inspect: {
    summary: "what a SQLite file really holds, and what to declare for it",
    load: async () => (await import("./inspect.ts")).inspectCommand(),
  },
  advise: {
    summary: "chunks, columnstore and indexes that suit the source's rows, with the figures behind them",
    load: async () => (await import("./advise.ts")).adviseCommand(),
  },
  alert: {
    summary: "send an alert through, and say where it went",
    load: async () => (await import("./alert.ts")).alertCommand(),
  },
  sample: {
    summary: "build the sample SQLite file",
    load: async () => (await import("./sample.ts")).sampleCommand(),
  },
  bench: {
    summary: "measure loads beside other tools, on a server of its own",
    load: async () => (await import("./bench.ts")).benchCommand(),
  },
  test: {
    summary: "typecheck, lint and run the tests",
    load: async () => (await import("./test.ts")).testCommand(),
  },
};

const program = new Command("timelift")
  .description("Moves an application from SQLite to TimescaleDB, as code.")
  .enablePositionalOptions()
  .showHelpAfterError("(timelift --help lists the commands)");

const asked = process.argv[2] ?? "";
for (const [name, { summary, load }] of Object.entries(commands)) {
  program.addCommand(asked === name ? await load() : new Command(name).summary(summary).description(summary));
}
program.addCommand(new Command("doctor").description("what is present, from where, and what is missing"));

try {
  await program.parseAsync();
} catch (error) {
  const known = error instanceof TimeliftError;
  console.error(known ? error.message : error);
  process.exitCode = 1;
}
