import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readConfig } from "../../services/runtime/config.js";
import { BUSES } from "../../services/runtime/keys.js";
import { READERS } from "../docs/configuration-table.js";
import { projectRoot } from "../project-root.js";
import { chartFolder, type Manifest, readChartFile, readRendered, readValues, renderings } from "./chart-files.js";
import { COPIES, originalOf, settingsByRole, variablesOfTheChart, withSettings, withValuesTable } from "./chart-pages.js";
import { documentedValues } from "./documented-values.js";
import { ADDRESSES, destinationOf, refusalOf } from "./network.js";
import { isSelected, type Pod, podsOf, roleOf } from "./pods.js";

interface PolicySpec {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly policyTypes: readonly string[];
}

const ROLES = ["gateway", "filter", "rasterizer", "packager"];
/** Where the chart mounts the volume, and the ports that its Services lead to. */
const FOLLOWS = new Set(["DATA_DIR", "PORT", "GRPC_PORT"]);
const rendered = renderings.map((name) => {
  const manifests = readRendered(name);
  return { name, manifests, pods: podsOf(manifests) };
});

/** Runs the check for every pod of every rendering. */
function forPods(isMeant: (pod: Pod) => boolean, check: (pod: Pod, rendering: string) => void): void {
  for (const { name, pods } of rendered) for (const pod of pods.filter(isMeant)) check(pod, `${pod.name} of ${name}`);
}

