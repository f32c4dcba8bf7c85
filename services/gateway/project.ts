import { asFields, type Fields, kindOf } from "./json-value.js";

/** The parts of a Hub project that an export needs. */
export interface Project {
  readonly id: string;
  readonly name: string;
  /** `categorySchema.tools`, in ontology order. */
  readonly tools: readonly OntologyTool[];
  readonly stages: readonly ProjectStage[];
  readonly batches: readonly ProjectBatch[];
}

export interface OntologyTool {
  readonly schemaId: string;
  readonly title: string;
  /** `polygon`, `segmentation`, `bounding-box`, ... */
  readonly tool: string;
  /** `#rrggbb`, as Hub has it; may be anything. */
  readonly color: string | undefined;
}

export interface ProjectStage {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export interface ProjectBatch {
  readonly id: string | undefined;
  readonly name: string;
}

/** A JSON object with one of these is taken for a project; `tools` alone is a bare ontology. */
const PROJECT_KEYS = ["categorySchema", "tools", "stages", "batches", "_id", "name"];

/**
 * The project in the body of `GET /v2/project/{id}` (docs/hub-protocol.md section 5.2), or in a file that a user has of it: the whole
 * answer, `{project}`, the project alone, `{categorySchema}`, or the ontology alone (`{tools: [...]}`). Lists that are missing or
 * null are empty.
 * @throws Error that says what is wrong. It never quotes the body, for old answers held an API key.
 */
export function parseProject(reply: unknown): Project {
  const project = findProject(reply);
  const ontology = fieldsOf(project.categorySchema, "categorySchema") ?? project;
  return {
    id: text(project._id) ?? text(project.id) ?? "",
    name: text(project.name) ?? "",
    tools: listOf(ontology.tools, "tools").flatMap(parseTool),
    stages: listOf(project.stages, "stages").flatMap(parseStage),
    batches: listOf(project.batches, "batches").flatMap(parseBatch),
  };
}

function findProject(reply: unknown): Fields {
  const outer = asFields(reply);
  if (!outer) throw new Error(`The project is ${kindOf(reply)}; allowed: a JSON object, as GET /v2/project/{id} answers it.`);
  const data = asFields(outer.data);
  const candidates = [asFields(data?.project), data, asFields(outer.project), outer];
  const project = candidates.find((fields) => fields && PROJECT_KEYS.some((key) => Object.hasOwn(fields, key)));
  if (!project) {
    const keys = Object.keys(outer).slice(0, 10).join(", ");
    throw new Error(
      `There is no project in it (it has ${keys ? `the keys ${keys}` : "no keys"}); allowed: {data: {project}}, {project}, a project, or an ontology with its tools.`,
    );
  }
  return project;
}

/** An entry that can be matched with no object of an export, having neither schemaId nor title, is left out. */
function parseTool(entry: unknown): OntologyTool[] {
  const fields = asFields(entry);
  const schemaId = text(fields?.schemaId) ?? "";
  const title = text(fields?.title) ?? schemaId;
  if (!fields || title === "") return [];
  return [{ schemaId, title, tool: text(fields.tool) ?? "", color: text(fields.color) }];
}

function parseStage(entry: unknown): ProjectStage[] {
  const fields = asFields(entry);
  if (!fields) return [];
  const id = text(fields.id) ?? text(fields._id) ?? "";
  return [{ id, name: text(fields.name) ?? id, type: text(fields.type) ?? "" }];
}

function parseBatch(entry: unknown): ProjectBatch[] {
  const fields = asFields(entry);
  const name = text(fields?.name) ?? text(entry);
  return name === undefined ? [] : [{ id: text(fields?._id) ?? text(fields?.id), name }];
}

function fieldsOf(value: unknown, key: string): Fields | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = asFields(value);
  if (!fields) throw new Error(`The project's ${key} is ${kindOf(value)}; allowed: an object.`);
  return fields;
}

function listOf(value: unknown, key: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`The project's ${key} is ${kindOf(value)}; allowed: a list.`);
  return value;
}

/** Ids and titles are text; numbers stand for their digits. */
function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}
