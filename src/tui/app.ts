/** The screen at work: keys and news go through the model, what it says is drawn, what it asks for is done. */

import { sleep } from "../platform/clock.ts";
import { createDemoSource } from "./demo-source.ts";
import { paintScreen } from "./draw/screen.ts";
import { createFrames } from "./frame.ts";
import { createKeyDecoder, ESCAPE_MS } from "./keys.ts";
import { createLiveSource } from "./live.ts";
import { createModel, type Effect, type Message, type Model } from "./model.ts";
import { createPainter } from "./painter.ts";
import type { Source, TuiPorts, TuiRequest } from "./ports.ts";
import { sentence } from "./sentence.ts";
import { update } from "./update.ts";

/** Frames are this far apart at least, in milliseconds. */
const FRAME_MS = 40;

/** Times are shown in seconds. */
const TICK_MS = 1000;

/** A busy morning. */
const DEMO_JOBS = 160;

const EXIT_SIGNAL = 128;
const SIGTERM = 15;
const SIGHUP = 1;
const SIGINT = 2;

/**
 * Shows the screen until it is left.
 * @returns the exit code: 0 when the user left, 128 and the signal's number after a signal
 * @throws what `connect` throws where there is no controller
 */
export async function runTui(ports: TuiPorts, request: TuiRequest): Promise<number> {
  const source = request.isDemo ? createDemoSource(ports.clock, DEMO_JOBS) : createLiveSource(ports);
  const app = new App(ports, request, source);
  return app.run();
}

class App {
  private readonly ports: TuiPorts;
  private readonly source: Source;
  private model: Model;
  private readonly frames;
  private readonly hasColours: boolean;
  private isFrameDue = false;
  private isAway = true;
  private restoreTerminal = (): void => {};
  private stopEscape = (): void => {};
  private stopTick = (): void => {};
  private isOver = false;
  private finish: (code: number) => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor(ports: TuiPorts, request: TuiRequest, source: Source) {
    const { environment, session, clock, user } = ports;
    this.ports = ports;
    this.source = source;
    this.hasColours = (environment.NO_COLOR ?? "") === "" && environment.TERM !== "dumb";
    const painter = createPainter((text) => ports.stdio.out(text));
    this.frames = createFrames(clock, painter, ports.loadInk);
    const size = session.terminal.size() ?? { columns: 80, rows: 24 };
    const isAscii = request.isAscii || !isUtf8(environment);
    this.model = createModel({
      ...size,
      nowMs: clock.now(),
      user,
      ...request,
      isAscii,
      utcOffset: ports.utcOffsetMinutes,
    });
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    // Before the screen is taken: what a start of the daemons says stays readable, and so does a refusal.
    await this.source.open((message) => this.take(message));
    const stopSignals = this.hearSignals();
    try {
      this.enter();
      this.tick();
      return await ended;
    } finally {
      this.isOver = true;
      this.stopTick();
      this.stopEscape();
      this.leave();
      this.source.close();
      this.frames.close();
      for (const stop of stopSignals) stop();
    }
  }

  private hearSignals(): (() => void)[] {
    const { session } = this.ports;
    const end = (signal: number) => () => this.finish(EXIT_SIGNAL + signal);
    return [
      session.onSignal("SIGTERM", end(SIGTERM)),
      session.onSignal("SIGHUP", end(SIGHUP)),
      session.onSignal("SIGINT", end(SIGINT)),
      session.onSignal("SIGWINCH", () => this.resize()),
    ];
  }

  private resize(): void {
    const size = this.ports.session.terminal.size();
    if (!size) return;
    this.frames.forget();
    this.take({ type: "size", ...size });
  }

  private tick(): void {
    this.stopTick = this.ports.clock.after(TICK_MS, () => {
      this.take({ type: "tick", nowMs: this.ports.clock.now() });
      this.tick();
    });
  }

