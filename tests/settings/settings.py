#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of compilers, their settings and instruction sets: every kernel, product and rule, and a training against
PyTorch's, built and run in each.

    tests/settings/settings.py [--only REGEX] [--kernels] [--jobs N] [--out DIR]

The last line says how many cells are right. --kernels leaves the rules out. Needs Catch2, Eigen, and lld for clang++ -flto.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
SETTINGS = ["-O0", "-O1", "-O2", "-O3", "-O3 -march=native", "-O3 -march=x86-64-v3", "-O3 -march=x86-64-v4", "-O2 -flto",
            "-Os"]
SETS = ["baseline", "avx2", "avx512"]
OTHERS = ["settings/only_set.cpp", "support/main.cpp", "support/allocation.cpp"]
KERNELS = ["core/optimised.cpp"]
RULES = ["autodiff/rules_" + name + ".cpp" for name in (
    "activations", "affine", "arithmetic", "elementwise", "gather", "groups", "layout", "matrices", "pooling", "reduce",
    "rows", "softmax")] + ["nn/" + name + ".cpp" for name in ("attention", "convolutions", "normalisation", "recurrent")]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **options)


def features():
    """What this processor has, as /proc/cpuinfo says."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^flags\s*: (.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="settings, as 'compiler flags', that this expression finds")
    parser.add_argument("--kernels", action="store_true", help="without the rules")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", default="build/settings", type=pathlib.Path)
    parser.add_argument("--eigen", default="/usr/include/eigen3")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    has = features()
    sets = SETS[:3 if {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= has else 2 if {"avx2", "fma"} <= has else 1]
    sources = {name: TESTS / name for name in KERNELS}
    if not options.kernels:  # several as one source, which is compiled in two thirds of the time
        # A file that sets the library's macros is a program of its own.
        alone = {name for name in RULES if "#define UNTOWARD_" in (TESTS / name).read_text(encoding="utf-8")}
        sources |= {name: TESTS / name for name in sorted(alone)}
        together = [name for name in RULES if name not in alone]
        for k in range(0, len(together), 4):
            name = f"rules_{k // 4 + 1}"
            sources[name] = options.out / f"{name}.cpp"
            subprocess.run([sys.executable, "-B", TESTS / "support/groups.py", "--tests", TESTS, "--output", sources[name],
                            *together[k:k + 4]], check=True)
    # Catch2 version 2 brings its main program as a header.
    common = ["-std=c++20", "-UNDEBUG", "-w", "-I", str(TESTS), "-I", str(TESTS.parent / "include"), "-isystem",
              options.eigen]

    def build(compiler, flags, source):
        """Compiles a source, with its main program and what chooses the set; what went wrong, or an empty text."""
        folder = options.out / re.sub(r"[^a-z0-9+]+", "_", f"{compiler} {flags}".lower())
        folder.mkdir(exist_ok=True)
        name = source.replace("/", "_")
        objects = []
        for one in (sources[source], *(TESTS / other for other in OTHERS)):
            objects.append(folder / f"{name}.{one.stem}.o")
            done = run([compiler, *common, *flags.split(), "-c", str(one), "-o", str(objects[-1])])
            if done.returncode:
                return None, done.stdout
        linker = ["-fuse-ld=lld"] if "-flto" in flags and compiler == "clang++" else []
        program = folder / name.removesuffix(".cpp")
        done = run([compiler, *flags.split(), *linker, *map(str, objects), "-o", str(program)])
        for one in objects:
            one.unlink()
        return program, "" if done.returncode == 0 else done.stdout

    wanted = [(compiler, flags) for flags in SETTINGS for compiler in ("g++", "clang++")
              if shutil.which(compiler) and re.search(options.only, f"{compiler} {flags}")
              and ("v4" not in flags or "avx512f" in has) and ("v3" not in flags or "avx2" in has)]
    if not wanted:
        sys.exit(f"no setting matches {options.only!r}")
    began = time.time()
    results, problems = {}, []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {(compiler, flags): [(source, pool.submit(build, compiler, flags, source)) for source in sources]
                for compiler, flags in wanted}
        for (compiler, flags), builds in jobs.items():
            programs, is_built = [], True
            for source, job in builds:
                program, problem = job.result()
                programs.append((source, program))
                if problem:
                    is_built = False
                    problems.append(f"{compiler} {flags}: {source} cannot be built\n{problem[:2000]}")
            for name in sets:
                assertions, wrong = 0, not is_built
                for source, program in programs if is_built else []:
                    done = run([str(program.resolve())], env={**os.environ, "UNTOWARD_TEST_SET": name}, cwd=options.out)
                    summary = re.search(r"All tests passed \((\d+) assertion", done.stdout)
                    if done.returncode or summary is None:
                        wrong = True
                        problems.append(f"{compiler} {flags}, {name}, {source}:\n{done.stdout[-3000:]}")
                    else:
                        assertions += int(summary.group(1))
                results[compiler, flags, name] = (f"right ({assertions})" if not wrong else
                                                  "WRONG" if is_built else "not built")
                print(f"{time.time() - began:6.0f} s  {compiler} {flags}, {name}: {results[compiler, flags, name]}", flush=True)
            for _, program in programs:
                if program is not None:
                    program.unlink(missing_ok=True)

    compilers = list(dict.fromkeys(compiler for compiler, _ in wanted))
    print("\n| settings | " + " | ".join(f"{c}, {s}" for c in compilers for s in sets) + " | the fault without the library |")
    print("| --- |" + " --- |" * (len(compilers) * len(sets) + 1))
    for flags in dict.fromkeys(flags for _, flags in wanted):
        faults = []
        for compiler in compilers:
            program = options.out / "conditional_vectors"
            alone = run([compiler, "-w", *flags.split(), *(["-fuse-ld=lld"] if "lto" in flags and compiler != "g++" else []),
                         str(TESTS / "settings/conditional_vectors.cpp"), "-o", str(program)])
            said = run([str(program.resolve())]).stdout if alone.returncode == 0 else alone.stdout
            faults.append(f"{compiler}: {said.split()[-1] if said.split() else '?'}")
        cells = [results.get((c, flags, s), "") for c in compilers for s in sets]
        print(f"| `{flags}` | " + " | ".join(cells) + " | " + ", ".join(faults) + " |")
    print(*problems, sep="\n\n")
    right = sum(result.startswith("right") for result in results.values())
    print(f"{right} of {len(results)} right, {time.time() - began:.0f} s")
    return 0 if right == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
