/** The closed list of errors that cross the wire. A new code is a minor version. */

/** Codes, each with whether trying again later can help. */
export const ERROR_CODES = {
  // Denials of the kernel, as core/decide/decision.ts names them.
  INVALID_JOB: { retryable: false },
  INVALID_STEP: { retryable: false },
  INVALID_UPDATE: { retryable: false },
  INVALID_DEPENDENCY: { retryable: false },
  INVALID_ARRAY: { retryable: false },
  INVALID_RESERVATION: { retryable: false },
  RESERVATION_BUSY: { retryable: false },
  RESERVATION_ACCESS: { retryable: false },
  INVALID_LICENSES: { retryable: false },
  INVALID_NODE: { retryable: false },
  INVALID_NODE_STATE: { retryable: false },
  NODE_BUSY: { retryable: false },
  INVALID_NODE_COUNT: { retryable: false },
  INVALID_FEATURE: { retryable: false },
  JOB_FINISHED: { retryable: false },
  NOT_RUNNING: { retryable: false },
  NOT_PENDING: { retryable: false },
  DISABLED: { retryable: false },
  NOT_WHOLE: { retryable: false },
  STEP_BUSY: { retryable: true },
  NOT_FEASIBLE: { retryable: false },
  INVALID_PARTITION: { retryable: false },
  PARTITION_IN_USE: { retryable: false },
  PARTITION_UNAVAILABLE: { retryable: false },
  INVALID_TIME_LIMIT: { retryable: false },
  NO_CAPACITY: { retryable: true },
  INVALID_ACCOUNT: { retryable: false },
  INVALID_QOS: { retryable: false },
  ACCOUNTING_POLICY: { retryable: false },
  QUEUE_FULL: { retryable: false },
  INVALID_POLICY: { retryable: false },
  POLICY_CHANGED: { retryable: true },
  PERMISSION: { retryable: false },
  // Of the shell around it.
  JOBS_RUNNING: { retryable: false },
  STORAGE: { retryable: true },
  SHUTTING_DOWN: { retryable: true },
  // Of a node or holder.
  LAUNCH: { retryable: false },
  UNKNOWN_STEP: { retryable: false },
  NODE_AWAY: { retryable: true },
  UNREADABLE: { retryable: false },
  NOT_HERE: { retryable: false },
  BAD_TOKEN: { retryable: false },
  INPUT_CLOSED: { retryable: false },
  SESSION_BUSY: { retryable: false },
  TAKEN_OVER: { retryable: false },
  READ_ONLY: { retryable: false },
  // Of the wire itself.
  BAD_PARAMS: { retryable: false },
  BAD_RESULT: { retryable: false },
  UNKNOWN_METHOD: { retryable: false },
  NO_HELLO: { retryable: false },
  VERSION: { retryable: false },
  TOO_LARGE: { retryable: false },
  TOO_MANY_CALLS: { retryable: true },
  MALFORMED: { retryable: false },
  CANCELLED: { retryable: false },
  DEADLINE: { retryable: true },
  LOST_CONTACT: { retryable: true },
  INTERNAL: { retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as a frame carries it. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/** An error of a call, on either side. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }

  /** The frame's form. */
  toWire(): WireError {
    const { code, message, hint } = this;
    return hint === undefined ? { code, message } : { code, message, hint };
  }
}

/** The inverse of {@link RpcError.toWire}; an unknown code of a newer peer becomes INTERNAL. */
export function fromWire(wire: { code: string; message: string; hint?: string | undefined }): RpcError {
  const code = Object.hasOwn(ERROR_CODES, wire.code) ? (wire.code as ErrorCode) : "INTERNAL";
  return new RpcError(code, wire.message, wire.hint);
}
