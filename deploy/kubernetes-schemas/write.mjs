// Writes the JSON schemas that the rendered chart is checked against, from the OpenAPI definitions that Kubernetes, KEDA and the Prometheus
// operator publish inside their Go modules. Run it to move to another version, or when the chart uses another kind; needs Go and its proxy.
//
// Every schema stands alone and is strict: a field that the API does not know is an error, as `kubectl apply` would only warn. Descriptions
// are left out.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const folder = fileURLToPath(new URL(".", import.meta.url));

const KUBERNETES = { module: "k8s.io/kubernetes", version: "v1.34.2", file: "api/openapi-spec/swagger.json" };
const BUILT_IN = [
  ["", "v1", ["ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"]],
  ["apps", "v1", ["Deployment", "StatefulSet"]],
  ["autoscaling", "v2", ["HorizontalPodAutoscaler"]],
  ["networking.k8s.io", "v1", ["Ingress", "NetworkPolicy"]],
  ["policy", "v1", ["PodDisruptionBudget"]],
];
const KEDA = { module: "github.com/kedacore/keda/v2", version: "v2.18.1" };
const PROMETHEUS = { module: "github.com/prometheus-operator/prometheus-operator", version: "v0.85.0" };
const CUSTOM = [
  { ...KEDA, file: "config/crd/bases/keda.sh_scaledobjects.yaml" },
  { ...KEDA, file: "config/crd/bases/keda.sh_triggerauthentications.yaml" },
  { ...PROMETHEUS, file: "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" },
  { ...PROMETHEUS, file: "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml" },
];

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const KEPT = ["type", "enum", "required", "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"];

const { definitions } = JSON.parse(readModuleFile(KUBERNETES));
for (const [group, version, kinds] of BUILT_IN) for (const kind of kinds) write(kind, group, version, builtIn(group, version, kind));
for (const source of CUSTOM) {
  const { spec } = parse(readModuleFile(source));
  for (const { name, schema } of spec.versions) write(spec.names.kind, spec.group, name, custom(spec, name, schema.openAPIV3Schema));
}

function readModuleFile({ module, version, file }) {
  const { Dir } = JSON.parse(execFileSync("go", ["mod", "download", "-json", `${module}@${version}`], { encoding: "utf8" }));
  return readFileSync(join(Dir, file), "utf8");
}

/** File names as kubeconform fills in `{{.ResourceKind}}{{.KindSuffix}}`: kind, first word of the group, version. */
function write(kind, group, version, schema) {
  const suffix = [group.split(".")[0], version].filter((word) => word !== "").join("-");
  const { definitions: parts = {}, ...head } = schema;
  const lines = Object.entries(parts).map(([name, part]) => `    ${JSON.stringify(name)}: ${JSON.stringify(part)}`);
  const text = JSON.stringify(head).slice(0, -1) + (lines.length > 0 ? `,\n  "definitions": {\n${lines.join(",\n")}\n  }` : "");
  writeFileSync(join(folder, `${kind.toLowerCase()}-${suffix}.json`), `${text}\n}\n`);
}

function builtIn(group, version, kind) {
  const isKind = (one) => one.group === group && one.version === version && one.kind === kind;
  const [name] = Object.entries(definitions).find(([, definition]) => definition["x-kubernetes-group-version-kind"]?.some(isKind)) ?? [];
  if (name === undefined) throw new Error(`Kubernetes has no ${kind} in ${group}/${version}`);
  const parts = {};
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (parts[next]) continue;
    parts[next] = strict(definitions[next], (reference) => pending.push(reference));
  }
  const { [name]: head, ...others } = parts;
  return { ...named(head, group, version, kind), definitions: others };
}

function custom({ group, names }, version, schema) {
  return named(strict(schema), group, version, names.kind);
}

/** The two fields that say what it is are there, and hold exactly that. */
function named(schema, group, version, kind) {
  const apiVersion = { const: group === "" ? version : `${group}/${version}` };
  const required = [...new Set(["apiVersion", "kind", "metadata", ...(schema.required ?? [])])];
  return { ...schema, properties: { ...schema.properties, apiVersion, kind: { const: kind } }, required };
}

/** An OpenAPI schema as JSON schema: unknown fields refused, and null too, which the API server takes for "not set". */
function strict(schema, onReference = () => undefined) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/definitions/", "");
    if (name === QUANTITY) return { type: ["string", "number"] };
    onReference(name);
    return { $ref: schema.$ref };
  }
  if (schema.format === "int-or-string" || schema["x-kubernetes-int-or-string"]) return { type: ["string", "integer"] };
  const nested = (inner) => strict(inner, onReference);
  const made = Object.fromEntries(KEPT.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]));
  // Formats of Go's number types mean nothing here.
  if (/^(int|float|double|byte)/.test(made.format ?? "")) delete made.format;
  if (schema.items) made.items = nested(schema.items);
  if (schema.additionalProperties) made.additionalProperties = nested(schema.additionalProperties);
  if (schema.properties) {
    made.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, nested(inner)]));
    if (!schema.additionalProperties && !schema["x-kubernetes-preserve-unknown-fields"]) made.additionalProperties = false;
  }
  return made;
}
