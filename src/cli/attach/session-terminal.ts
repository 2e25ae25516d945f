/**
 * The user's terminal as a session has it: what is typed goes to the steps, what the session says stands in a line of
 * its own, and the keys of the client do what they are for.
 */

import type { CommandContext } from "../context.ts";
import type { Speaker } from "./speaker.ts";
import { StatusLine } from "./status-line.ts";
import type { AttachedStep } from "./step.ts";
import { TerminalInput } from "./terminal-input.ts";
import { type TerminalActions, type TerminalPlan, TerminalView } from "./terminal-view.ts";

export interface SessionTerminalPorts {
  readonly context: CommandContext;
  readonly speaker: Speaker;
  /** The steps that are shown. */
  readonly steps: () => readonly AttachedStep[];
  /** Turns away from the program, which runs on. */
  readonly detach: () => void;
  /** Ends the job. */
  readonly kill: () => Promise<void>;
  /** Something went wrong that ends the session. */
  readonly fail: (error: unknown) => void;
}

export class SessionTerminal {
  readonly view: TerminalView;
  private readonly ports: SessionTerminalPorts;
  private readonly status: StatusLine;
  private readonly typing: TerminalInput;

  constructor(plan: TerminalPlan, ports: SessionTerminalPorts) {
    this.ports = ports;
    const { context } = ports;
    this.view = new TerminalView(plan, context, this.actions());
    this.typing = new TerminalInput(async (offset, data) => {
      const results = await Promise.all(ports.steps().map((step) => step.input(null, offset, data, false)));
      return results.some(Boolean);
    });
    this.status = new StatusLine({
      clock: context.clock,
      out: (text) => context.stdio.out(text),
      size: () => context.session.terminal.size(),
      redraw: () => this.toSteps((step) => step.redraw()),
    });
  }

  /** Takes over the terminal. */
  start(): void {
    const { context, speaker, fail } = this.ports;
    this.view.start();
    if (this.view.isRaw) speaker.overlay = (line) => this.status.show(line);
    this.typing.forward(context.session.input, (chunk) => this.typed(chunk)).catch(fail);
  }

  /** Gives the terminal back. */
  leave(): void {
    this.status.wipe();
    this.view.stop();
    this.ports.speaker.overlay = null;
  }

  /** A picture of the program's screen. */
  screen(picture: Parameters<TerminalView["screen"]>[0]): void {
    this.status.drawn();
    this.view.screen(picture);
  }

  private typed(chunk: Uint8Array): Uint8Array {
    this.status.clear();
    return this.view.typed(chunk);
  }

  private actions(): TerminalActions {
    const { context, detach, kill, fail } = this.ports;
    return {
      detach,
      kill: () => void kill().catch(fail),
      redraw: () => this.toSteps((step) => step.redraw()),
      resize: ({ columns, rows }) => this.toSteps((step) => step.resize(columns, rows)),
      say: (text) => this.status.show(`${context.program}: ${text}`, true),
      type: (bytes) => this.typing.push(bytes),
    };
  }

  private toSteps(send: (step: AttachedStep) => Promise<void>): void {
    Promise.all(this.ports.steps().map(send)).catch(this.ports.fail);
  }
}