describe("the chart's own files", () => {
  it("has a line in its README for each value, with its default (npm run chart writes it)", () => {
    const page = readChartFile("README.md");
    assert.equal(page, withValuesTable(page));
  });

  it("lets `config` set exactly the variables that the services declare and the chart leaves alone, and no secret", () => {
    const schema = readChartFile("values.schema.json");
    assert.deepEqual(JSON.parse(schema), JSON.parse(withSettings(schema)));
  });

  it("lets an operator set every variable that the services declare, but for those that follow from what the chart makes", () => {
    const chart = variablesOfTheChart();
    const settings = settingsByRole();
    for (const [role, keys] of Object.entries(READERS)) {
      for (const { env } of Object.values(keys)) {
        const own = settings[role === "every" ? "common" : role === "gateway" ? "plugin" : role] ?? [];
        const template = chart.get(env) ?? chart.get(`${env}_FILE`);
        const isFromValues = template !== undefined && /\{\{|\/run\/secrets\//.test(template);
        assert.ok(own.includes(env) || isFromValues || FOLLOWS.has(env), `${env} of the ${role}`);
      }
    }
  });

  it("has a schema that knows every value, and no other", () => {
    const schema = JSON.parse(readChartFile("values.schema.json"));
    const known = (node: unknown): unknown => {
      const { $ref, properties } = (node ?? {}) as { $ref?: string; properties?: Record<string, unknown> };
      return $ref ? known(schema.$defs[$ref.replace("#/$defs/", "")]) : properties;
    };
    for (const { path } of documentedValues(readChartFile("values.yaml"))) {
      let at: unknown = schema;
      for (const word of path.split(".")) {
        const properties = known(at) as Record<string, unknown> | undefined;
        at = properties?.[word];
        assert.ok(at, `values.schema.json does not know ${path}`);
      }
    }
    const top = Object.keys(schema.properties).filter((name) => name !== "global");
    assert.deepEqual(top.sort(), Object.keys(readValues()).sort());
  });

  it("holds the files that Helm can not read from elsewhere as they are there", () => {
    for (const copy of Object.keys(COPIES)) assert.equal(readChartFile(copy), originalOf(copy), copy);
    assert.deepEqual(
      readdirSync(join(chartFolder, "files")).sort(),
      Object.keys(COPIES)
        .map((copy) => copy.replace("files/", ""))
        .sort(),
    );
  });

  it("has the version of the package, of the image and of the images in the renderings", () => {
    const { version } = JSON.parse(originalOf("package.json"));
    assert.match(readChartFile("Chart.yaml"), new RegExp(`\nversion: ${version}\nappVersion: ${version}\n`));
    assert.match(originalOf("deploy/Dockerfile"), new RegExp(`\nARG VERSION=${version}\n`));
  });

  it("is rendered for every file of values, and with every bus that reaches other processes", () => {
    for (const { name, manifests } of rendered) assert.ok(manifests.length > 10, name);
    for (const bus of BUSES)
      assert.ok(bus === "memory" || rendered.some(({ pods }) => JSON.stringify(pods).includes(`"BUS","value":"${bus}"`)), bus);
  });
});

describe("rendered services", () => {
  const isService = (pod: Pod) => ROLES.includes(roleOf(pod)) && !pod.isTest;

  it("have an environment that they accept, and every variable of it is one that the code declares", () => {
    forPods(isService, (pod, where) => {
      const keys = { ...READERS.every, ...READERS[roleOf(pod)] };
      const declared = new Set(Object.values(keys).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])));
      const foreign = /^(OTEL_[A-Z_]+|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)|NODE_EXTRA_CA_CERTS|POD_NAME)$/;
      const values = pod.container.env.map(({ name, value }) => [name, value ?? "from elsewhere"] as const);
      for (const [name] of values) assert.ok(declared.has(name) || foreign.test(name), `${where} sets ${name}, which nobody reads`);
      // The files are not here: they stand for what is in them.
      const direct = values.map(([name, value]) =>
        declared.has(name) && isSecretFile(name, keys) ? [name.slice(0, -5), "a secret"] : [name, value],
      );
      assert.doesNotThrow(() => readConfig(keys, Object.fromEntries(direct)), where);
    });
  });

  it("find each file that their environment names among the secrets that are mounted, and are given no other", () => {
    forPods(isService, ({ container, spec }, where) => {
      const folder = container.volumeMounts.find(({ name }) => name === "secrets")?.mountPath ?? "nowhere";
      const named = container.env.flatMap(({ value = "" }) => (value.startsWith(`${folder}/`) ? [value.slice(folder.length + 1)] : []));
      const sources = spec.volumes.find(({ name }) => name === "secrets")?.projected?.sources ?? [];
      const mounted = sources.flatMap(({ secret }) => secret.items.map(({ path }) => path));
      assert.deepEqual(named.sort(), mounted.sort(), where);
    });
  });

  it("listen on the ports that they declare, and are probed where they answer", () => {
    forPods(isService, ({ container }, where) => {
      const of = (name: string) => container.env.find((one) => one.name === name)?.value;
      for (const { name, containerPort } of container.ports) {
        const variable = { health: "HEALTH_PORT", grpc: "GRPC_PORT", rest: "PORT" }[name];
        assert.equal(of(variable ?? ""), String(containerPort), `${where}: ${name}`);
      }
      const probe = (path: string) => ({ path, port: "health" });
      assert.deepEqual((container.livenessProbe as { httpGet: unknown }).httpGet, probe("/livez"), where);
      assert.deepEqual((container.readinessProbe as { httpGet: unknown }).httpGet, probe("/readyz"), where);
    });
  });

  it("are given longer to end than they take: what they may drain, 5 s until they are cut, and the wait before the signal", () => {
    forPods(isService, ({ container, spec }, where) => {
      const drain = Number(/^(\d+)s$/.exec(container.env.find(({ name }) => name === "DRAIN_TIMEOUT")?.value ?? "")?.[1]);
      const preStop = container.lifecycle?.preStop.sleep.seconds ?? 0;
      assert.ok((spec.terminationGracePeriodSeconds ?? 0) >= drain + 5 + preStop + 5, where);
    });
  });

  it("have no right that they do not need", () => {
    forPods(
      () => true,
      ({ spec, container }, where) => {
        assert.equal(spec.automountServiceAccountToken, false, where);
        assert.equal(spec.securityContext.runAsNonRoot, true, where);
        assert.ok(Number(spec.securityContext.runAsUser) > 0, where);
        assert.deepEqual(spec.securityContext.seccompProfile, { type: "RuntimeDefault" }, where);
        assert.equal(container.securityContext.readOnlyRootFilesystem, true, where);
        assert.equal(container.securityContext.allowPrivilegeEscalation, false, where);
        assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] }, where);
        assert.ok("memory" in container.resources.limits && "cpu" in container.resources.requests, where);
      },
    );
  });

  it("have no secret in their environment: it stands in files, or is referred to", () => {
    for (const { name, manifests, pods } of rendered) {
      const data = manifests.flatMap((one) => (one.kind === "Secret" ? Object.values(one.data as Record<string, string>) : []));
      const secrets = data.map((encoded) => Buffer.from(encoded, "base64").toString("utf8")).filter((secret) => secret !== "simulator");
      for (const { container } of pods) {
        const text = JSON.stringify([container.env, container.args, container.command]);
        for (const secret of secrets) assert.ok(!text.includes(secret), `${container.name} of ${name} shows ${secret}`);
      }
    }
  });

  it("reach every address of the release that they are given, past the network policies", () => {
    for (const { name, manifests, pods } of rendered) {
      if (!manifests.some(({ kind }) => kind === "NetworkPolicy")) continue;
      for (const pod of pods) {
        const text = [...pod.container.env.map(({ value }) => value ?? ""), ...pod.container.args].join("\n");
        for (const address of text.match(ADDRESSES) ?? []) {
          const destination = destinationOf(address, manifests, pods);
          if (destination.pod !== pod) assert.equal(refusalOf(pod, destination, manifests), undefined, name);
        }
      }
    }
  });

  it("are each under a network policy of both directions, where policies are on", () => {
    for (const { name, manifests, pods } of rendered) {
      const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy").map(({ spec }) => spec as PolicySpec);
      if (policies.length === 0) continue;
      for (const pod of pods) {
        const own = policies.filter(({ podSelector }) => isSelected(podSelector.matchLabels, pod));
        assert.deepEqual(new Set(own.flatMap(({ policyTypes }) => policyTypes)), new Set(["Ingress", "Egress"]), `${pod.name} of ${name}`);
      }
    }
  });

  it("are kept apart by the network policies where they have nothing to say to each other", () => {
    const { manifests = [], pods = [] } = rendered.find(({ name }) => name === "default") ?? {};
    const pod = (role: string) => pods.find((one) => roleOf(one) === role && !one.isTest) ?? assert.fail(role);
    const port = (role: string, name: string) => {
      const found = pod(role).container.ports.find((one) => one.name === name);
      return { pod: pod(role), port: found?.containerPort ?? assert.fail(name) };
    };
    assert.equal(refusalOf(pod("filter"), port("gateway", "grpc"), manifests), undefined);
    for (const [from, to, name] of [
      ["rasterizer", "gateway", "grpc"],
      ["gateway", "packager", "health"],
      ["rasterizer", "nats", "monitor"],
      ["nats", "gateway", "grpc"],
    ] as const) {
      assert.match(refusalOf(pod(from), port(to, name), manifests) ?? "", /no policy/, `${from} to ${to}`);
    }
  });
});

