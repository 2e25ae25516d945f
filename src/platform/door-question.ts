/** The user's side of the door to root's controller: user-door.ts. */

import { createConnection } from "node:net";
import { dirname } from "node:path";

/** Beside the socket that only root can open. */
export const DOOR = "door.sock";

/** In root's folder for the user. */
export const USER_SOCKET = "controller.sock";

const ANSWER_MS = 10_000;
const ANSWER_CHARS_MAX = 1000;

/**
 * The user's side: where root's controller listens for a user, whose socket lies beside the door.
 * @param socket root's own, which only root can open
 * @throws Error with a sentence: what was answered instead of a path; Node's error if there is no door
 */
export function askAtDoor(socket: string, uid: number): Promise<string> {
  const runtime = dirname(socket);
  return new Promise((resolve, reject) => {
    const question = createConnection({ path: `${runtime}/${DOOR}` }, () => void question.write(`${uid}\n`));
    const timer = setTimeout(() => question.destroy(new Error("mgpu does not answer at its door")), ANSWER_MS);
    let text = "";
    question.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(0, ANSWER_CHARS_MAX);
    });
    question.once("error", reject);
    question.once("close", () => {
      clearTimeout(timer);
      const path = text.trim();
      // Nobody else's words lead us anywhere else.
      if (path === `${runtime}/${uid}/${USER_SOCKET}`) resolve(path);
      else reject(new Error(path || "mgpu does not answer at its door"));
    });
  });
}
