/** A small client of the controller: the wire as src/protocol/envelope.ts describes it, without its checks. */

import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { userInfo } from "node:os";
import { Packr } from "msgpackr/pack";

const PROTOCOL = { major: 1, minor: 0 };
const PREFIX_BYTES = 4;
const [CALL, ANSWER, NOTIFY] = [0, 1, 2];

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: "number" });

export class Client {
  #socket;
  #lastId = 0;
  /** @type {Map<number, {resolve: Function, reject: Function, onItem?: Function}>} */
  #open = new Map();
  #rest = Buffer.alloc(0);

  /**
   * Connects and says hello.
   * @param {string} home the state folder
   * @param {"client" | "node"} [role]
   */
  static async connect(home, role = "client") {
    const { socket } = JSON.parse(readFileSync(`${home}/endpoint.json`, "utf8"));
    const client = new Client(createConnection({ path: socket }));
    const { uid, gid, username: name } = userInfo();
    await client.call("hello", { role, protocol: PROTOCOL, version: "bench", user: { uid, gid, name } });
    return client;
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.once("error", (error) => this.#end(error));
    socket.once("close", () => this.#end(new Error("the controller closed the connection")));
  }

  /** @returns {Promise<any>} */
  call(method, params) {
    return this.#begin(method, params);
  }

  /** @returns {Promise<any[]>} all items */
  async collect(method, params) {
    const items = [];
    await this.#begin(method, params, (item) => items.push(item));
    return items;
  }

  /** Begins a stream that does not end; its items are thrown away. Fails when the connection ends. */
  watch(method, params) {
    return this.#begin(method, params, () => {});
  }

  close() {
    this.#socket.end();
  }

  #begin(method, params, onItem) {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#open.set(id, { resolve, reject, onItem });
      this.#send([CALL, id, method, params]);
    });
  }

  #send(value) {
    const body = packr.pack(value);
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
    frame.writeUInt32BE(body.length);
    frame.set(body, PREFIX_BYTES);
    this.#socket.write(frame);
  }

  #onData(chunk) {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      const end = at + PREFIX_BYTES + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      this.#onFrame(packr.unpack(bytes.subarray(at + PREFIX_BYTES, end)), end - at);
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  #onFrame([type, idOrMethod, errorOrParams, result], bytes) {
    // A sign of life; else this side counts as gone.
    if (type === CALL && errorOrParams === "ping") this.#send([ANSWER, idOrMethod, null, { now: Date.now() }]);
    else if (type === ANSWER) {
      const call = this.#open.get(idOrMethod);
      this.#open.delete(idOrMethod);
      if (errorOrParams === null) call?.resolve(result);
      else call?.reject(new Error(`${errorOrParams.code}: ${errorOrParams.message}`));
    } else if (type === NOTIFY && idOrMethod === "stream.item") {
      const { call, value } = errorOrParams;
      this.#open.get(call)?.onItem?.(value);
      this.#send([NOTIFY, "stream.ack", { call, bytes }]);
    }
  }

  #end(error) {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}
