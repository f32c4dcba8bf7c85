import { describe, test } from "node:test";
import type { Exception } from "./exceptions.js";

/** One promise of a port: a sentence, and a program that fails when it is broken. */
export interface Behaviour<Fixture> {
  readonly title: string;
  readonly run: (fixture: Fixture) => Promise<void>;
}

/** No behaviour may hang: a test that does is one that fails. */
const TIMEOUT_MS = 60_000;

/**
 * Runs every behaviour as a test of its own, with a fixture of its own, except the excused ones, which are skipped with their reason.
 * An exception that names no behaviour fails: it would excuse nothing, or what it excused has been renamed.
 * @param atOnce tests that run at the same time; more than 1 where no behaviour disturbs the others' broker.
 */
export function runBehaviours<Fixture extends { dispose(): Promise<void> }>(
  name: string,
  behaviours: readonly Behaviour<Fixture>[],
  makeFixture: () => Promise<Fixture>,
  exceptions: readonly Exception[],
  atOnce: number,
): void {
  describe(name, { concurrency: atOnce }, () => {
    for (const { title, run } of behaviours) {
      const excused = exceptions.find((exception) => exception.behaviour === title);
      test(title, { skip: excused?.reason ?? false, timeout: TIMEOUT_MS }, async () => {
        const fixture = await makeFixture();
        try {
          await run(fixture);
        } finally {
          await fixture.dispose();
        }
      });
    }
    for (const { behaviour } of exceptions) {
      if (behaviours.some(({ title }) => title === behaviour)) continue;
      test(`the exception "${behaviour}" names a behaviour of the suite`, () => {
        throw new Error("it does not: correct or remove it in test/conformance/exceptions.ts");
      });
    }
  });
}
