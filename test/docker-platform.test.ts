import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { clientHost } from "../stacks/platforms/docker/client-host.ts";
import { defaultImages } from "../stacks/platforms/docker/images.ts";
import type { DockerPlatformArgs } from "../stacks/platforms/docker.ts";
import { scramSecret } from "../stacks/platforms/scram-secret.ts";
import { redisRules } from "../stacks/services/redis-users.ts";
import { roles } from "../stacks/services/role.ts";
import { type ServiceName, serviceNames } from "../stacks/services/service.ts";
import { declareServices, recordResources, stackCertificate } from "./docker-resources.ts";
import { stackSecrets } from "./native-stack.ts";

beforeAll(recordResources);

interface Upload {
  file: string;
  content: string;
  permissions: string;
}
const contentOf = (uploads: Upload[], file: string) =>
  uploads.find((each) => each.file === `/timelift/${file}`)?.content;

describe("what the docker platform declares", () => {
  test("a container with its files, a data volume and an image a service, on one network", async () => {
    const { resources } = await declareServices({});
    const names = resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort();
    expect(names).toEqual(
      [
        "Network network",
        "Credentials superuser",
        "Certificates certificates",
        ...serviceNames.flatMap((name) => [
          `RemoteImage ${name}`,
          `Volume ${name}-files`,
          `Container ${name}-files`,
          `Container ${name}`,
          `DockerService ${name}`,
        ]),
        ...["timescaledb", "redis", "alertmanager", "prometheus", "grafana"].map(
          (name) => `Volume ${name}-data`,
        ),
      ].sort(),
    );
    for (const { type, name, inputs } of resources.filter((each) => each.type.startsWith("docker:"))) {
      if (type.endsWith(":RemoteImage")) continue;
      expect(inputs.name).toBe(name === "network" ? "timelift-staging" : `timelift-staging-${name}`);
      expect(inputs.labels).toContainEqual({ label: "timelift.stack", value: "timelift-staging" });
    }
  });

  test.each(serviceNames)("%s runs confined, bounded and watched", async (name) => {
    const { find } = await declareServices({});
    const { inputs } = find(`Container ${name}`);
    expect(inputs).toMatchObject({
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      restart: "unless-stopped",
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      networksAdvanced: [{ name: "timelift-staging", aliases: [name] }],
    });
    expect(inputs.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(inputs.memory).toBeGreaterThan(0);
    expect(inputs.volumes[0]).toEqual({
      volumeName: `timelift-staging-${name}-files`,
      containerPath: "/timelift",
      readOnly: true,
    });
    const connects = ["postgres-exporter", "pgbouncer-exporter"].includes(name);
    expect(inputs.envs ?? []).toHaveLength(connects ? 1 : 0);
    expect(inputs.privileged).toBeUndefined();
  });

  test.each(serviceNames)("%s meets none of the provider's quirks", async (name) => {
    const { find } = await declareServices({});
    const container = find(`Container ${name}`);
    expect(container.inputs.memorySwap).toBe(container.inputs.memory);
    expect(container.replaceOnChanges).toEqual(["healthcheck"]);
    expect(container.deleteBeforeReplace).toBe(true);
    expect(container.inputs.wait).toBe(true);
    expect(container.inputs.healthcheck.tests[0]).toBe("CMD");
    expect(container.inputs.healthcheck.startPeriod).toMatch(/^(\d+m\d+s|[1-5]?\ds)$/);
    expect(container.inputs.waitTimeout).toBeGreaterThan(60);
    expect(container.inputs.destroyGraceSeconds).toBe(container.inputs.stopTimeout);
    expect(find(`RemoteImage ${name}`).inputs.keepLocally).toBe(true);
    // A container whose root is read-only takes no file; the one that does is never started.
    expect(container.inputs.uploads).toBeUndefined();
    expect(find(`Container ${name}-files`)).toMatchObject({
      inputs: { start: false, mustRun: false, networkMode: "none" },
      deleteBeforeReplace: true,
    });
  });

  test("memory and shared memory come from the same tuning as the server's settings", async () => {
    const { find } = await declareServices({});
    const settings = contentOf(find("Container timescaledb-files").inputs.uploads, "postgresql.conf");
    expect(settings).toContain("shared_buffers = '262144kB'");
    const { memory, shmSize } = find("Container timescaledb").inputs;
    expect([memory, shmSize]).toEqual([2048, 512]);
  });

  test("the pool starts when the database is ready, each container when its files are there", async () => {
    const { find } = await declareServices({});
    expect(find("Container pgbouncer").dependencies).toContain(
      "pulumi-nodejs:dynamic/timelift:DockerService::timescaledb",
    );
    for (const name of serviceNames) {
      expect(find(`Container ${name}`).dependencies).toContain(
        `docker:index/container:Container::${name}-files`,
      );
      expect(find(`DockerService ${name}`).inputs.containerId).toBe(`${name}-id`);
    }
    const ini = contentOf(find("Container pgbouncer-files").inputs.uploads, "pgbouncer.ini");
    expect(ini).toContain("timelift = host=timescaledb port=15432 dbname=timelift");
  });
});

describe("a certificate", () => {
  test("names the servers as containers and clients call them, and is theirs by files", async () => {
    const { find, services } = await declareServices({
      publish: { timescaledb: "10.0.0.7", pgbouncer: "0.0.0.0" },
      tls: { names: ["db.example.com"] },
    });
    expect(find("Certificates certificates").inputs.names).toEqual([
      ...["10.0.0.7", "127.0.0.1", "timescaledb", "pgbouncer", "::1", "localhost", "db.example.com"],
    ]);
    for (const name of ["timescaledb", "pgbouncer"] as const) {
      expect(services[name]?.tls).toEqual({
        mode: "verify-full",
        rootCert: ".timelift/staging/authority.pem",
      });
      const { uploads } = find(`Container ${name}-files`).inputs;
      expect(contentOf(uploads, "server.key")).toBe("key of tests");
      expect(contentOf(uploads, "server.crt")).toBe("certificate of tests");
      expect(contentOf(uploads, "authority.pem")).toBe("authority of tests");
    }
    expect(services.redis?.tls).toBeUndefined();
    const hba = contentOf(find("Container timescaledb-files").inputs.uploads, "pg_hba.conf") ?? "";
    expect(hba.split("\n").filter((line) => line.startsWith("host "))).toEqual([
      "host all postgres all reject",
      `host all ${roles.join(",")} all reject`,
      "host all all all reject",
    ]);
    expect(hba.indexOf("+timelift_owner")).toBeGreaterThan(hba.indexOf(`${roles.join(",")} all reject`));
    expect(hba).toContain('hostssl "timelift" +timelift_app all scram-sha-256');
    const ini = contentOf(find("Container pgbouncer-files").inputs.uploads, "pgbouncer.ini");
    expect(ini).toContain("client_tls_sslmode = require");
    expect(ini).toContain("server_tls_sslmode = verify-full");
  });

  test.each(["timescaledb", "pgbouncer"])(
    "that is renewed makes %s reload, and no other container",
    async (name) => {
      const digests = async () => {
        const { find } = await declareServices({});
        const { labels } = find(`Container ${name}`).inputs;
        const { value } = labels.find(({ label }: { label: string }) => label === "timelift.files");
        return { container: value, reload: find(`DockerService ${name}`).inputs.reload };
      };
      const before = await digests();
      expect(before.container).toMatch(/^[0-9a-f]{16}$/);
      expect(await digests()).toEqual(before);
      stackCertificate.certificate = "another";
      const after = await digests();
      stackCertificate.certificate = "certificate of tests";
      expect(after.container).toBe(before.container);
      expect(after.reload).toMatch(/^[0-9a-f]{16}$/);
      expect(after.reload).not.toBe(before.reload);
    },
  );
});

describe("monitoring", () => {
  test("Prometheus finds every exporter by its name on the network, exporters what they watch", async () => {
    const { find } = await declareServices({});
    const uploads = (name: ServiceName): Upload[] => find(`Container ${name}-files`).inputs.uploads;
    const { scrape_configs } = JSON.parse(contentOf(uploads("prometheus"), "prometheus.yml") ?? "");
    const targets = scrape_configs.map(
      (job: { static_configs: { targets: string[] }[] }) => job.static_configs[0]?.targets[0],
    );
    expect(targets).toEqual([
      ...["prometheus:19090", "postgres-exporter:19187", "pgbouncer-exporter:19127"],
      ...["redis-exporter:19121", "node-exporter:19100", "alertmanager:19093"],
    ]);
    expect(find("Container postgres-exporter").inputs.envs[0]).toMatch(
      /^DATA_SOURCE_NAME=postgresql:\/\/timelift_monitor_a@timescaledb:15432\/timelift\?sslmode=disable/,
    );
    expect(find("Container node-exporter").inputs.volumes[1]).toEqual({
      ...{ volumeName: "timelift-staging-timescaledb-data", containerPath: "/database", readOnly: true },
    });
    expect(find("Container redis-exporter").inputs.command).toContain("--redis.addr=redis://redis:16379");
  });
});

test("no file is without content, which the provider refuses", async () => {
  const { resources } = await declareServices({});
  const uploads = resources.flatMap(({ name, inputs }) =>
    ((inputs.uploads ?? []) as Upload[]).map(({ file, content }) => ({ name, file, length: content.length })),
  );
  expect(uploads.filter(({ name }) => name === "alertmanager-files").length).toBeGreaterThan(3);
  expect(uploads.filter(({ length }) => length === 0)).toEqual([]);
});

describe("secrets", () => {
  test("reach containers by files that are secret in the state, and by nothing else", async () => {
    const { resources } = await declareServices({});
    const passwords = [...Object.values(stackSecrets), "superuser of tests", stackCertificate.key, "Zq87"];
    for (const { type, name, inputs, secrets } of resources) {
      const open = Object.entries(inputs).filter(([key]) => !secrets.includes(key));
      const text = JSON.stringify(open);
      for (const password of passwords) expect([name, text.includes(password)]).toEqual([name, false]);
      expect([name, /SCRAM-SHA-256\$|#[0-9a-f]{64}/.test(text)]).toEqual([name, false]);
      if (type.endsWith(":DockerService")) expect(secrets).toEqual(["secrets"]);
    }
  });

  test("no container knows a password, but digests of its own, and exporters and Grafana the one they ask with", async () => {
    const { resources, find } = await declareServices({});
    const uploads = (name: ServiceName): Upload[] => find(`Container ${name}-files`).inputs.uploads;
    const known: Record<string, string[]> = {
      "postgres-exporter-files": [stackSecrets.timelift_monitor],
      "pgbouncer-exporter-files": [stackSecrets.timelift_monitor],
      "redis-exporter-files": [stackSecrets.redis_monitor],
      "grafana-files": [stackSecrets.timelift_readonly],
    };
    for (const { type, name, inputs } of resources) {
      if (!type.endsWith(":Container")) continue;
      const text = JSON.stringify(inputs);
      const told = Object.values(stackSecrets).filter((password) => text.includes(password));
      expect([name, told]).toEqual([name, known[name] ?? []]);
    }
    expect(contentOf(uploads("timescaledb"), "superuser.sql")).toBe(
      `ALTER ROLE postgres PASSWORD '${await scramSecret("postgres", "superuser of tests")}'\n`,
    );
    expect(contentOf(uploads("pgbouncer"), "userlist.txt")?.split("\n")).toHaveLength(5);
    expect(contentOf(uploads("redis"), "users.acl")?.replaceAll(/#[0-9a-f]{64} /g, "DIGEST ")).toBe(
      [
        "user default off resetpass resetkeys resetchannels -@all",
        `user timelift_app on DIGEST ${redisRules.app}`,
        `user timelift_monitor on DIGEST ${redisRules.monitor}`,
        "user health on nopass resetchannels -@all +ping\n",
      ].join("\n"),
    );
    const withSecrets = uploads("grafana").filter(({ content }) => content.includes("-Zq8"));
    expect(withSecrets.map(({ file, content }) => [file, content])).toEqual([
      ["/timelift/admin-password", "grafana-Zq87"],
      ["/timelift/source-password", stackSecrets.timelift_readonly],
    ]);
    for (const name of serviceNames) {
      for (const { permissions } of uploads(name)) expect(permissions).toBe("0440");
    }
  });

  test("that change make another container, without being told by its label", async () => {
    const labelOf = async (more: Partial<DockerPlatformArgs>) => {
      const { find } = await declareServices(more);
      const labels = find("Container redis").inputs.labels as { label: string; value: string }[];
      return labels.find(({ label }) => label === "timelift.files")?.value;
    };
    const before = await labelOf({});
    expect(before).toMatch(/^[0-9a-f]{16}$/);
    expect(await labelOf({})).toBe(before);
    stackSecrets.redis += "!";
    expect(await labelOf({})).not.toBe(before);
    stackSecrets.redis = stackSecrets.redis.slice(0, -1);
  });
});

/** A config, and what becomes of ports, images and volumes. */
const table: {
  title: string;
  config: Partial<DockerPlatformArgs>;
  published: Partial<Record<ServiceName, string>>;
  images: Partial<Record<ServiceName, string>>;
  retained: boolean;
  hosts: Partial<Record<ServiceName, string>>;
}[] = [
  {
    title: "the defaults: only the way in for migrations, on loopback",
    config: {},
    published: { timescaledb: "127.0.0.1" },
    images: defaultImages,
    retained: true,
    hosts: {
      timescaledb: "127.0.0.1",
      pgbouncer: "pgbouncer",
      redis: "redis",
      prometheus: "prometheus",
      grafana: "grafana",
    },
  },
  {
    title: "everything published, each where it is told",
    config: {
      publish: { timescaledb: "127.0.0.1", pgbouncer: "0.0.0.0", redis: "10.0.0.7", prometheus: "127.0.0.1" },
    },
    published: { timescaledb: "127.0.0.1", pgbouncer: "0.0.0.0", redis: "10.0.0.7", prometheus: "127.0.0.1" },
    images: defaultImages,
    retained: true,
    hosts: { pgbouncer: "127.0.0.1", redis: "10.0.0.7", prometheus: "127.0.0.1" },
  },
  {
    title: "one image replaced",
    config: { images: { redis: "registry.example.com/redis:8@sha256:abc" } },
    published: { timescaledb: "127.0.0.1" },
    images: { ...defaultImages, redis: "registry.example.com/redis:8@sha256:abc" },
    retained: true,
    hosts: {},
  },
  {
    title: "the Debian tree, and data that go",
    config: { images: "sysroot", dropData: true },
    published: { timescaledb: "127.0.0.1" },
    images: Object.fromEntries(serviceNames.map((name) => [name, "timelift-sysroot:abc"])),
    retained: false,
    hosts: {},
  },
];

describe("a config gives", () => {
  test.each(table)("$title", async ({ config, published, images, retained, hosts }) => {
    const { find, services, resources } = await declareServices(config);
    for (const name of serviceNames) {
      const { ports, image } = find(`Container ${name}`).inputs;
      const port = services[name]?.port;
      const ip = published[name];
      expect([name, ports]).toEqual([name, ip ? [{ internal: port, external: port, ip }] : []]);
      expect([name, image]).toEqual([name, `sha256:of ${images[name]}`]);
      expect(find(`DockerService ${name}`).inputs).toMatchObject({
        isPublished: ip !== undefined,
        dropData: !retained,
        image: images[name],
      });
      const host = hosts[name];
      if (host) expect([name, services[name]?.host]).toEqual([name, host]);
    }
    for (const { name, retainOnDelete } of resources.filter(({ type }) => type.endsWith(":Volume"))) {
      expect([name, retainOnDelete]).toEqual([name, retained && name.endsWith("-data")]);
    }
  });

  test("a protected stack's data volumes, which Pulumi refuses to delete, and nothing else so", async () => {
    const { resources } = await declareServices({ protect: true });
    const kept = resources.filter(({ protect }) => protect).map(({ name }) => name);
    expect(kept.sort()).toEqual([
      "alertmanager-data",
      "grafana-data",
      "prometheus-data",
      "redis-data",
      "timescaledb-data",
    ]);
    const { resources: open } = await declareServices({});
    expect(open.filter(({ protect }) => protect)).toEqual([]);
  });

  test("an engine elsewhere, where a port that is published everywhere is reached at its machine", async () => {
    pulumi.runtime.setAllConfig({ "docker:host": "ssh://deploy@db.example.com" });
    const { services, find } = await declareServices({ publish: { timescaledb: "0.0.0.0" } });
    pulumi.runtime.setAllConfig({});
    expect(services.timescaledb?.host).toBe("db.example.com");
    expect(find("DockerService timescaledb").inputs.engine.host).toBe("ssh://deploy@db.example.com");
  });

  test("a refusal where the images cannot hold the edition", async () => {
    await expect(declareServices({ images: "sysroot", edition: "community" })).rejects.toMatchObject({
      code: "image-edition",
      remedy: expect.stringContaining("timelift:edition apache"),
    });
  });
});

test.each([
  ["127.0.0.1", "ssh://me@far", "127.0.0.1"],
  ["0.0.0.0", "", "127.0.0.1"],
  ["0.0.0.0", "unix:///run/docker.sock", "127.0.0.1"],
  ["0.0.0.0", "tcp://10.1.2.3:2376", "10.1.2.3"],
  ["::", "ssh://me@far:2222", "far"],
])("a port published at %s of engine %s is reached at %s", (address, engine, host) => {
  expect(clientHost(address, engine)).toBe(host);
});
