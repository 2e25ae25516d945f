/** What a person sees on a terminal: the output of a program as an emulator shows it. */

import { realScreen } from "../../../src/platform/screen.ts";

/** The screen's text and colours after some output, for a terminal of that size. */
export async function screenAfter(output: string, columns = 80, rows = 24): Promise<string> {
  const screen = await realScreen(columns, rows, 0);
  await screen.write(Buffer.from(output));
  const painted = screen.paint(0);
  screen.close();
  return painted;
}
