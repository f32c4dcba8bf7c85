import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function find(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "package-lock.json"))) return folder;
  }
  throw new Error("the project's root (the folder with package-lock.json) was not found above this file");
}

/** Absolute path of the checkout, from the compiled file or from the source. */
export const projectRoot = process.env.MASKLINE_ROOT ?? find();
