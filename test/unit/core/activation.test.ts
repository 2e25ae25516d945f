import { describe, expect, it } from "vitest";
import { activate } from "../../../src/core/activation.ts";

const HOME = { HOME: "/home/ann", PATH: "/usr/bin:/bin", PYTHONHOME: "/old" };

function there(...paths: readonly string[]): (path: string) => boolean {
  return (path) => paths.includes(path);
}

describe("activate", () => {
  it("puts a virtual environment before everything else", () => {
    const found = activate({ kind: "venv", name: "/work/env" }, HOME, there("/work/env/bin/python"));
    expect(found).toEqual({
      variables: { HOME: "/home/ann", PATH: "/work/env/bin:/usr/bin:/bin", VIRTUAL_ENV: "/work/env" },
    });
  });

  it("does not put it there twice", () => {
    const wish = { kind: "venv", name: "/work/env" } as const;
    const once = activate(wish, HOME, () => true);
    if ("problem" in once) throw new Error(once.problem);
    expect(activate(wish, once.variables, () => true)).toEqual(once);
  });

  it("finds a conda environment where conda's own variables say", () => {
    const variables = { ...HOME, CONDA_EXE: "/sw/conda/bin/conda" };
    const found = activate({ kind: "conda", name: "torch" }, variables, there("/sw/conda/envs/torch/conda-meta"));
    expect(found).toMatchObject({
      variables: { CONDA_PREFIX: "/sw/conda/envs/torch", CONDA_DEFAULT_ENV: "torch" },
    });
  });

  it("finds it below the home, and base as the root itself", () => {
    const exists = there("/home/ann/miniconda3/conda-meta", "/home/ann/miniconda3/envs/a/conda-meta");
    expect(activate({ kind: "conda", name: "a" }, HOME, exists)).toMatchObject({
      variables: { PATH: "/home/ann/miniconda3/envs/a/bin:/usr/bin:/bin" },
    });
    expect(activate({ kind: "conda", name: "base" }, HOME, exists)).toMatchObject({
      variables: { CONDA_PREFIX: "/home/ann/miniconda3" },
    });
  });

  it("says what it looked for", () => {
    expect(activate({ kind: "conda", name: "torch" }, { CONDA_EXE: "/sw/bin/conda" }, () => false)).toEqual({
      problem:
        'no conda environment "torch": looked for conda-meta in /sw/envs/torch, /opt/conda/envs/torch, ' +
        "/opt/miniconda3/envs/torch, /opt/anaconda3/envs/torch, /opt/miniforge3/envs/torch",
    });
    expect(activate({ kind: "venv", name: "/x" }, HOME, there("/x"))).toEqual({
      problem: "no virtual environment /x: looked for /x/bin/python; it is none: python3 -m venv makes one",
    });
  });
});
