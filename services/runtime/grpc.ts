/** gRPC between the gateway and the others: a shared token in the metadata, deadlines on every call. The only import of grpc-js. */
import { timingSafeEqual } from "node:crypto";
import {
  type Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import {
  GatewayServiceClient,
  type GatewayServiceServer,
  GatewayServiceService,
  type GetContextRequest,
  type GetContextResponse,
  type GetUploadTargetRequest,
  type GetUploadTargetResponse,
  type ReportRequest,
  type ReportResponse,
  type SyncRequest,
  type SyncResponse,
} from "../../proto/gen/maskline/v1/gateway.js";
import { describeError, Retry } from "./errors.js";
import { type GatewayCalls, type GatewayConnection, NotKnown, OutOfDate, UserFailure } from "./gateway-calls.js";
import type { Logger } from "./log.js";

/** Upload targets wait for Hub, which retries by itself. */
const CALL_DEADLINE_MS = 10_000;
const HUB_CALL_DEADLINE_MS = 180_000;
const MAX_MESSAGE_BYTES = 64 * 2 ** 20;

const STATUS_OF = new Map<string, status>([
  ["NotKnown", status.NOT_FOUND],
  ["OutOfDate", status.FAILED_PRECONDITION],
  ["UserFailure", status.ABORTED],
  ["Retry", status.UNAVAILABLE],
]);

function fromServiceError(error: ServiceError): Error {
  switch (error.code) {
    case status.NOT_FOUND:
      return new NotKnown(error.details, { cause: error });
    case status.FAILED_PRECONDITION:
      return new OutOfDate(error.details, { cause: error });
    case status.ABORTED:
      return new UserFailure(error.details, { cause: error });
    case status.UNAUTHENTICATED:
      return new Retry("the gateway refuses our token: GRPC_TOKEN differs between the two", { cause: error });
    default:
      return new Retry(`the gateway can not be reached over gRPC (${error.details})`, { cause: error });
  }
}

/** A connection to one gateway; dials lazily, reconnects by itself. Calls reject with Retry while it is away. */
export function connectGateway(address: string, token: string): GatewayConnection {
  const client = new GatewayServiceClient(address, credentials.createInsecure(), {
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const call = <Request, Response>(method: UnaryMethod<Request, Response>, request: Request, deadlineMs: number) =>
    new Promise<Response>((resolve, reject) => {
      method.call(client, request, metadata, { deadline: Date.now() + deadlineMs }, (error, response) => {
        if (error) reject(fromServiceError(error));
        else resolve(response);
      });
    });
  return {
    address,
    getContext: (request) => call<GetContextRequest, GetContextResponse>(client.getContext, request, CALL_DEADLINE_MS),
    sync: (request) => call<SyncRequest, SyncResponse>(client.sync, request, CALL_DEADLINE_MS),
    getUploadTarget: (request) =>
      call<GetUploadTargetRequest, GetUploadTargetResponse>(client.getUploadTarget, request, HUB_CALL_DEADLINE_MS),
    report: (request) => call<ReportRequest, ReportResponse>(client.report, request, CALL_DEADLINE_MS),
    close: () => client.close(),
  };
}

type UnaryMethod<Request, Response> = (
  this: Client,
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

export interface ListenOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Who does not know it is refused. */
  readonly token: string;
  /** Hears of the failures that no caller can be blamed for. */
  readonly log?: Pick<Logger, "error">;
}

export interface GatewayListener {
  readonly port: number;
  /** Lets running calls finish for a moment, then cuts. */
  close(): Promise<void>;
}

/** Serves the calls on `host:port` to whoever knows the token. */
export async function serveGateway(calls: GatewayCalls, { host, port, token, log }: ListenOptions): Promise<GatewayListener> {
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  const expected = Buffer.from(`Bearer ${token}`);
  const unary =
    <Request, Response>(name: keyof GatewayCalls, handle: (request: Request) => Promise<Response>) =>
    (call: { request: Request; metadata: Metadata }, callback: sendUnaryData<Response>) => {
      if (!sameSecret(call.metadata.get("authorization")[0], expected)) {
        callback({ code: status.UNAUTHENTICATED, details: "the token is missing or wrong" });
        return;
      }
      handle(call.request).then(
        (response) => callback(null, response),
        (error: unknown) => {
          const code = STATUS_OF.get(error instanceof Error ? error.name : "");
          if (code === undefined) log?.error({ call: name, error: describeError(error) }, "a call failed unexpectedly");
          callback({ code: code ?? status.INTERNAL, details: error instanceof Error ? error.message : "internal error" });
        },
      );
    };
  const implementation: GatewayServiceServer = {
    getContext: unary("getContext", (request: GetContextRequest) => calls.getContext(request)),
    sync: unary("sync", (request: SyncRequest) => calls.sync(request)),
    getUploadTarget: unary("getUploadTarget", (request: GetUploadTargetRequest) => calls.getUploadTarget(request)),
    report: unary("report", (request: ReportRequest) => calls.report(request)),
  };
  server.addService(GatewayServiceService, implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, boundTo) => (error ? reject(error) : resolve(boundTo)));
  });
  return { port: bound, close: () => closeServer(server) };
}

function sameSecret(given: string | Buffer | undefined, expected: Buffer): boolean {
  const bytes = Buffer.from(given ?? "");
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), 2_000);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
