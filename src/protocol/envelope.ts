/**
 * Frames: a u32 big-endian length, then one MessagePack array shaped as in the MessagePack-RPC specification.
 *
 *   [0, id, method, params]    a call; ids are chosen by the caller, 1 upwards on each connection
 *   [1, id, error, result]     its one and only answer; `error` is null or {code, message, hint?}
 *   [2, method, params]        a notification
 *
 * A call may stream while it is open. Stream frames are notifications that name the call:
 *
 *   stream.item   {call, value}   from the answering side
 *   stream.ack    {call, bytes}   from the calling side: so many more bytes of items were consumed
 *   call.cancel   {call}          from the calling side: stop; the answer still comes (CANCELLED)
 *
 * `bytes` counts whole frames as sent, length prefix included. The answering side stops sending items when
 * STREAM_WINDOW bytes are not acknowledged.
 */

/** Same major: they understand each other. A new optional field or procedure is a new minor. */
export const PROTOCOL = { major: 1, minor: 0 } as const;

/** Largest frame after hello: a script or an environment must fit. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** Largest frame before hello was accepted. */
export const FRAME_BYTES_MAX_BEFORE_HELLO = 4096;

/** Calls a peer may have open on one connection. */
export const CALLS_IN_FLIGHT_MAX = 1024;

/** Unacknowledged bytes of one stream: large enough for full speed on a LAN, small enough to hold in memory. */
export const STREAM_WINDOW_BYTES = 256 * 1024;

/** Deepest nesting of maps and arrays in a frame; the deepest legal message has fewer than 12 levels. */
export const NESTING_MAX = 32;

/** Deadline of a call that names none, in milliseconds. */
export const CALL_DEADLINE_MS = 30_000;

export const FRAME_CALL = 0;
export const FRAME_ANSWER = 1;
export const FRAME_NOTIFY = 2;
