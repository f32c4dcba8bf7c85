import type { Mutant } from "../mutant.js";

const ACCEPT = "services/gateway/accept-session.ts";
const STORE = "services/gateway/run-store.ts";
const FREEZE = "services/gateway/export-store.ts";
const DRIVE = "services/gateway/drive-run.ts";

/** Rules 1 and 2. */
export const acceptingMutants: readonly Mutant[] = [
  {
    rule: 1,
    without: "waiting for the disk before anything else is done",
    changes: [
      {
        file: STORE,
        from: "        await write(record, undefined);\n        sessions.set",
        to: "        void write(record, undefined).catch(() => undefined);\n        sessions.set",
      },
    ],
    noticedBy: [{ file: "services/gateway/run-store.test.ts", title: "what was stored is there after the store is opened again" }],
  },
  {
    rule: 1,
    without: "accepting first: the run begins before it is stored",
    changes: [
      {
        file: ACCEPT,
        from: "  const startedAt = performance.now();\n",
        to: '  const startedAt = performance.now();\n  parts.begin({ run: "", plugin: parts.plugin, session, acceptedAt: 0, state: "accepted" });\n',
      },
    ],
    noticedBy: [
      { file: "services/gateway/accept-session.test.ts", title: "nothing is done for a session, nor is Hub told that it is accepted" },
      { file: "services/gateway/accept-session.test.ts", title: "a session that the disk refuses is not accepted" },
    ],
  },
  {
    rule: 1,
    without: "telling Hub only after the session is accepted",
    changes: [
      {
        file: "services/gateway/hub-socket.ts",
        from: "      await accept(payload);\n      ack?.();",
        to: "      ack?.();\n      await accept(payload);",
      },
    ],
    noticedBy: [
      { file: "services/gateway/hub-socket.test.ts", title: "a session that can not be accepted is not acknowledged" },
      { file: "services/gateway/hub-socket.test.ts", title: "an acknowledgement that Hub asks for comes, empty, once it is accepted" },
    ],
  },
  {
    rule: 1,
    without: "one run a session, however often it is delivered",
    changes: [
      {
        file: STORE,
        from: "        if (known) return { record: known, inserted: false };",
        to: '        if (known?.state === "ended") return { record: known, inserted: false };',
      },
    ],
    noticedBy: [
      { file: "services/gateway/run-store.test.ts", title: "a session inserted many times at once is one run" },
      { file: "test/gateway/session.test.ts", title: "a session delivered twice is one run" },
    ],
  },
  {
    rule: 1,
    without: "telling sessions apart by their plugin",
    changes: [
      { file: STORE, from: "JSON.stringify([plugin, session.session])", to: "JSON.stringify([plugin.slice(0, 0), session.session])" },
    ],
    noticedBy: [{ file: "services/gateway/run-store.test.ts", title: "the same session of two plugins is two runs" }],
  },
  {
    rule: 1,
    without: "the stored result for a session that comes again after its end",
    changes: [{ file: ACCEPT, from: 'if (known?.state === "ended") answers.repeat(known, session);', to: "" }],
    noticedBy: [
      {
        file: "test/gateway/session.test.ts",
        title: "a session delivered twice is one run, and one that has ended gets the same answer again",
      },
    ],
  },
  {
    rule: 1,
    without: "taking up at the start what was accepted before",
    changes: [{ file: "services/gateway/main.ts", from: "    else keeper.begin(record);", to: "" }],
    noticedBy: [
      { file: "test/gateway/recovery.test.ts", title: "a gateway stopped before the export was read begins the session again" },
      {
        file: "test/gateway/recovery.test.ts",
        title: "a session that arrives while the gateway stops is accepted, and run after the next start",
      },
    ],
  },
  {
    rule: 2,
    without: "the archive's checksum",
    changes: [{ file: "services/gateway/export-archive.ts", from: "if (crc !== text.declared.crc)", to: "if (crc < 0)" }],
    noticedBy: [{ file: "services/gateway/export-store.test.ts", title: "a changed byte in the data of a stored entry is detected" }],
  },
  {
    rule: 2,
    without: "the limits of an export",
    changes: [{ file: "services/gateway/export-archive.ts", from: "      checkLimits({ bytes, length: text.length }, limits);\n", to: "" }],
    noticedBy: [
      { file: "services/gateway/export-store.test.ts", title: "more text than allowed is refused, whether or not the archive admits it" },
    ],
  },
  {
    rule: 2,
    without: "syncing the export and its name",
    changes: [
      { file: FREEZE, from: "  await output.sync();\n", to: "" },
      { file: FREEZE, from: '    await withFile(dirname(target), "r", (folder) => folder.sync());\n', to: "" },
    ],
    noticedBy: [
      { file: "services/gateway/export-store.test.ts", title: "an export is synced before it gets its name, and its folder after" },
    ],
  },
  {
    rule: 2,
    without: "the rename: a half-frozen export stands under its name",
    changes: [{ file: FREEZE, from: "  return `${target}.partial`;", to: "  return target;" }],
    noticedBy: [
      { file: "services/gateway/export-store.test.ts", title: "an export is synced before it gets its name, and its folder after" },
    ],
  },
  {
    rule: 2,
    without: "what was frozen: a restart reads from Hub again",
    changes: [
      {
        file: DRIVE,
        from: '    if (accepted?.state === "accepted") await prepare(accepted, parts, signal);',
        to: '    if (accepted && accepted.state !== "ended") await prepare({ ...accepted, state: "accepted" }, parts, signal);',
      },
    ],
    noticedBy: [
      {
        file: "test/gateway/recovery.test.ts",
        title: "a gateway stopped before there was a packager goes on without reading from Hub again",
      },
    ],
  },
  {
    rule: 2,
    without: "the context that is stored with the export",
    changes: [
      {
        file: DRIVE,
        from: '{ ...now, state: "open", frozen, pin: undefined } : undefined),\n    context,\n',
        to: '{ ...now, state: "open", frozen, pin: undefined } : undefined),\n    context && undefined,\n',
      },
    ],
    noticedBy: [{ file: "test/gateway/session.test.ts", title: "the context is served as long as the run is open" }],
  },
];
