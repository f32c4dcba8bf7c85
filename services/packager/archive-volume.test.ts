import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createArchive } from "./archive.js";
import { createVolumeContent } from "./archive-volume.js";

const maskOf = (name: string, bytes: number) => ({ name, png: Buffer.alloc(bytes), sha256: Buffer.alloc(32, name) });

test("a volume takes its first mask whatever its size, and then what stays within the limit", () => {
  const content = createVolumeContent(1, 1_000);
  assert.ok(content.hasRoom(5_000));
  content.add(maskOf("a.png", 500));
  assert.ok(!content.hasRoom(500));
  assert.ok(content.hasRoom(1_000 - content.bytes));
  assert.ok(!content.hasRoom(1_001 - content.bytes));
});

test("the zip is never larger than was counted, however many and however small its masks", async () => {
  const folder = await mkdtemp(join(tmpdir(), "maskline-volume-"));
  const file = join(folder, "volume.zip");
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 110 }), fc.nat(300)), { maxLength: 50 }), async (masks) => {
        const content = createVolumeContent(1, 2 ** 30);
        const archive = await createArchive(file);
        for (const [index, [length, bytes]] of masks.entries()) {
          const mask = maskOf(`${index}-`.padEnd(length, "n"), bytes);
          content.add(mask);
          await archive.append(mask.name, mask.png);
        }
        await archive.finish();
        assert.ok((await stat(file)).size <= content.bytes);
      }),
      { numRuns: 20 },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the digest tells apart other masks, other names and another order", () => {
  const digestOf = (...masks: ReturnType<typeof maskOf>[]) => {
    const content = createVolumeContent(1, 1);
    for (const mask of masks) content.add(mask);
    return content.digest();
  };
  const [a, b] = [maskOf("a.png", 1), maskOf("b.png", 1)];
  const digests = [digestOf(a, b), digestOf(b, a), digestOf(a), digestOf({ ...a, name: "c.png" }), digestOf({ ...a, sha256: b.sha256 })];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(digestOf(a, b), digests[0]);
});
