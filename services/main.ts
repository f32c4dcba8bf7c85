#!/usr/bin/env node
/** The executable: one command per role, all of them in one process, or an export file without a Hub. */
import { Command } from "commander";
import { cancelSession } from "./cancel-command.js";
import { convert } from "./convert.js";
import { endWith } from "./end.js";
import { ROLES, type Role, runAll, runRole } from "./roles.js";
import { withTelemetry } from "./runtime/telemetry/start.js";
import { showSessions } from "./sessions-command.js";

/** The same as in package.json; a test holds the two together. */
const VERSION = "0.1.0";

const watched = (role: Role | "all", run: () => Promise<number>) => withTelemetry({ role, version: VERSION }, process.env, run);

/** As for a wrong configuration (end.ts). */
const CALLED_WRONGLY = 2;

const program = new Command("maskline")
  .description("PNG class masks from Ango Hub exports of any size.")
  .version(VERSION, "-V, --version", "the version of Maskline")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : CALLED_WRONGLY))
  .addHelpText("after", "\nServices are configured by environment variables: see docs/configuration.md.");

program
  .command("all")
  .description("all services in one process, connected to Hub (HOST, PLUGIN_ID, PLUGIN_SECRET)")
  .action(() => endWith(() => watched("all", () => runAll(process.env))));

for (const [role, does] of Object.entries(ROLES) as [Role, string][]) {
  program
    .command(role)
    .description(`one service: ${does}`)
    .action(() => endWith(() => watched(role, () => runRole(role, process.env))));
}

program
  .command("convert")
  .description("makes the zip of masks from an export file, without a Hub")
  .argument("<export>", "what Hub exported: .json, .ndjson, or the .zip of it")
  .requiredOption("--out <file>", "the zip to write")
  .option("--ontology <file>", "the project (what GET /v2/project/<id> answers), for its classes, colours and stages")
  .option("--config <file>", "the Config JSON, as a user would type it in Hub")
  .option("--no-fetch", "never looks into images: assets whose size the export does not tell are left out")
  .addHelpText(
    "after",
    "\nExit codes: 0 the archive is written; 1 the export failed; 2 something that was given is wrong; 3 the archive holds no mask, for every asset was rejected.",
  )
  .action((exportFile: string, options: { out: string; ontology?: string; config?: string; fetch: boolean }) => {
    const { out: outFile, ontology: ontologyFile, config: configFile, fetch: readImages } = options;
    return endWith(() => convert({ exportFile, outFile, ontologyFile, configFile, readImages }, process.env));
  });

program
  .command("sessions")
  .description("lists the sessions of the gateway that runs here (found by DATA_DIR)")
  .option("--json", "as JSON")
  .option("--all", "also those that have ended, for as long as their results are kept")
  .action((options: { json?: boolean; all?: boolean }) =>
    endWith(() => showSessions({ json: options.json ?? false, all: options.all ?? false }, process.env)),
  );

program
  .command("cancel")
  .description("ends a session of the gateway that runs here (found by DATA_DIR): Hub is told that it ended with an error")
  .argument("<id>", "the session, or its run")
  .option("--by <name>", "who the session's user is told it was (default: the user of this process)")
  .addHelpText(
    "after",
    "\nExit codes: 0 cancelled; 1 no gateway answers; 3 it had ended already, nothing was changed; 4 there is no such session.",
  )
  .action((id: string, options: { by?: string }) => endWith(() => cancelSession({ id, by: options.by }, process.env)));

await program.parseAsync();
