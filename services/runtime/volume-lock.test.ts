import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Fatal } from "./errors.js";
import { thisProcess } from "./lock-owner.js";
import { lockVolume } from "./volume-lock.js";

const never = { onLost: (error: Error) => assert.fail(error) };

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-lock-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a lock as another process would have left it. */
async function leaveLock(folder: string, owner: object | string, ageMs: number): Promise<void> {
  const path = join(folder, "maskline.lock");
  await writeFile(path, typeof owner === "string" ? owner : JSON.stringify(owner));
  const touchedAt = new Date(Date.now() - ageMs);
  await utimes(path, touchedAt, touchedAt);
}

/** Of this very process, and of one like it in another container on a host of the same name. */
const ours = { ...thisProcess(), id: "their-lock" };
const twin = { ...ours, space: "another namespace" };
const elsewhere = { host: "another-host", pid: 17, startedAt: "2026-01-02T03:04:05.000Z", id: "their-lock" };

/** Another process that tries to lock the folder, and then waits to be killed. */
async function lockInChild(folder: string): Promise<{ child: ChildProcess; answer: string }> {
  const program = join(folder, "..", `lock-${process.pid}-${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(
    program,
    `import { lockVolume } from ${JSON.stringify(new URL("./volume-lock.js", import.meta.url).href)};
     process.on("disconnect", () => process.exit());
     lockVolume(${JSON.stringify(folder)}, { onLost: (error) => process.send(error.message) })
       .then(() => process.send("locked"), (error) => process.send(error.name + ": " + error.message));`,
  );
  const child = fork(program, { execArgv: [], timeout: 30_000 });
  try {
    const [answer] = (await once(child, "message")) as [string];
    return { child, answer };
  } finally {
    await rm(program, { force: true });
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

test("a lock keeps everyone else out, this process too, until it is released", () =>
  withFolder(async (folder) => {
    const data = join(folder, "new", "data");
    const lock = await lockVolume(data, never);
    assert.equal(((await stat(join(data, "maskline.lock"))).mode & 0o777).toString(8), "600");
    const held = (error: unknown) =>
      error instanceof Fatal && error.message.includes(`process ${process.pid} on ${hostname()}`) && error.message.includes("DATA_DIR");
    await assert.rejects(lockVolume(data, never), held);
    await lock.release();
    await lock.release();
    assert.deepEqual(await readdir(data), []);
    await (await lockVolume(data, never)).release();
  }));

test("a living process keeps its volume; when it is killed, the next one has it at once", () =>
  withFolder(async (folder) => {
    const { child, answer } = await lockInChild(folder);
    try {
      assert.equal(answer, "locked");
      await assert.rejects(
        lockVolume(folder, never),
        (error) => error instanceof Fatal && error.message.includes(`process ${child.pid} on`),
      );
    } finally {
      await kill(child);
    }
    const lock = await lockVolume(folder, never);
    const second = await lockInChild(folder);
    await kill(second.child);
    assert.match(second.answer, new RegExp(`^Fatal: .* is held by process ${process.pid} on`));
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
  }));

test("of several processes that find a dead one's lock, one gets it", () =>
  withFolder(async (folder) => {
    const { child } = await lockInChild(folder);
    await kill(child);
    const contenders = await Promise.all([1, 2, 3, 4].map(() => lockInChild(folder)));
    await Promise.all(contenders.map((contender) => kill(contender.child)));
    assert.equal(contenders.filter(({ answer }) => answer === "locked").length, 1);
  }));

test("of several attempts in one process, one gets it, whatever was there before", async () => {
  for (const before of [undefined, ours]) {
    await withFolder(async (folder) => {
      if (before) await leaveLock(folder, before, 1_000);
      const attempts = await Promise.allSettled([1, 2, 3, 4, 5].map(() => lockVolume(folder, never)));
      const got = attempts.filter((attempt) => attempt.status === "fulfilled");
      assert.equal(got.length, 1);
      for (const { value } of got) await value.release();
    });
  }
});

for (const { title, owner, ageMs, takenOver } of [
  { title: "the lock of another host is respected while it is fresh", owner: elsewhere, ageMs: 20_000, takenOver: false },
  { title: "the lock of another host is taken over after 30 s without a sign of life", owner: elsewhere, ageMs: 31_000, takenOver: true },
  {
    title: "a lock with our own pid that we do not hold is an earlier process's",
    owner: ours,
    ageMs: 1_000,
    takenOver: true,
  },
  { title: "the same pid on another host is not ours", owner: { ...elsewhere, pid: process.pid }, ageMs: 1_000, takenOver: false },
  {
    title: "a process of this host that lives is respected while its lock is fresh",
    owner: { ...ours, pid: process.ppid },
    ageMs: 1_000,
    takenOver: false,
  },
  {
    title: "a pid that another program has by now does not hold a volume for ever",
    owner: { ...ours, pid: process.ppid },
    ageMs: 31_000,
    takenOver: true,
  },
  {
    title: "another container with our host's name is taken over after 10 s without a sign of life",
    owner: twin,
    ageMs: 11_000,
    takenOver: true,
  },
  { title: "a lock that is just being written is respected", owner: "", ageMs: 100, takenOver: false },
  { title: "a lock that was cut by a crash is taken over after 30 s", owner: '{"host":"x","pi', ageMs: 31_000, takenOver: true },
]) {
  test(title, () =>
    withFolder(async (folder) => {
      await leaveLock(folder, owner, ageMs);
      if (!takenOver) {
        await assert.rejects(lockVolume(folder, never), Fatal);
        return;
      }
      const lock = await lockVolume(folder, never);
      const content = JSON.parse(await readFile(join(folder, "maskline.lock"), "utf8")) as { pid: number };
      assert.equal(content.pid, process.pid);
      await lock.release();
      assert.deepEqual(await readdir(folder), []);
    }),
  );
}

for (const [owner, title] of [
  [twin, "our own pid in another container"],
  [{ ...twin, pid: 2 ** 22 + 1 }, "a pid of another container that nobody has here"],
  [{ ...ours, space: undefined }, "a lock that does not say of which container its pid is"],
] as const) {
  test(`${title} is watched for a sign of life: it keeps its volume with one, and loses it without`, { timeout: 10_000 }, () =>
    withFolder(async (folder) => {
      const waits: string[] = [];
      const options = { ...never, onWait: (reason: string) => void waits.push(reason) };
      await leaveLock(folder, owner, 9_000);
      const touched = setTimeout(() => leaveLock(folder, owner, 0), 200);
      await assert.rejects(lockVolume(folder, options), (error) => error instanceof Fatal && /is held by process/.test(error.message));
      clearTimeout(touched);
      assert.equal(waits.length, 1);
      assert.match(waits[0] ?? "", /is held by process .* last sign of life 9\.\d s ago\. Waiting/);

      await leaveLock(folder, owner, 9_500);
      await (await lockVolume(folder, options)).release();
      assert.equal(waits.length, 2);
    }),
  );
}

test("a takeover that was killed halfway does not hold a volume for ever", () =>
  withFolder(async (folder) => {
    await leaveLock(folder, elsewhere, 60_000);
    await writeFile(join(folder, "maskline.lock.takeover"), JSON.stringify(ours));
    await (await lockVolume(folder, never)).release();
    assert.deepEqual(await readdir(folder), []);
  }));

test("the lock is touched while it is held", () =>
  withFolder(async (folder) => {
    const lock = await lockVolume(folder, { ...never, refreshMs: 20 });
    const path = join(folder, "maskline.lock");
    const longAgo = new Date(Date.now() - 25_000);
    await utimes(path, longAgo, longAgo);
    while ((await stat(path)).mtimeMs < Date.now() - 10_000) await new Promise((resolve) => setTimeout(resolve, 10));
    await lock.release();
  }));

for (const [title, change, why] of [
  [
    "a lock that another process took is told as lost, once, and not removed",
    (folder: string) => leaveLock(folder, elsewhere, 0),
    /took it/,
  ],
  ["a lock whose file is gone is told as lost", (folder: string) => rm(join(folder, "maskline.lock")), /removed/],
] as const) {
  test(title, { timeout: 10_000 }, () =>
    withFolder(async (folder) => {
      const lost: Fatal[] = [];
      const told = new Promise<void>((resolve) => {
        lockVolume(folder, {
          refreshMs: 20,
          onLost: (error) => {
            lost.push(error);
            resolve();
          },
        }).then(async (lock) => {
          await change(folder);
          await told;
          await lock.release();
        }, assert.ifError);
      });
      // The timer that watches the lock does not keep a process alive.
      const keepAlive = setTimeout(() => {}, 10_000);
      await told;
      await new Promise((resolve) => setTimeout(resolve, 100));
      clearTimeout(keepAlive);
      assert.equal(lost.length, 1);
      assert.ok(lost[0] instanceof Fatal);
      assert.match(lost[0].message, why);
      assert.equal((await readdir(folder)).length, why.source === "removed" ? 0 : 1);
    }),
  );
}

test("a folder that can not be locked is Fatal, and says so", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "file"), "x");
    await assert.rejects(
      lockVolume(join(folder, "file"), never),
      (error) => error instanceof Fatal && error.message.includes("can not be locked"),
    );
  }));
