/** `npm run docs`: writes into the pages under docs/ what comes from the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { MUTANTS } from "../rules/mutants.js";
import { withRules } from "../rules/reliability-page.js";
import { withConfigurationTable } from "./configuration-table.js";

const page = join(projectRoot, "docs/configuration.md");
writeFileSync(page, withConfigurationTable(readFileSync(page, "utf8")));
console.log(`wrote ${page}`);

const reliability = join(projectRoot, "docs/reliability.md");
const delivery = readFileSync(join(projectRoot, "docs/delivery.md"), "utf8");
writeFileSync(reliability, withRules(readFileSync(reliability, "utf8"), delivery, MUTANTS));
console.log(`wrote ${reliability}`);
