/** The gateway port: what filters and packagers ask of a gateway. The adapter is gRPC (grpc.ts); the gateway implements the same shape. */
import type {
  GetContextRequest,
  GetContextResponse,
  GetUploadTargetRequest,
  GetUploadTargetResponse,
  ReportRequest,
  ReportResponse,
  SyncRequest,
  SyncResponse,
} from "../../proto/gen/maskline/v1/gateway.js";
import type { TraceParent } from "./telemetry/traceparent.js";

/** Whose call it is, for its trace. */
export interface Caller {
  readonly role: string;
  /** What the call is part of; undefined: nothing that is traced. */
  readonly traceparent: TraceParent | undefined;
}

/** The four calls; the same shape on both sides of the wire. */
export interface GatewayCalls {
  /** @throws NotKnown when this gateway has no such run. */
  getContext(request: GetContextRequest, caller?: Caller): Promise<GetContextResponse>;
  sync(request: SyncRequest): Promise<SyncResponse>;
  /** @throws NotKnown; OutOfDate when the epoch is no longer the run's; UserFailure when Hub gives no target for good. */
  getUploadTarget(request: GetUploadTargetRequest, caller?: Caller): Promise<GetUploadTargetResponse>;
  /** @throws NotKnown; OutOfDate when the epoch is no longer the run's. */
  report(request: ReportRequest, caller?: Caller): Promise<ReportResponse>;
}

/** The gateway has no such run. */
export class NotKnown extends Error {
  override readonly name = "NotKnown";
}

/** The call speaks of an epoch or a target that is no longer the run's. */
export class OutOfDate extends Error {
  override readonly name = "OutOfDate";
}

/** Another packager has the caller's id: it must not go on. */
export class IdTaken extends Error {
  override readonly name = "IdTaken";
}

/** Can not succeed; the message is in a user's words. */
export class UserFailure extends Error {
  override readonly name = "UserFailure";
}

/** The calls to one gateway. They reject with Retry while it is away. */
export interface GatewayConnection extends GatewayCalls {
  readonly address: string;
  close(): void;
}
