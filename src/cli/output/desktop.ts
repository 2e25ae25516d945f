/**
 * --notify=desktop: a notice of the terminal's own, by the control sequences that terminals know for it: OSC 9 (iTerm2 and
 * most others), or OSC 777 of urxvt where that is what the terminal understands (VTE, foot). tmux and screen pass it on
 * when it is wrapped; tmux only with `allow-passthrough on`.
 */

import type { CommandContext } from "../context.ts";

type Variables = CommandContext["environment"];

/** Tells the terminal, if stderr is one. */
export function tellDesktop({ stdio, environment }: Pick<CommandContext, "stdio" | "environment">, text: string): void {
  if (stdio.stderrIsTerminal) stdio.err(desktopSequence(text, environment));
}

/** The characters that make a terminal show a notice. What would end them early is left out of the text. */
export function desktopSequence(text: string, environment: Variables): string {
  const plain = text.replace(/\p{Cc}/gu, " ");
  const { TERM = "", VTE_VERSION, TMUX, STY } = environment;
  const speaks777 = VTE_VERSION !== undefined || /^(?:rxvt|foot)/.test(TERM);
  const sequence = speaks777
    ? `\x1b]777;notify;mgpu;${plain.replaceAll(";", ",")}\x1b\\`
    : // Digits and a semicolon at the start would be another command of OSC 9.
      `\x1b]9;${plain.replace(/^(?=\d+;)/, " ")}\x1b\\`;
  if (TMUX) return `\x1bPtmux;${sequence.replaceAll("\x1b", "\x1b\x1b")}\x1b\\`;
  // screen ends its own string at the first ST: a bell ends ours there.
  return STY ? `\x1bP${sequence.replace(/\x1b\\$/, "\x07")}\x1b\\` : sequence;
}
