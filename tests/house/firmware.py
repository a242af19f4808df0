#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A detector as firmware uses it compiles without exceptions and RTTI, for a Cortex-M4 too where that compiler is."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--include", required=True)
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
options = arguments.parse_args()

image = pathlib.Path(__file__).resolve().parent.parent / "detector" / "firmware_image.hpp"
source = f'#include "{image}"\nextern "C" firmware::Answer judge(const firmware::Numbers* n, const float* x);\n' \
         "firmware::Answer judge(const firmware::Numbers* n, const float* x) { return firmware::judge(*n, x); }\n"
common = ["-std=c++20", "-Os", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fno-exceptions", "-fno-rtti",
          "-I", options.include]
for folder in filter(None, options.system.split(":")):
    common += ["-isystem", folder]
device = ["-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-DNDEBUG", "-DEIGEN_NO_MALLOC",
          "-DEIGEN_DONT_VECTORIZE", "-DEIGEN_MAX_STATIC_ALIGN_BYTES=0", "-ffunction-sections"]
failures = tried = 0
with tempfile.TemporaryDirectory() as scratch:
    for compiler, flags in (("g++", []), ("clang++", ["-Wno-return-type-c-linkage"]), ("arm-none-eabi-g++", device)):
        if not shutil.which(compiler):
            print(f"{compiler}: not found, left out")
            continue
        tried += 1
        done = subprocess.run([compiler, *common, *flags, "-x", "c++", "-c", "-", "-o", f"{scratch}/image.o"], input=source,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        failures += done.returncode != 0
        print(f"{compiler}: {'compiles' if done.returncode == 0 else done.stdout[:4000]}")
sys.exit(1 if failures or not tried else 0)