function isSecretFile(name: string, keys: Readonly<Record<string, { readonly env: string; readonly secret: boolean }>>): boolean {
  return Object.values(keys).some(({ env, secret }) => secret && name === `${env}_FILE`);
}

describe("docs/kubernetes.md", () => {
  it("lists exactly the flows that the network policies let out", () => {
    const page = originalOf("docs/kubernetes.md");
    const listed = page.slice(page.indexOf("<!-- flows: begin -->"), page.indexOf("<!-- flows: end -->")).trim().split("\n").slice(3);
    const documented = listed.flatMap((line) => {
      const [, from = "", to = "", ports = ""] = line.split("|").map((cell) => cell.trim());
      const numbers = ports.replace(/ or `\w+`/, "").split(", ");
      return from.split(", ").flatMap((role) => numbers.map((port) => `${role} to ${to.replace(/^outside: .*/, "outside")} ${port}`));
    });
    const rendering = (name: string) => rendered.find((one) => one.name === name)?.manifests ?? [];
    const allowed = [...rendering("hardened"), ...rendering("external-nats")].flatMap(flowsOut);
    // The second rendering's own choices of ports.
    const usual = allowed.filter((flow) => !/ (9000|9093)$/.test(flow));
    assert.deepEqual([...new Set(documented)].sort(), [...new Set(usual)].sort());
  });
});

/** `filter to gateway 7070` for each port of each rule. */
function flowsOut(manifest: Manifest): string[] {
  const { "app.kubernetes.io/component": role = "" } = manifest.metadata.labels ?? {};
  if (manifest.kind !== "NetworkPolicy" || !ROLES.includes(role)) return [];
  const { egress } = manifest.spec as {
    egress: { ports: { port: number }[]; to: { podSelector?: { matchLabels: Record<string, string> } }[] }[];
  };
  return egress.flatMap(({ ports, to }) => {
    const peers = to.map(({ podSelector }) => podSelector?.matchLabels["app.kubernetes.io/component"]);
    return ports.map(({ port }) => `${role} to ${port === 53 ? "DNS" : (peers[0] ?? "outside")} ${port}`);
  });
}

describe("the files around the chart", () => {
  it("schemas are there for every kind that is rendered", () => {
    const kinds = new Set(rendered.flatMap(({ manifests }) => manifests.map(({ kind }) => kind.toLowerCase())));
    const schemas = readdirSync(join(projectRoot, "deploy/kubernetes-schemas"));
    for (const kind of kinds)
      assert.ok(
        schemas.some((file) => file.startsWith(`${kind}-`)),
        kind,
      );
    assert.ok(existsSync(join(projectRoot, "deploy/kubernetes-schemas/README.md")));
  });
});
