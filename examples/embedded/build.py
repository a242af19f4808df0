#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A bearing's detector on a microcontroller: fits one, exports it, builds the firmware, and runs it in an emulator.

    python3 examples/embedded/build.py --program build/programs/examples/untoward --work build/embedded

Debian: gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib libnewlib-arm-none-eabi qemu-system-arm. The commands are printed,
so that they can be copied into another build system; each is all there is to it.
"""
import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"

COMMON = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fno-exceptions", "-fno-rtti",
          "-ffp-contract=off"]  # the last: the same bits everywhere; leave it out for speed
# What a microcontroller needs besides. -Wno-psabi: GCC says that what it does now differs from GCC 9.
DEVICE = ["-mthumb", "-fno-threadsafe-statics", "-fno-math-errno", "-ffunction-sections", "-fdata-sections", "-DNDEBUG",
          "-Wno-psabi"]
LINK = ["--specs=nano.specs", "-nostartfiles", "-T", str(HERE / "cortex_m.ld"), "-Wl,--gc-sections"]
QEMU = ["qemu-system-arm", "-nographic", "-monitor", "none", "-serial", "none", "-semihosting", "-icount", "shift=0"]
TARGETS = {
    "m3": ["-mcpu=cortex-m3", "-mfloat-abi=soft"],
    "m4f": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "m7": ["-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "host": [],
    "aarch64": [],
}
MACHINES = {"m3": "mps2-an385", "m4f": "mps2-an386", "m7": "mps2-an500"}
COMPILERS = {"host": "g++", "aarch64": "aarch64-linux-gnu-g++"}


def run(command, **options):
    print(" ".join(shlex.quote(str(part)) for part in command), flush=True)
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


def compiler_of(target):
    return COMPILERS.get(target, "arm-none-eabi-g++")


def tools_of(target):
    """The programs that a target needs."""
    emulator = {"host": [], "aarch64": ["qemu-aarch64"]}.get(target, ["qemu-system-arm"])
    return [compiler_of(target), *emulator]


def missing_tools(target):
    return [tool for tool in tools_of(target) if shutil.which(tool) is None]


def system_flags(eigen):
    return [flag for folder in eigen for flag in ("-isystem", folder)]


def make_detector(program, work, eigen):
    """Normal windows, m.safetensors and detector.hpp in `work`."""
    run(["g++", "-std=c++20", "-O1", "-ffp-contract=off", "-I", INCLUDE, *system_flags(eigen), HERE / "windows.cpp", "-o",
         work / "windows"])
    for name, seed, rows in (("normal.csv", 1, 4000), ("other.csv", 2, 2000)):
        with open(work / name, "w", encoding="utf-8") as table:
            run([work / "windows", str(seed), str(rows)], stdout=table)
    run([program, "fit", work / "normal.csv", "--model", work / "m.safetensors", "--hidden", "32,16", "--latent", "4",
         "--score", "reconstruction-error + kl-divergence", "--quiet"])
    export_detector(program, work, work)


def export_detector(program, work, to, options=()):
    run([program, "export", work / "m.safetensors", "--header", to / "detector.hpp", "--namespace", "vibration", *options])


def build(target, optimisation, work, eigen, output, sources=None, more=(), example="main.cpp"):
    """Compiles and links the example for a target; or these sources."""
    is_device = target in MACHINES
    platform = "cortex_m.cpp" if is_device else "hosted.cpp"
    sources = sources or [HERE / example, HERE / platform]
    flags = [*COMMON, *TARGETS[target], *(DEVICE if is_device else ["-DUNTOWARD_PLAIN"]), optimisation, *more]
    link = LINK if is_device else ["-static"]
    run([compiler_of(target), *flags, "-I", work, "-I", HERE, "-I", INCLUDE, *system_flags(eigen), *sources, *link, "-o",
         output], cwd=work)


# All that a firmware needs to judge: what is in flash of it is the whole detector.
WHOLE = """#include <untoward/embedded.hpp>
#include "detector.hpp"
extern "C" bool entry(const float* x) { return %s::threshold.is_anomaly(%s::Detector::score(x)); }
"""


def symbols(image):
    """(size, kind, name) of everything in an image for a microcontroller."""
    listed = subprocess.run(["arm-none-eabi-nm", "-CS", image], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listed.splitlines():
        match = re.match(r"[0-9a-f]+ (?:([0-9a-f]+) )?(\w) (.*)", line)
        if match:
            yield int(match.group(1) or "0", 16), match.group(2), match.group(3)


def whole_flash(work, eigen, namespace="detector", target="m4f", optimisation="-Os"):
    """{weights, other constants, code, all}: bytes of flash of the detector in `work`/detector.hpp with score and threshold."""
    source, image = work / "whole.cpp", work / "whole"
    source.write_text(WHOLE % (namespace, namespace), encoding="utf-8")
    build(target, optimisation, work, eigen, image, [source], ["-Wl,-e,entry,-u,entry"])
    bytes_of = {"weights": 0, "constants": 0, "code": 0}
    for size, kind, name in symbols(image):
        is_weight = re.search(r"(Definition|Member_\d+)::(parameters|codes|scales|others)$", name)
        if kind not in "bB":
            bytes_of["code" if kind in "tTwW" else "weights" if is_weight else "constants"] += size
    listed = subprocess.run(["arm-none-eabi-size", image], stdout=subprocess.PIPE, text=True, check=True).stdout
    text, data = listed.splitlines()[1].split()[:2]
    bytes_of["all"] = int(text) + int(data)
    return bytes_of


def execute(target, image):
    """What the program writes."""
    command = [image]
    if target in MACHINES:
        command = [*QEMU, "-M", MACHINES[target], "-kernel", image]
    elif target == "aarch64":
        command = ["qemu-aarch64", image]
    # Semihosting writes to standard error. An emulator that waits for a keyboard would stop a script.
    done = run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    return done.stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", required=True, help="the program `untoward`")
    arguments.add_argument("--work", required=True, type=pathlib.Path, help="a folder to write to")
    arguments.add_argument("--target", choices=TARGETS, action="append", help="default: all")
    arguments.add_argument("--eigen", default=os.environ.get("EIGEN_INCLUDE", "/usr/include/eigen3"))
    arguments.add_argument("--weights", choices=["float32", "bfloat16", "int8"], default="float32")
    options = arguments.parse_args()
    program = pathlib.Path(options.program).resolve()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    make_detector(program, work, [options.eigen])
    if options.weights != "float32":
        export_detector(program, work, work, ["--weights", options.weights, "--normals", work / "other.csv"])
    for target in options.target or TARGETS:
        if missing_tools(target):
            print(f"{target}: left out, there is no {', '.join(missing_tools(target))}")
            continue
        examples = ["main", "training"] if options.weights == "float32" else ["main"]
        for example in examples:
            image = work / f"{example}-{target}"
            build(target, "-Os", work, [options.eigen], image, example=f"{example}.cpp")
            print(execute(target, image))
    return 0


if __name__ == "__main__":
    sys.exit(main())
