/** All mutants, in the order of the rules of docs/delivery.md. */
import type { Mutant } from "./mutant.js";
import { acceptingMutants } from "./mutants/accepting.js";
import { answeringMutants } from "./mutants/answering.js";
import { archivingMutants } from "./mutants/archiving.js";
import { keepingMutants } from "./mutants/keeping.js";
import { ledgerMutants } from "./mutants/ledger.js";
import { messageMutants } from "./mutants/messages.js";
import { publishingMutants } from "./mutants/publishing.js";
import { queueMutants } from "./mutants/queues.js";
import { syncingMutants } from "./mutants/syncing.js";
import { watchingMutants } from "./mutants/watching.js";

export const RULES = 20;

export const MUTANTS: readonly Mutant[] = [
  ...acceptingMutants,
  ...publishingMutants,
  ...watchingMutants,
  ...answeringMutants,
  ...messageMutants,
  ...queueMutants,
  ...ledgerMutants,
  ...syncingMutants,
  ...archivingMutants,
  ...keepingMutants,
];
