/** Loaded before a program (`node --require`): its wall clock is off by LAB_CLOCK_SHIFT_MS. */

const shiftMs = Number(process.env.LAB_CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shiftMs);
    else super(...args);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }
};
