/** What is done with Kafka beside consuming: publishing, and asking for and making topics. */
import type { KafkaRecord } from "./record.js";

export interface TopicState {
  readonly partitions: number;
  /** Copies of the partition that has the fewest. */
  readonly copies: number;
  /** Settings in effect, by name. */
  readonly settings: ReadonlyMap<string, string>;
  /** Those of them that are the topic's own. */
  readonly own: ReadonlyMap<string, string>;
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** 0: as many as the brokers give by themselves. */
  readonly copies: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Of one partition. */
export interface Position {
  readonly partition: number;
  /** The first offset that is there, and the next that will be written. */
  readonly low: number;
  readonly high: number;
  /** What the group committed, with its note. */
  readonly committed: number | undefined;
  readonly note: string | null;
}

/** Publishes and asks. What fails throws kafkajs' errors. */
export interface KafkaClient {
  /** Resolves when all copies that are in sync have all records; one that fails may have sent any of them. */
  send(topic: string, records: readonly KafkaRecord[]): Promise<void>;
  /** Resolves when a broker answers. */
  ping(): Promise<void>;
  /** Undefined when there is none. */
  topicState(topic: string): Promise<TopicState | undefined>;
  /** @returns false when there was one already */
  createTopic(topic: NewTopic): Promise<boolean>;
  addPartitions(topic: string, partitions: number): Promise<void>;
  /** Replaces the topic's own settings. */
  setSettings(topic: string, settings: Readonly<Record<string, string>>): Promise<void>;
  positions(topic: string, group: string): Promise<readonly Position[]>;
  /** Deletes what is below the offsets. */
  deleteBelow(topic: string, offsets: readonly { readonly partition: number; readonly offset: number }[]): Promise<void>;
  close(): Promise<void>;
}
