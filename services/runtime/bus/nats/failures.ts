/** NATS' errors, told apart once. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";

/**
 * `full`: a limit of the stream or of storage is reached. `missing`: nobody answers for the stream or consumer, or it is not there.
 * `identity`: NATS does not take who we say we are. `permission`: it does, but does not let us do this. `tooLarge`: over a size limit.
 * `passing`: anything that may be over soon, as a lost connection or a cluster without a leader.
 */
export type NatsFailure = "full" | "missing" | "timeout" | "identity" | "permission" | "tooLarge" | "passing";

/** Error codes of the JetStream API (the server's errors.json). */
const CODE = {
  consumerNotFound: 10014,
  memoryExceeded: 10028,
  storageExceeded: 10047,
  messageTooLarge: 10054,
  nameInUse: 10058,
  streamNotFound: 10059,
  storeFailed: 10077,
} as const;

export function natsFailure(error: unknown): NatsFailure {
  if (!(error instanceof Error)) return "passing";
  if (error instanceof JetStreamApiError) return apiFailure(error);
  if (error instanceof errors.TimeoutError) return "timeout";
  if (error instanceof errors.NoRespondersError || error.name === "JetStreamNotEnabled") return "missing";
  if (error instanceof errors.PermissionViolationError) return "permission";
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) return "identity";
  if (error instanceof errors.InvalidArgumentError) return error.message.includes("max_payload") ? "tooLarge" : "passing";
  return error.cause === undefined ? "passing" : natsFailure(error.cause);
}

function apiFailure({ code, message }: JetStreamApiError): NatsFailure {
  if (code === CODE.streamNotFound || code === CODE.consumerNotFound) return "missing";
  if (code === CODE.storageExceeded || code === CODE.memoryExceeded) return "full";
  if (code === CODE.storeFailed) return /^maximum /.test(message) ? "full" : "passing";
  return code === CODE.messageTooLarge ? "tooLarge" : "passing";
}

/** Somebody else created it at the same time, or it is there with other settings. */
export function isNameInUse(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === CODE.nameInUse;
}

/** JetStream looked at what was asked and said no: not an outage, for which it has 503. */
export function isRefusal(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status !== 503;
}
