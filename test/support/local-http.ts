/** A plain HTTP server on a free loopback port that records what it was asked, for tests. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";

export interface SeenRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface LocalHttp {
  readonly origin: string;
  readonly server: Server;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

/** `handler` is called with the whole request; `seen` holds it already. */
export async function startLocalHttp(handler: (request: SeenRequest, response: ServerResponse) => void): Promise<LocalHttp> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      // The client went away.
      return;
    }
    const { method = "", url = "", headers, rawHeaders } = incoming;
    const request = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
    seen.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${port}`, server, seen, close };
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
