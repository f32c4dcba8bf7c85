/** A packager by script: it knows nothing of masks, but keeps a ledger and speaks gRPC like the real one. */
import { type IndexRange, type OutcomeCounts, type PinnedRun, RunPhase, RunState } from "../../proto/gen/maskline/v1/gateway.js";
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import type { OutgoingMessage } from "../../services/runtime/bus/bus.js";
import type { GatewayConnection } from "../../services/runtime/gateway-calls.js";
import { connectGateway } from "../../services/runtime/grpc.js";

interface Held {
  epoch: number;
  total: number | undefined;
  readonly final: Set<number>;
  wanted: number | undefined;
  phase: RunPhase;
}

const EVERY_MS = 10;
/** Few, so that rounds have to be asked for piece by piece. */
const MAX_RANGES = 3;

export class FakePackager {
  readonly runs = new Map<string, Held>();
  readonly ended: string[] = [];
  readonly pinned = new Map<string, PinnedRun>();
  /** Completed runs are uploaded and reported. */
  finishes = true;
  /** Reports this reason instead of an upload. */
  failsWith: string | undefined;
  /** Answers what it is asked for. */
  tellsMissing = true;
  counts: OutcomeCounts = { maskedAssets: 0, masks: 0, skipped: {}, rejected: {}, dropped: {} };
  readonly #gateway: GatewayConnection;
  #timer: NodeJS.Timeout | undefined;
  #busy: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    readonly id: string,
    readonly ledgerId: string,
    port: number,
    token: string,
  ) {
    this.#gateway = connectGateway(`127.0.0.1:${port}`, token);
    this.#next();
  }

  get gateway(): GatewayConnection {
    return this.#gateway;
  }

  /** Accounts for the asset of a message, as if its masks had come. */
  account(message: OutgoingMessage): void {
    const envelope = AssetExported.decode(message.body).envelope;
    if (!envelope || envelope.packager !== this.id) return;
    const held = this.runs.get(envelope.run) ?? this.#hold(envelope.run, envelope.epoch);
    if (held.epoch === envelope.epoch) held.final.add(envelope.index);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#busy;
    this.#gateway.close();
  }

  #next(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#busy = this.#sync()
        .catch(() => undefined)
        .finally(() => this.#next());
    }, EVERY_MS);
  }

  #hold(run: string, epoch: number): Held {
    const held: Held = { epoch, total: undefined, final: new Set(), wanted: undefined, phase: RunPhase.SPOOLING };
    this.runs.set(run, held);
    return held;
  }

  async #sync(): Promise<void> {
    const runs = [...this.runs].map(([run, held]) => ({
      run,
      epoch: held.epoch,
      accounted: held.final.size,
      bytes: held.final.size * 10,
      phase: held.phase,
      counts: this.counts,
      missing: held.wanted === undefined || !this.tellsMissing ? [] : missingOf(held),
      missingForRound: this.tellsMissing ? held.wanted : undefined,
    }));
    const reply = await this.#gateway.sync({ packager: this.id, ledgerId: this.ledgerId, runs });
    for (const pinned of reply.runs) this.#apply(pinned);
    if (this.finishes) for (const [run, held] of this.runs) if (held.final.size === held.total) await this.#finish(run, held);
  }

  #apply(pinned: PinnedRun): void {
    this.pinned.set(pinned.run, pinned);
    if (pinned.state !== RunState.OPEN) {
      this.runs.delete(pinned.run);
      if (pinned.state === RunState.ENDED) this.ended.push(pinned.run);
      return;
    }
    const known = this.runs.get(pinned.run);
    const held = known?.epoch === pinned.epoch ? known : this.#hold(pinned.run, pinned.epoch);
    held.total = pinned.total;
    held.wanted = pinned.wantMissing ? pinned.round : undefined;
  }

  async #finish(run: string, held: Held): Promise<void> {
    const { epoch } = held;
    if (this.failsWith !== undefined) {
      await this.#gateway.report({ run, epoch, result: { $case: "failed", value: { reason: this.failsWith } } });
      return;
    }
    held.phase = RunPhase.UPLOADING;
    const { target } = await this.#gateway.getUploadTarget({ run, epoch });
    await this.#gateway.report({ run, epoch, result: { $case: "uploaded", value: { target, bytes: 1, counts: this.counts } } });
    held.phase = RunPhase.REPORTED;
  }
}

function missingOf({ final, total = 0 }: Held): IndexRange[] {
  const ranges: IndexRange[] = [];
  for (let index = 0; index < total; index++) {
    if (final.has(index)) continue;
    const last = ranges.at(-1);
    if (last?.end === index) last.end = index + 1;
    else if (ranges.length === MAX_RANGES) break;
    else ranges.push({ first: index, end: index + 1 });
  }
  return ranges;
}
