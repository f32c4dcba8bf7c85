/** What a mutant is: the code with one promise of docs/delivery.md taken out, and the tests that must notice. */

export interface Mutant {
  /** Of docs/delivery.md. */
  readonly rule: number;
  /** What is taken out of it, as the page says it. */
  readonly without: string;
  readonly changes: readonly Change[];
  /** All of them must fail. */
  readonly noticedBy: readonly NamedTest[];
}

export interface Change {
  /** From the project's root. */
  readonly file: string;
  /** This text, which is there exactly once... */
  readonly from: string;
  /** ...becomes this one. The result must compile: what does not proves nothing. */
  readonly to: string;
}

export interface NamedTest {
  /** The test file, from the project's root. */
  readonly file: string;
  /** The test's title, or the part of it that stands in the source. */
  readonly title: string;
  /** Where the title stands, when that is not the test file itself: a suite that runs for several adapters. */
  readonly source?: string;
}

/** How often the text is there. */
export function occurrences(source: string, text: string): number {
  return source.split(text).length - 1;
}

/** @throws Error when the text to change is not there exactly once. */
export function changed(source: string, { file, from, to }: Change): string {
  const found = occurrences(source, from);
  if (found !== 1) {
    throw new Error(`${file} has ${JSON.stringify(from)} ${found} times instead of once: the code was changed, change this mutant too`);
  }
  return source.replace(from, () => to);
}
