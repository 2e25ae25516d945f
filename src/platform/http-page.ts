/** A small web server that answers GET with pages of text, for metrics and probes. */

import { createServer } from "node:http";

export interface HttpPage {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Serves pages at an address until closed. Rejects with Node's error if it can't listen. */
export type ServePages = (
  at: { readonly host: string; readonly port: number },
  pageOf: (path: string) => Promise<HttpPage>,
) => Promise<{ readonly port: number; close(): void }>;

/** Milliseconds that a client may take for its request. */
const REQUEST_MS = 10_000;

/** Connections at a time: more are scrapers gone mad. */
const CONNECTIONS_MAX = 64;

/** The machine's own. */
export const servePages: ServePages = ({ host, port }, pageOf) =>
  new Promise((resolve, reject) => {
    const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
      const answer = ({ status, type, body }: HttpPage): void => {
        response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
        response.end(request.method === "HEAD" ? undefined : body);
      };
      const failed = { status: 500, type: "text/plain", body: "mgpuctld could not tell\n" };
      const refused = { status: 405, type: "text/plain", body: "only GET and HEAD\n" };
      if (request.method !== "GET" && request.method !== "HEAD") return answer(refused);
      pageOf((request.url ?? "/").replace(/\?.*$/s, "")).then(answer, () => answer(failed));
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address ? address.port : port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
