/** The table of docs/configuration.md, from the keys that the code declares. */
import { filterKeys } from "../../services/filter/config.js";
import { gatewayKeys } from "../../services/gateway/config.js";
import { packagerKeys } from "../../services/packager/config.js";
import { rasterizerKeys } from "../../services/rasterizer/config.js";
import type { Key, Keys } from "../../services/runtime/config.js";
import { gatewayAddressKeys, grpcTokenKeys, workerKeys } from "../../services/runtime/keys.js";
import { serverKeys } from "../../services/settings.js";

/** Who reads which keys; as services/roles.ts starts them. */
export const READERS: Readonly<Record<string, Keys>> = {
  every: serverKeys,
  gateway: { ...gatewayKeys, ...grpcTokenKeys },
  filter: { ...filterKeys, ...workerKeys, ...gatewayAddressKeys, ...grpcTokenKeys },
  rasterizer: { ...rasterizerKeys, ...workerKeys },
  packager: { ...packagerKeys, ...gatewayAddressKeys, ...grpcTokenKeys },
};

/** A Markdown table, a row per environment variable, ordered by the first role that reads it. */
export function configurationTable(): string {
  const rows = new Map<string, { key: Key<unknown>; readers: string[] }>();
  for (const [reader, keys] of Object.entries(READERS)) {
    for (const key of Object.values(keys)) {
      const row = rows.get(key.env) ?? { key, readers: [] };
      if (row.key.meaning !== key.meaning || row.key.fallback !== key.fallback)
        throw new Error(`${key.env} is declared twice, differently`);
      row.readers.push(reader);
      rows.set(key.env, row);
    }
  }
  const lines = Array.from(rows.values(), ({ key, readers }) => {
    const name = `\`${key.env}\`${key.secret ? " (secret)" : ""}`;
    const fallback = key.fallback === undefined ? "**required**" : key.fallback === "" ? "–" : `\`${key.fallback}\``;
    return `| ${name} | ${fallback} | ${readers.join(", ")} | ${key.meaning} |`;
  });
  return ["| variable | default | read by | meaning |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

const BEGIN = "<!-- table of the declared keys: begin -->";
const END = "<!-- table of the declared keys: end -->";

/** The page with the table between its markers replaced. */
export function withConfigurationTable(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" before "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n${configurationTable()}\n${page.slice(end)}`;
}
