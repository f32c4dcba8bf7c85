/** A member of a consumer group, as long as kafkajs keeps it alive. */
import type { FetchedRecord } from "./record.js";

export interface FetchedMessage extends FetchedRecord {
  readonly offset: string;
}

export interface Batch {
  readonly partition: number;
  readonly messages: readonly FetchedMessage[];
  /** The next offset that will be written there. */
  readonly high: number;
  /** Whether the member still wants it. */
  readonly isRunning: () => boolean;
  /** Resolves after a while, or when `until` does; throws when the group gives out partitions anew. */
  pause(until: Promise<void>): Promise<void>;
}

export interface MemberOptions {
  readonly topic: string;
  readonly group: string;
  /** The id of the member before this one that could not say goodbye: the group would wait for it. */
  readonly ghost: string | undefined;
  /** Awaited before the group gives out partitions anew; what it says is not ours any more may go to another one then. */
  readonly beforeJoin: () => Promise<void>;
  readonly onJoined: (memberId: string, partitions: readonly number[]) => void;
  /** Nothing more is fetched until it resolves. */
  readonly onBatch: (batch: Batch) => Promise<void>;
  /** The member is no more. Called at most once. */
  readonly onCrash: (error: unknown) => void;
}

export interface PartitionCommit {
  readonly partition: number;
  readonly offset: number;
  readonly note: string;
}

/** Of a consumer group. */
export interface Member {
  /** Resolves when it has joined, or has crashed. */
  start(): Promise<void>;
  /** The next fetch of the partition begins there. */
  seek(partition: number, offset: number): void;
  /** Resolves when Kafka has it. Not to be called while another one is under way. */
  commit(commits: readonly PartitionCommit[]): Promise<void>;
  /** Says goodbye. */
  stop(): Promise<void>;
}
