/** gRPC between the gateway and the others: a shared token in the metadata, deadlines on every call. The only import of grpc-js. */
import { timingSafeEqual } from "node:crypto";
import {
  type ChannelCredentials,
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
import { describeError, Fatal, Retry } from "./errors.js";
import { type Caller, type GatewayCalls, type GatewayConnection, IdTaken, NotKnown, OutOfDate, UserFailure } from "./gateway-calls.js";
import type { GrpcTls } from "./grpc-tls.js";
import type { Logger } from "./log.js";
import { observedCall, TRACE_METADATA } from "./telemetry/calls.js";
import { isTraceParent, type TraceParent } from "./telemetry/traceparent.js";

/** Upload targets wait for Hub, which retries by itself. */
const CALL_DEADLINE_MS = 10_000;
const HUB_CALL_DEADLINE_MS = 180_000;
const MAX_MESSAGE_BYTES = 64 * 2 ** 20;

/** A connection whose other end is gone without a word is noticed on both sides. */
const KEEPALIVE = { "grpc.keepalive_time_ms": 30_000, "grpc.keepalive_timeout_ms": 10_000 };

const STATUS_OF = new Map<string, status>([
  ["NotKnown", status.NOT_FOUND],
  ["OutOfDate", status.FAILED_PRECONDITION],
  ["IdTaken", status.ALREADY_EXISTS],
  ["UserFailure", status.ABORTED],
  ["Retry", status.UNAVAILABLE],
]);

/** A refused handshake, of which one end often only learns that the connection was closed. */
const HANDSHAKE = /certificate|\bTLS\b|\bSSL\b|wrong version|Failed to connect|socket disconnected|socket hang up|ECONNRESET/i;

function tlsHint({ code, details }: ServiceError): string {
  if (code !== status.UNAVAILABLE || !HANDSHAKE.test(details)) return "";
  return "; check that both ends have GRPC_TLS_CA, GRPC_TLS_CERT and GRPC_TLS_KEY of one authority, or neither has";
}

function fromServiceError(error: ServiceError): Error {
  switch (error.code) {
    case status.NOT_FOUND:
      return new NotKnown(error.details, { cause: error });
    case status.FAILED_PRECONDITION:
      return new OutOfDate(error.details, { cause: error });
    case status.ALREADY_EXISTS:
      return new IdTaken(error.details, { cause: error });
    case status.ABORTED:
      return new UserFailure(error.details, { cause: error });
    case status.UNAUTHENTICATED:
      return new Retry("the gateway refuses our token: GRPC_TOKEN differs between the two", { cause: error });
    default:
      return new Retry(`the gateway can not be reached over gRPC (${error.details})${tlsHint(error)}`, { cause: error });
  }
}

/** A connection to one gateway; dials lazily, reconnects by itself. Calls reject with Retry while it is away. */
export function connectGateway(address: string, token: string, tls?: GrpcTls): GatewayConnection {
  const client = new GatewayServiceClient(address, clientCredentials(tls), {
    ...KEEPALIVE,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const call = <Request, Response>(
    name: keyof GatewayServiceServer,
    method: UnaryMethod<Request, Response>,
    request: Request,
    deadlineMs: number,
    caller?: Caller,
  ) =>
    observedCall(
      { kind: "client", method: pathOf(name), role: caller?.role ?? "unknown", parent: caller?.traceparent, statusOf: statusBehind },
      (context) =>
        new Promise<Response>((resolve, reject) => {
          method.call(client, request, withTrace(metadata, context), { deadline: Date.now() + deadlineMs }, (error, response) => {
            if (error) reject(fromServiceError(error));
            else resolve(response);
          });
        }),
    );
  return {
    address,
    getContext: (request, caller) =>
      call<GetContextRequest, GetContextResponse>("getContext", client.getContext, request, CALL_DEADLINE_MS, caller),
    sync: (request) => call<SyncRequest, SyncResponse>("sync", client.sync, request, CALL_DEADLINE_MS),
    getUploadTarget: (request, caller) =>
      call<GetUploadTargetRequest, GetUploadTargetResponse>(
        "getUploadTarget",
        client.getUploadTarget,
        request,
        HUB_CALL_DEADLINE_MS,
        caller,
      ),
    report: (request, caller) => call<ReportRequest, ReportResponse>("report", client.report, request, CALL_DEADLINE_MS, caller),
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

function clientCredentials(tls: GrpcTls | undefined): ChannelCredentials {
  return tls ? credentials.createSsl(tls.ca, tls.key, tls.cert) : credentials.createInsecure();
}

/** The method as gRPC names it, without the first slash. */
function pathOf(name: keyof GatewayServiceServer): string {
  return GatewayServiceService[name as keyof typeof GatewayServiceService].path.slice(1);
}

function withTrace(metadata: Metadata, context: TraceParent | undefined): Metadata {
  if (context === undefined) return metadata;
  const traced = metadata.clone();
  traced.set(TRACE_METADATA, context);
  return traced;
}

/** Of a failure that `fromServiceError` has made. */
function statusBehind(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as Partial<ServiceError> | undefined) : undefined;
  return status[cause?.code ?? status.UNKNOWN] ?? "UNKNOWN";
}

export interface ListenOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Who does not know it is refused. */
  readonly token: string;
  /** Who shows no certificate of its authorities is refused too; absent: nothing is encrypted. */
  readonly tls?: GrpcTls | undefined;
  /** Hears of the failures that no caller can be blamed for. */
  readonly log?: Pick<Logger, "error">;
}

export interface GatewayListener {
  readonly port: number;
  /** Lets running calls finish for a moment, then cuts. */
  close(): Promise<void>;
}

/**
 * Serves the calls on `host:port` to whoever knows the token.
 * @throws Fatal when it can not listen there
 */
export async function serveGateway(calls: GatewayCalls, { host, port, token, tls, log }: ListenOptions): Promise<GatewayListener> {
  const server = new Server({
    ...KEEPALIVE,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  const expected = Buffer.from(`Bearer ${token}`);
  const unary =
    <Request, Response>(name: keyof GatewayCalls, handle: (request: Request, caller: Caller) => Promise<Response>) =>
    (call: { request: Request; metadata: Metadata }, callback: sendUnaryData<Response>) => {
      if (!sameSecret(call.metadata.get("authorization")[0], expected)) {
        callback({ code: status.UNAUTHENTICATED, details: "the token is missing or wrong" });
        return;
      }
      const parent = call.metadata.get(TRACE_METADATA)[0]?.toString();
      observedCall(
        {
          kind: "server",
          method: pathOf(name),
          role: "gateway",
          parent: isTraceParent(parent) ? parent : undefined,
          statusOf: (error) => status[STATUS_OF.get(error instanceof Error ? error.name : "") ?? status.INTERNAL],
        },
        (context) => handle(call.request, { role: "gateway", traceparent: context }),
      ).then(
        (response) => callback(null, response),
        (error: unknown) => {
          const code = STATUS_OF.get(error instanceof Error ? error.name : "");
          if (code === undefined) log?.error({ call: name, error: describeError(error) }, "a call failed unexpectedly");
          callback({ code: code ?? status.INTERNAL, details: error instanceof Error ? error.message : "internal error" });
        },
      );
    };
  const implementation: GatewayServiceServer = {
    getContext: unary("getContext", (request: GetContextRequest, caller) => calls.getContext(request, caller)),
    sync: unary("sync", (request: SyncRequest) => calls.sync(request)),
    getUploadTarget: unary("getUploadTarget", (request: GetUploadTargetRequest, caller) => calls.getUploadTarget(request, caller)),
    report: unary("report", (request: ReportRequest, caller) => calls.report(request, caller)),
  };
  server.addService(GatewayServiceService, implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, serverCredentials(tls), (cause, boundTo) => {
      if (!cause) resolve(boundTo);
      else reject(new Fatal(`gRPC can not be served on ${host}:${port}; set GRPC_PORT or LISTEN_HOST to others`, { cause }));
    });
  });
  return { port: bound, close: () => closeServer(server) };
}

function serverCredentials(tls: GrpcTls | undefined): ServerCredentials {
  return tls
    ? ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true)
    : ServerCredentials.createInsecure();
}

function sameSecret(given: string | Buffer | undefined, expected: Buffer): boolean {
  const bytes = Buffer.from(given ?? "");
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.forceShutdown();
      // A connection that never spoke gRPC is none to the server, and keeps its shutdown from ending.
      resolve();
    }, 2_000);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
