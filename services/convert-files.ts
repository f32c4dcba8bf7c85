/** The files that `maskline convert` is given, looked at before any work is done. */
import { access, constants, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { ConvertOptions } from "./convert.js";
import { ConfigError } from "./runtime/config.js";
import { describeError } from "./runtime/errors.js";

/**
 * Makes the folder of the archive, and reads the Config JSON.
 * @throws ConfigError when a file can not be read, or when the archive would take the place of something that is not an archive.
 */
export async function checkFiles(options: ConvertOptions): Promise<{ readonly configText: string | undefined }> {
  const { exportFile, ontologyFile, configFile } = options;
  const configText = configFile === undefined ? undefined : await readText(configFile);
  for (const file of [exportFile, ontologyFile]) if (file !== undefined) await checkReadable(file);
  await prepareOut(options);
  return { configText };
}

async function checkReadable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if (!(await stat(path)).isDirectory()) return;
  } catch (error) {
    throw new ConfigError([`${path} can not be read (${describeError(error)})`]);
  }
  throw new ConfigError([`${path} can not be read: it is a folder`]);
}

async function prepareOut({ outFile, exportFile, ontologyFile, configFile }: ConvertOptions): Promise<void> {
  const refuse = (why: string) => new ConfigError([`--out is ${JSON.stringify(outFile)}, ${why}; name the zip file to write`]);
  if (outFile.trim() === "") throw refuse("which names nothing");
  const out = resolve(outFile);
  const inputs = [exportFile, ontologyFile, configFile].filter((file) => file !== undefined);
  if (inputs.some((file) => resolve(file) === out)) throw refuse("which is one of the files to read");
  const there = await stat(out).catch(() => undefined);
  if (there && !there.isFile()) throw refuse("which is there already and no file");
  try {
    await mkdir(dirname(out), { recursive: true });
    await access(dirname(out), constants.W_OK);
  } catch (error) {
    throw refuse(`whose folder can not be written (${describeError(error)})`);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigError([`--config names ${JSON.stringify(file)}, which can not be read (${describeError(error)})`]);
  }
}
