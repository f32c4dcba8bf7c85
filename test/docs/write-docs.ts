/** `npm run docs`: writes into the pages under docs/ what comes from the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { withConfigurationTable } from "./configuration-table.js";

const page = join(projectRoot, "docs/configuration.md");
writeFileSync(page, withConfigurationTable(readFileSync(page, "utf8")));
console.log(`wrote ${page}`);
