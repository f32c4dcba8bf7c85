/** The sections of docs/reliability.md: for every rule of docs/delivery.md what is taken out of the code, and the tests that fail then. */
import type { Mutant, NamedTest } from "./mutant.js";

const BEGIN = "<!-- rules and mutants: begin -->";
const END = "<!-- rules and mutants: end -->";

/** The page with the sections between its markers replaced. @param delivery the page of the rules, which names them */
export function withRules(page: string, delivery: string, mutants: readonly Mutant[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" before "${END}"`);
  const sections = ruleNames(delivery).map((name, index) => section(index + 1, name, mutants));
  return `${page.slice(0, begin + BEGIN.length)}\n\n${sections.join("\n\n")}\n\n${page.slice(end)}`;
}

/** As the page has them: `1. **Accept durably first.** ...`. */
export function ruleNames(delivery: string): string[] {
  return [...delivery.matchAll(/^\d+\. \*\*(.+?)\.?\*\*/gm)].map(([, name = ""]) => name);
}

function section(rule: number, name: string, mutants: readonly Mutant[]): string {
  const own = mutants.filter((mutant) => mutant.rule === rule);
  const rows = own.map(({ without, changes, noticedBy }) => {
    const files = [...new Set(changes.map(({ file }) => `\`${file}\``))].join(", ");
    return `| ${without} | ${files} | ${testsByFile(noticedBy)} |`;
  });
  return [`### ${rule}. ${name}`, "", "| without | in | fails |", "| --- | --- | --- |", ...rows].join("\n");
}

function testsByFile(tests: readonly NamedTest[]): string {
  const files = [...new Set(tests.map(({ file }) => file))];
  const titlesOf = (file: string) => tests.filter((test) => test.file === file).map(({ title }) => `"${title.trim()}"`);
  return files.map((file) => `\`${file}\`: ${titlesOf(file).join("; ")}`).join("<br>");
}
