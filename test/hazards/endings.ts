/** How a session may end, and what must never be seen on the way. */
import assert from "node:assert/strict";
import { type Ended, PLUGIN, type Stage } from "./stage.js";

/** Of keys, signatures and headers: nothing of the kind belongs before anybody's eyes. */
const SECRETS = [/key-canary/, new RegExp(PLUGIN.pluginSecret), /X-Amz-(?:Signature|Credential)/i, /apikey/i, /[?&][\w-]+=/];

/** It has an archive with a mask of each of these assets, and nothing was said of an error. */
export function assertArchive({ handle, archive, lines }: Ended, ids: readonly string[] = ["a", "b", "c"]): void {
  assert.ok(archive, `the session failed:\n${lines.join("\n")}`);
  const masks = [...archive.keys()].filter((name) => name.endsWith(".png"));
  assert.deepEqual(masks.sort(), ids.map((id) => `${id}.png`).sort());
  assert.deepEqual(
    lines.filter((line) => line.startsWith("ERROR")),
    [],
  );
  assertOneResult(handle.results);
}

/** One ERROR line says why, in these words and without a secret; then the error. */
export function assertError({ handle, lines, archive }: Ended, ...words: readonly RegExp[]): void {
  assert.equal(archive, undefined, "it has no archive");
  assert.deepEqual(handle.results[0], { error: true, session: handle.session });
  assertOneResult(handle.results);
  const errors = lines.filter((line) => line.startsWith("ERROR"));
  assert.equal(errors.length, 1, lines.join("\n"));
  for (const word of words) assert.match(errors[0] ?? "", word);
  assertNoSecrets(lines);
}

export function assertOneResult(results: readonly object[]): void {
  assert.equal(results.length, 1, "one result and no more");
}

export function assertIdenticalResults(results: readonly object[]): void {
  assert.ok(results.length > 0);
  for (const repeated of results) assert.deepEqual(repeated, results[0]);
}

export function assertNoSecrets(lines: readonly string[]): void {
  for (const line of lines) for (const secret of SECRETS) assert.doesNotMatch(line, secret);
}

/** After everything: nothing was sent that the protocol does not allow, no session was answered twice, and no secret went to our log. */
export function assertCleanStage({ hub, lines, sessions }: Stage, { repeats = false } = {}): void {
  assert.deepEqual(hub.violations, []);
  assertNoSecrets(lines);
  for (const { results, logs } of sessions) {
    if (repeats) assertIdenticalResults(results);
    else assertOneResult(results);
    assertNoSecrets(logs.map(({ msg }) => msg));
  }
}
