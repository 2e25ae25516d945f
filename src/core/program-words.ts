/** The program file that a command line is about, read without a shell. Pure. */

/** Programs that run a file which is named to them, and their options that may stand before it. */
const INTERPRETER = /^(sh|bash|dash|ksh|zsh|python\d*(\.\d+)*|pypy\d*(\.\d+)*|perl|ruby|node|julia|Rscript)$/;
const PLAIN_OPTION = /^-(u|O|OO|B|E|I|s|e|x|l|w|W[A-Za-z:]*|X[a-z_=]*)$/;

/** Where interpreters are taken from that are in no allowed folder. */
export const INTERPRETER_FOLDERS: readonly string[] = ["/usr/bin", "/bin", "/usr/local/bin"];

/** What is to be looked at: a program, and the file that it runs where it is an interpreter. */
export interface ProgramWords {
  readonly program: string;
  /** `null` where the program itself is what counts. */
  readonly file: string | null;
}

/** Words of a command that a shell would take as they are; one sentence if it does more than to run a program. */
export function plainWords(text: string): readonly string[] | { readonly problem: string } {
  const words: string[] = [];
  const word = /[ \t]*((?:'[^']*'|"[^"$`\\!]*"|[A-Za-z0-9_@%+=:,./-])+)(?=[ \t]|$)/y;
  const line = text.trim();
  for (let at = 0; at < line.length; at = word.lastIndex) {
    word.lastIndex = at;
    const match = word.exec(line);
    if (!match) return { problem: "its command is more than a program with plain words" };
    words.push((match[1] ?? "").replace(/'([^']*)'|"([^"]*)"/g, (_, one, other) => one ?? other ?? ""));
  }
  if (words.length === 0) return { problem: "there is no program to run" };
  return /=/.test(words[0] ?? "") ? { problem: "its command sets variables" } : words;
}

/** Which file a program's words run. */
export function programOf(argv: readonly string[]): ProgramWords | { readonly problem: string } {
  const [program = "", ...args] = argv;
  if (program === "") return { problem: "there is no program to run" };
  if (!INTERPRETER.test(program.split("/").at(-1) ?? "")) return { program, file: null };
  const at = args.findIndex((word) => !PLAIN_OPTION.test(word));
  const file = args[at];
  if (file === undefined || file.startsWith("-")) {
    return { problem: `${program} is given ${file === undefined ? "no file" : file} to run` };
  }
  return { program, file };
}
