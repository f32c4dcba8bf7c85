/** Whether others can read an archive: Info-ZIP's `unzip`, and Python's zipfile. */
import { spawnSync } from "node:child_process";

const PYTHON = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    bad = archive.testzip()
    if bad is not None:
        sys.exit(f"{bad} is damaged")
    print(sum(name.endswith(".png") for name in archive.namelist()))
`;

/**
 * Reads every entry and checks its sum, with whatever of the two is there.
 * @returns who has read it
 * @throws Error when it is damaged, or does not hold so many masks
 */
export function checkZip(file: string, masks: number): string[] {
  const readers: string[] = [];
  const unzip = spawnSync("unzip", ["-tq", file], { encoding: "utf8" });
  if (unzip.error === undefined) {
    if (unzip.status !== 0) throw new Error(`unzip -t says: ${unzip.stdout}${unzip.stderr}`);
    readers.push("unzip -t");
  }
  const python = spawnSync("python3", ["-c", PYTHON, file], { encoding: "utf8" });
  if (python.error === undefined) {
    if (python.status !== 0) throw new Error(`Python's zipfile says: ${python.stderr}`);
    if (Number(python.stdout) !== masks) throw new Error(`Python's zipfile finds ${python.stdout.trim()} masks instead of ${masks}`);
    readers.push("Python's zipfile");
  }
  return readers;
}
