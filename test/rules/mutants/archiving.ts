import type { Mutant } from "../mutant.js";

const PACK = "services/packager/deliver-archive.ts";
const WRITE = "services/packager/write-archive.ts";
const MAIN = "services/packager/main.ts";
const MAIN_TEST = "services/packager/main.test.ts";
const PACK_TEST = "services/packager/pack-run.test.ts";
const WRITE_TEST = "services/packager/write-archive.test.ts";

/** Rule 19. */
export const archivingMutants: readonly Mutant[] = [
  {
    rule: 19,
    without: "every index: as many as the total are enough",
    changes: [
      {
        file: "services/packager/ledger.ts",
        from: "return this.#accounted >= total && this.missing(total, 1).length === 0;",
        to: "return this.#accounted >= total;",
      },
    ],
    noticedBy: [
      { file: "services/packager/ledger.test.ts", title: "complete means every index below the total, not as many as the total" },
    ],
  },
  {
    rule: 19,
    without: "a look after every commit",
    changes: [{ file: MAIN, from: '      packer.lookAt(run);\n      tell(run, "soon");', to: '      tell(run, "soon");' }],
    noticedBy: [{ file: MAIN_TEST, title: "a complete run is packed though no Sync is answered any more" }],
  },
  {
    rule: 19,
    without: "a look after every Sync, and so after the start",
    changes: [{ file: MAIN, from: "            for (const run of runs.all()) packer.lookAt(run);\n", to: "" }],
    noticedBy: [
      { file: MAIN_TEST, title: "an export without assets completes at once" },
      { file: MAIN_TEST, title: "after a restart a finished archive is used again" },
    ],
  },
  {
    rule: 19,
    without: "packing outside of the consumer: commits wait for it",
    changes: [
      { file: MAIN, from: "    createFolder: runs.createFolder,\n", to: "    createFolder: (run) => runs.createFolder(run),\n" },
      {
        file: MAIN,
        from: "    upload: (url, file, signal) => upload(",
        to: "    upload: (url, file, signal) => runs.serially(() => upload(",
      },
      {
        file: MAIN,
        from: "timeoutMs: options.uploadTimeoutMs }, signal),\n    reload",
        to: "timeoutMs: options.uploadTimeoutMs }, signal)),\n    reload",
      },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "while one run's archive is being uploaded, another one is spooled, packed and reported" }],
  },
  {
    rule: 19,
    without: "the places in between: who waits for a gateway keeps others from uploading",
    changes: [
      {
        file: PACK,
        from: "        await uploadSlots.within(upload, signal);\n",
        to: "        await upload();\n",
      },
      {
        file: PACK,
        from: "    return retrying(\n      async () => {\n        const { target, url, downloadUrl }",
        to: "    return uploadSlots.within(() => retrying(\n      async () => {\n        const { target, url, downloadUrl }",
      },
      {
        file: PACK,
        from: "      signal,\n    );\n  }\n\n  return deliver;",
        to: "      signal,\n    ), signal);\n  }\n\n  return deliver;",
      },
    ],
    noticedBy: [{ file: PACK_TEST, title: "a gateway that is away keeps no other gateway's run from uploading" }],
  },
  {
    rule: 19,
    without: "using the archive again",
    changes: [{ file: WRITE, from: "  if ((await fileBytes(file)) === undefined) {", to: "  if ((await fileBytes(file)) !== -1) {" }],
    noticedBy: [{ file: MAIN_TEST, title: "after a restart a finished archive is used again" }],
  },
  {
    rule: 19,
    without: "syncing a finished file and its name",
    changes: [
      {
        file: "services/packager/durable-files.ts",
        from: '  const handle = await open(partial, "r+");\n  try {\n    await handle.sync();\n',
        to: '  const handle = await open(partial, "r+");\n  try {\n',
      },
    ],
    noticedBy: [
      { file: "services/packager/durable-files.test.ts", title: "a file is synced before it gets its name, and its folder after" },
    ],
  },
  {
    rule: 19,
    without: "an archive without times",
    changes: [{ file: "services/packager/archive.ts", from: "date: FIXED_DATE,", to: "date: new Date(Date.now() + Math.random() * 1e9)," }],
    noticedBy: [{ file: "services/packager/archive.test.ts", title: "the same entries give the same bytes, at any time" }],
  },
  {
    rule: 19,
    without: "the order of the export: masks stand in the order of their arrival",
    changes: [
      {
        file: "services/packager/run-entries.ts",
        from: "for await (const group of readAhead(groupsOf(recordsOf(ledger, total)),",
        to: "for await (const group of readAhead(groupsOf([...recordsOf(ledger, total)].sort((a, b) => a.offset - b.offset)),",
      },
    ],
    noticedBy: [
      { file: MAIN_TEST, title: "outcomes in any order, some of them twice, become one upload with the same bytes" },
      { file: WRITE_TEST, title: "the same outcomes in another order give the same bytes, volume by volume" },
    ],
  },
  {
    rule: 19,
    without: "the upload target in the report: the latest one is answered",
    changes: [
      {
        file: "services/gateway/gateway-calls.ts",
        from: "pin.targets.find(({ id }) => id === target);",
        to: 'pin.targets.findLast(({ id }) => id !== "" || id === target);',
      },
    ],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "an older upload target of the epoch may still be reported" }],
  },
  {
    rule: 19,
    without: "a fresh target for each try",
    changes: [
      { file: PACK, from: "    const wanted = { run: run.run, epoch: run.epoch,", to: "    const wanted = { run: run.run, epoch: 1," },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "a new epoch told by Sync drops what was held, is echoed" }],
  },
  {
    rule: 19,
    without: "the record of a volume's upload: a restart uploads it again",
    changes: [{ file: WRITE, from: "    await store({ ...volume, url });\n", to: "    records[number - 1] = { ...volume, url };\n" }],
    noticedBy: [{ file: WRITE_TEST, title: "a volume whose link was told is not uploaded again, though the next one was never written" }],
  },
  {
    rule: 19,
    without: "comparing volumes: what was written before counts, whatever is in it",
    changes: [
      {
        file: "services/packager/volume-writer.ts",
        from: "if (content.digest() !== before.digest) throw",
        to: "if (content.digest() === before.url) throw",
      },
    ],
    noticedBy: [{ file: WRITE_TEST, title: "with another limit than before everything is split anew" }],
  },
  {
    rule: 19,
    without: "the limit of a volume",
    changes: [
      {
        file: "services/packager/archive-volume.ts",
        from: "hasRoom: (more) => masks === 0 || bytes + more <= maxBytes,",
        to: "hasRoom: (more) => masks === 0 || bytes + more <= maxBytes * 2,",
      },
    ],
    noticedBy: [{ file: WRITE_TEST, title: "masks that pass the limit go into volumes within it, one at a time on the disk" }],
  },
];
