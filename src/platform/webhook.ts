/** Sends notices to web addresses: a few times, then it is in the log. Never waited for. */

import { createHmac } from "node:crypto";
import type { Log } from "./log.ts";

export interface Notice {
  readonly url: string;
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Notifier {
  /** Never waits; what fails for good is logged. */
  send(notice: Notice): void;
}

/** Pauses before further tries, milliseconds. */
const RETRIES_MS = [1000, 5000, 25_000];

/** How long an answer may take, milliseconds. */
const ANSWER_MS = 10_000;

/** Notices on their way; more are dropped, with a line in the log. */
const WAITING_MAX = 500;

/**
 * The machine's own.
 * @param secret signs each body, if not empty: `X-Mgpu-Signature: sha256=` and its HMAC-SHA-256 in hexadecimal
 */
export function realNotifier(secret: string, log: Log, retriesMs: readonly number[] = RETRIES_MS): Notifier {
  let waiting = 0;
  const post = async ({ url, type, body, headers }: Notice): Promise<string> => {
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const signed = secret === "" ? {} : { "x-mgpu-signature": `sha256=${signature}` };
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "user-agent": "mgpu", "content-type": type, ...headers, ...signed },
        body,
        // An address that sends us elsewhere could send us anywhere.
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await answer.body?.cancel();
      return answer.ok ? "" : `it answered ${answer.status}`;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message : String(cause);
    }
  };
  const deliver = async (notice: Notice): Promise<void> => {
    let problem = await post(notice);
    for (const pause of retriesMs) {
      if (problem === "") return;
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
      problem = await post(notice);
    }
    // The rest of an address is often a secret.
    if (problem !== "") log.warn("a notice was not delivered", { host: new URL(notice.url).host, problem });
  };
  return {
    send(notice) {
      if (waiting >= WAITING_MAX) {
        log.warn("a notice was dropped: too many wait for their addresses", { host: new URL(notice.url).host });
        return;
      }
      waiting += 1;
      void deliver(notice).finally(() => {
        waiting -= 1;
      });
    },
  };
}