  private enter(): void {
    const { terminal, input } = this.ports.session;
    const leaveScreen = terminal.fullScreen();
    const leaveRaw = terminal.raw(true);
    const keys = createKeyDecoder();
    this.isAway = false;
    let isStopped = false;
    this.restoreTerminal = () => {
      isStopped = true;
      input.stop();
      leaveRaw();
      leaveScreen();
    };
    input
      .read(async (chunk) => {
        this.stopEscape();
        for (const key of keys.feed(chunk)) this.take({ type: "key", key });
        if (!keys.isWaiting) return;
        this.stopEscape = this.ports.clock.after(ESCAPE_MS, () => {
          for (const key of keys.flush()) this.take({ type: "key", key });
        });
      })
      // A terminal whose input is over is gone.
      .then(() => !isStopped && this.finish(EXIT_SIGNAL + SIGHUP), this.fail);
    this.frames.forget();
    this.resize();
  }

  private leave(): void {
    if (this.isAway) return;
    this.isAway = true;
    this.restoreTerminal();
  }

  private take(message: Message): void {
    if (this.isOver) return;
    try {
      const { model, effects } = update(this.model, message);
      this.model = model;
      for (const effect of effects) this.perform(effect);
      this.draw();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Soon: a burst of news makes one frame. */
  private draw(): void {
    if (this.isFrameDue) return;
    this.isFrameDue = true;
    this.ports.clock.after(FRAME_MS, () => {
      this.isFrameDue = false;
      if (this.isAway || this.isOver) return;
      try {
        this.frames.show(paintScreen(this.model, this.hasColours), this.model.columns);
      } catch (error) {
        this.fail(error);
      }
    });
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case "quit":
        return this.finish(0);
      case "suspend":
        return this.suspend();
      case "repaint":
        return this.frames.forget();
      case "log":
        return this.source.follow(effect.job);
      case "attach":
        this.attach(effect.label).catch((error: unknown) => this.tellTrouble(error));
        return;
      case "detail":
        this.source.detail(effect.jobId).then(
          (text) => this.take({ type: "detail", jobId: effect.jobId, text }),
          (error: unknown) => this.take({ type: "detail", jobId: effect.jobId, text: sentence(error) }),
        );
        return;
      case "past":
        this.source.past(effect.atMs).then(
          (rows) => this.take({ type: "past", atMs: effect.atMs, rows, problem: "" }),
          (error: unknown) => this.take({ type: "past", atMs: effect.atMs, rows: [], problem: sentence(error) }),
        );
        return;
      case "do":
        this.source.act(effect.deed).then(
          (text) => this.take({ type: "told", text, isError: false }),
          (error: unknown) => this.tellTrouble(error),
        );
        return;
    }
  }

  private tellTrouble(error: unknown): void {
    this.take({ type: "told", text: sentence(error), isError: true });
  }

  private suspend(): void {
    this.leave();
    this.ports.session.terminal.suspend();
    // Stopped here until the shell lets us go on.
    this.enter();
  }

  /** The terminal belongs to mgpu-sattach until that ends. */
  private async attach(label: string): Promise<void> {
    const { session, launcherFolder, environment, stdio, clock } = this.ports;
    this.leave();
    stdio.out(`mgpu-sattach ${label}\n`);
    try {
      const child = await session.startChild({
        argv: [`${launcherFolder}/mgpu-sattach`, label],
        environment: Object.fromEntries(
          Object.entries(environment).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
        ),
        isApart: false,
      });
      const { code, signal } = await child.exited;
      // What it said last should be read before it is painted over.
      if (code !== 0 || signal !== 0) await sleep(clock, READ_MS);
      this.take({ type: "told", text: `mgpu-sattach ${label} has ended (${code || signal})`, isError: code !== 0 });
    } finally {
      if (!this.isOver) this.enter();
    }
  }
}

/** Time to read a refusal. */
const READ_MS = 1500;

/** Whether the locale says that letters beyond ASCII can be shown. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}
