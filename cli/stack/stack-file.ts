import type { PlatformName, StackChoices } from "./stack-choices.ts";

/** A key with its value as YAML, or commented out where it is left to its reader; and why it is there. */
interface Entry {
  comment: string[];
  lines: string[];
}

const titles: Record<PlatformName, string> = {
  native: "its services are processes of this machine",
  docker: "its services are containers of a Docker engine",
  external: "its database is run by others",
};

/** The text of a new stack's `Pulumi.<stack>.yaml`, each key with what it says. */
export function renderStackFile(choices: StackChoices): string {
  const entries = [
    platform(choices),
    workload(choices),
    source(choices),
    edition(choices),
    ...(choices.platform === "docker" ? docker(choices) : []),
    ...(choices.platform === "external" ? external(choices.stack) : []),
    ...ports(choices),
    protection(choices),
  ];
  const head = [
    `# The stack ${choices.stack}: ${titles[choices.platform]}. ./timelift up --stack ${choices.stack} deploys it.`,
    "# docs/environments.md tells of environments, Pulumi.yaml of every key.",
    "config:",
  ];
  const body = entries.flatMap(({ comment, lines }) => [...comment.map((line) => `# ${line}`), ...lines]);
  return `${[...head, ...body.map((line) => `  ${line}`)].join("\n")}\n`;
}

function platform({ platform: name }: StackChoices): Entry {
  const comment = "How services become real: native, docker or external. Another one needs a destroy before.";
  return { comment: [comment], lines: [`timelift:platform: ${name}`] };
}

function workload({ workload: name, workloadPath }: StackChoices): Entry {
  return workloadPath === ""
    ? {
        comment: ["The application: a loader in loaders/workloads, with its migrations."],
        lines: [`timelift:workload: ${name}`],
      }
    : {
        comment: ["The application: a folder with loader.ts and migrations/."],
        lines: [`timelift:workloadPath: ${text(workloadPath)}`],
      };
}

function source({ source: file, stack }: StackChoices): Entry {
  const what = "The SQLite file, relative to this folder or absolute. It is only ever read.";
  return file === ""
    ? {
        comment: [what, `Named once: ./timelift up --stack ${stack} --source path/to/app.db`],
        lines: ["# timelift:source: path/to/app.db"],
      }
    : { comment: [what], lines: [`timelift:source: ${text(file)}`] };
}

function edition({ platform: name, edition: value }: StackChoices): Entry {
  const whose: Record<PlatformName, string> = {
    native: "Edition of TimescaleDB: Debian builds apache; community wants a PostgreSQL that has it on PATH.",
    docker: "Edition of TimescaleDB: the default image holds community; images: sysroot wants apache.",
    external:
      "Edition of TimescaleDB that the server runs, community or apache; it is verified before a write.",
  };
  return { comment: [whose[name]], lines: [`timelift:edition: ${value}`] };
}

function docker({ publish, dockerHost }: StackChoices): Entry[] {
  const published = ["timescaledb", ...publish].map((name) => `  ${name}: 127.0.0.1`);
  return [
    {
      comment: [
        "Another engine than this machine's: ssh://user@host, or tcp://host:2376 with docker:certPath (docs/docker.md).",
      ],
      lines: [
        dockerHost === "" ? "# docker:host: ssh://deploy@db.example.com" : `docker:host: ${text(dockerHost)}`,
      ],
    },
    {
      comment: [
        "Images by service in place of the pinned ones, e.g. {redis: registry.example.com/redis:8.2.1}; or sysroot, the",
        "Debian tree of the native platform, where no registry can be reached.",
      ],
      lines: ["# timelift:images: sysroot"],
    },
    {
      comment: [
        "What is published beyond the stack's own network, and at which address of the engine's machine. The database is,",
        "for migrations, load and validation come in there.",
      ],
      lines: ["timelift:publish:", ...published],
    },
  ];
}

function external(stack: string): Entry[] {
  return [
    {
      comment: [
        "The database, as the owner of its tables; encrypted here. In ./timelift shell, which asks for it:",
        `  pulumi config set --stack ${stack} --secret timelift:targetUrl`,
        "  postgresql://owner:PASSWORD@host:5432/database?sslmode=verify-full",
        "Logins of their own that write and read rows: timelift:loaderUrl, timelift:readonlyUrl (docs/external.md).",
        "What runs beside it, as processes of this machine; nothing where nothing is named.",
      ],
      lines: ["# timelift:services: [pgbouncer, redis, prometheus]"],
    },
  ];
}

function ports({ ports: given }: StackChoices): Entry[] {
  const lines = Object.entries(given).map(([service, port]) => `  ${service}: ${port}`);
  if (lines.length === 0) return [];
  const comment = ["Ports, so that stacks run side by side on one machine."];
  return [{ comment, lines: ["timelift:ports:", ...lines] }];
}

function protection({ platform: name, protect }: StackChoices): Entry {
  const off = "Deletion protection, which refuses every plan that would drop data, and destroy.";
  const on = [
    "Deletion protection: a plan that would drop a table or a data volume is refused, and so is destroy; dropData too.",
    "On purpose: set it to false, run up, and name what is to go (docs/environments.md). Do not delete the line.",
  ];
  const data =
    name === "external" ? [] : ["destroy keeps the data: timelift:dropData is false unless it is set."];
  return { comment: protect ? on : [off, ...data], lines: [`${protect ? "" : "# "}timelift:protect: true`] };
}

/** As YAML takes it; JSON is YAML. */
const text = (value: string) => (/^[\w./][\w./-]*$/.test(value) ? value : JSON.stringify(value));
