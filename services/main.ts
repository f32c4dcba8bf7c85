#!/usr/bin/env node
/** The executable: one command per role, all of them in one process, or an export file without a Hub. */
import { Command } from "commander";
import { convert } from "./convert.js";
import { endWith } from "./end.js";
import { ROLES, type Role, runAll, runRole } from "./roles.js";

/** The same as in package.json; a test holds the two together. */
const VERSION = "0.1.0";

const program = new Command("maskline")
  .description("PNG class masks from Ango Hub exports of any size.")
  .version(VERSION, "-V, --version", "the version of Maskline")
  .addHelpText("after", "\nServices are configured by environment variables: see docs/configuration.md.");

program
  .command("all")
  .description("all services in one process, connected to Hub (HOST, PLUGIN_ID, PLUGIN_SECRET)")
  .action(() => endWith(() => runAll(process.env)));

for (const [role, does] of Object.entries(ROLES) as [Role, string][]) {
  program
    .command(role)
    .description(`one service: ${does}`)
    .action(() => endWith(() => runRole(role, process.env)));
}

program
  .command("convert")
  .description("makes the zip of masks from an export file, without a Hub")
  .argument("<export>", "what Hub exported: .json, .ndjson, or the .zip of it")
  .requiredOption("--out <file>", "the zip to write")
  .option("--ontology <file>", "the project (what GET /v2/project/<id> answers), for its classes, colours and stages")
  .option("--config <file>", "the Config JSON, as a user would type it in Hub")
  .action((exportFile: string, options: { out: string; ontology?: string; config?: string }) =>
    endWith(() => convert({ exportFile, outFile: options.out, ontologyFile: options.ontology, configFile: options.config }, process.env)),
  );

await program.parseAsync();
