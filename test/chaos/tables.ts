/** The tables of docs/reliability.md, as the commands print them. Pure. */
import type { ChaosResult } from "./chaos-run.js";
import type { BusDrains } from "./drains.js";
import type { RollingResult } from "./rolling-run.js";
import type { Load } from "./stage.js";

const rate = ({ assets, ms }: Load) => `${Math.round((assets * 1000) / ms)}/s`;

export function chaosTable(bus: string, runs: readonly { readonly name: string; readonly result: ChaosResult }[]): string {
  const rows = runs.map(({ name, result }) => {
    const { kills, undisturbed, disturbed } = result;
    const of = (role: keyof ChaosResult["kills"]) => `${kills[role].all} (${kills[role].unfinished})`;
    return [
      ...[name, `${result.seed}`, minutes(disturbed.ms), `${disturbed.finished.length}`, `${disturbed.assets}`],
      ...[of("gateway"), of("filter"), of("rasterizer"), of("packager"), `${result.brokerKills}`, `${result.volumesLost}`],
      ...[`${result.messagesLost}`, `${result.redelivered}`, `${result.rounds}`, `${result.epochs}`, `${result.repeatedAnswers}`],
      ...[rate(undisturbed), rate(disturbed)],
    ];
  });
  const head = [
    ...[`on ${bus}`, "seed", "minutes", "sessions", "assets", "gateways killed", "filters", "rasterizers", "packagers", "broker"],
    ...["volumes lost", "messages lost", "redelivered", "rounds", "epochs", "answers repeated", "undisturbed", "under chaos"],
  ];
  return table(head, rows);
}

export function drainTable(bus: string, drains: BusDrains): string {
  const rows = Object.entries(drains).map(([role, { times, underWork, medianMs, longestMs, medianStartMs }]) => {
    return [role, `${times} (${underWork})`, `${medianMs} ms`, `${longestMs} ms`, `${medianStartMs} ms`];
  });
  return table([`on ${bus}`, "ended (with work)", "median", "longest", "start to ready, median"], rows);
}

export function throughputTable(bus: string, { undisturbed, rolling, drains, handedBack }: RollingResult): string {
  const cost = 1 - (rolling.assets * undisturbed.ms) / (rolling.ms * undisturbed.assets);
  const cells = [bus, rate(undisturbed), rate(rolling), `${Math.round(cost * 100)} %`, `${drains.length}`, seconds(rolling.ms)];
  const head = ["bus", "undisturbed", "while all restart", "cost", "restarts", "in", "assets meanwhile", "messages handed back"];
  return table(head, [[...cells, `${rolling.assets}`, `${handedBack}`]]);
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(0)} s`;
const minutes = (ms: number) => (ms / 60_000).toFixed(1);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
