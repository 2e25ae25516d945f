/**
 * Environments of Python that a program runs in (--conda-env, --venv): where one may lie on a node, and what being in
 * it means for a program's variables. As `conda activate` and a venv's `bin/activate` set them, without their prompts
 * and without the scripts in a conda environment's etc/conda/activate.d. Pure.
 */

/** By a conda environment's name or folder, or by the absolute path of a virtual environment. */
export interface Activation {
  readonly kind: "conda" | "venv";
  readonly name: string;
}

type Variables = Readonly<Record<string, string>>;

/** Folders below a home, and of a machine, that conda and its relatives are installed in by default. */
const HOMES = ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda", "opt/miniconda3"];
const ROOTS = ["/opt/conda", "/opt/miniconda3", "/opt/anaconda3", "/opt/miniforge3"];

/** The variables of a program in an environment; or why it can't be in it: what was looked for, and where. */
export function activate(
  wish: Activation,
  variables: Variables,
  exists: (path: string) => boolean,
): { readonly variables: Variables } | { readonly problem: string } {
  const prefixes = wish.kind === "venv" ? [wish.name] : condaPrefixes(wish.name, variables);
  const marker = wish.kind === "venv" ? "bin/python" : "conda-meta";
  const prefix = prefixes.find((one) => exists(`${one}/${marker}`));
  if (prefix !== undefined) return { variables: inside(wish, prefix, variables) };
  if (wish.kind === "venv") {
    const hint = exists(wish.name) ? "it is none: python3 -m venv makes one" : "there is nothing of that name";
    return { problem: `no virtual environment ${wish.name}: looked for ${wish.name}/${marker}; ${hint}` };
  }
  return { problem: `no conda environment "${wish.name}": looked for ${marker} in ${prefixes.join(", ")}` };
}

/** Where a conda environment may be, the likeliest first, each once. */
function condaPrefixes(name: string, variables: Variables): string[] {
  if (name.startsWith("/")) return [name];
  const { CONDA_EXE, CONDA_ROOT, MAMBA_ROOT_PREFIX, CONDA_PREFIX, CONDA_ENVS_PATH, CONDA_ENVS_DIRS, HOME } = variables;
  const listed = [CONDA_ENVS_PATH, CONDA_ENVS_DIRS].flatMap((list) => list?.split(":") ?? []);
  const roots = [
    CONDA_EXE?.replace(/\/[^/]+\/[^/]+$/, ""),
    ...[CONDA_ROOT, MAMBA_ROOT_PREFIX],
    // Within an environment the prefix is that one's; outside of any it is the root.
    CONDA_PREFIX?.replace(/\/envs\/[^/]+$/, ""),
    ...(HOME ? HOMES.map((folder) => `${HOME}/${folder}`) : []),
    ...ROOTS,
  ].filter((root) => root?.startsWith("/"));
  const base = name === "base" || name === "root";
  const all = base
    ? roots
    : [...listed.filter(Boolean), ...roots.map((root) => `${root}/envs`)].map((folder) => `${folder}/${name}`);
  return [...new Set(all.filter((prefix) => prefix !== undefined))];
}

function inside({ kind, name }: Activation, prefix: string, variables: Variables): Variables {
  const { PYTHONHOME: _, ...kept } = variables;
  const paths = (kept.PATH ?? "/usr/local/bin:/usr/bin:/bin").split(":").filter((path) => path !== `${prefix}/bin`);
  const PATH = [`${prefix}/bin`, ...paths].join(":");
  if (kind === "venv") return { ...kept, PATH, VIRTUAL_ENV: prefix };
  return { ...kept, PATH, CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: name, CONDA_SHLVL: "1" };
}
