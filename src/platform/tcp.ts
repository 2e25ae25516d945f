/** TCP on the loopback addresses of this machine, for tunnels to the ports of programs. */

import { createConnection, createServer, type Socket } from "node:net";

/** One open connection. */
export interface TcpStream {
  /** Calls `onData` with what arrives, while not paused, and `onEnd` once: at its end or failure. */
  start(onData: (chunk: Uint8Array) => void, onEnd: () => void): void;
  /** Resolves when what was written has left this process, or can't any more. */
  write(data: Uint8Array): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends our side once all is written. */
  end(): void;
  destroy(): void;
}

export interface Tcp {
  /**
   * Listens on 127.0.0.1.
   * @param port 0 for any that is free
   * @returns the port; rejects with Node's error
   */
  listen(port: number, accept: (stream: TcpStream) => void): Promise<{ readonly port: number; close(): void }>;
  /** Connects to a port of this machine. Failures end the stream; `failed` hears the system's code. */
  connect(port: number, failed: (code: string) => void): TcpStream;
}

/** The machine's own. */
export function realTcp(): Tcp {
  return {
    listen: (port, accept) =>
      new Promise((resolve, reject) => {
        // Half a connection may be closed before the other: many protocols do so.
        const server = createServer({ allowHalfOpen: true }, (socket) => accept(streamOf(socket)));
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          const address = server.address();
          resolve({ port: typeof address === "object" && address ? address.port : port, close: () => server.close() });
        });
      }),
    connect(port, failed) {
      const socket = createConnection({ port, host: "localhost", allowHalfOpen: true });
      socket.once("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      return streamOf(socket);
    },
  };
}

function streamOf(socket: Socket): TcpStream {
  socket.setNoDelay(true);
  // What went wrong is seen as an end.
  socket.on("error", () => {});
  return {
    start(onData, onEnd) {
      let isOver = false;
      const over = (): void => {
        if (!isOver) onEnd();
        isOver = true;
      };
      socket.on("data", onData);
      socket.once("end", over);
      socket.once("close", over);
    },
    write: (data) => new Promise((resolve) => void socket.write(data, () => resolve())),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}
