#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the project beside this file with untoward found in one way."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("way")
for name in ("source", "build", "work"):
    arguments.add_argument("--" + name, required=True, type=pathlib.Path)
for name in ("version", "compiler", "cmake", "generator", "eigen"):
    arguments.add_argument("--" + name, required=True)
options = arguments.parse_args()

here = pathlib.Path(__file__).resolve().parent
work = options.work / options.way
shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
major, minor, patch = (int(part) for part in options.version.split("."))


def run(*command, expect=0, **variables):
    environment = {**os.environ, **variables}
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", env=environment, check=False)
    if (done.returncode == 0) != (expect == 0):
        print("$", *command)
        print(done.stdout)
        sys.exit(f"{options.way}: ended with {done.returncode}")
    return done.stdout


def install(prefix):
    run(options.cmake, "--install", options.build, "--prefix", prefix)
    return prefix


def configure(way, *settings, expect=0):
    return run(options.cmake, "-S", here, "-B", work / "build", "-G", options.generator, f"-DWAY={way}",
               f"-DCMAKE_CXX_COMPILER={options.compiler}", "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", *settings,
               expect=expect)


def build_and_run(way, *settings):
    configure(way, *settings)
    run(options.cmake, "--build", work / "build")
    check(work / "build" / "consumer")


def compile_and_run(*flags):
    run(options.compiler, "-std=c++20", here / "main.cpp", "-o", work / "consumer", *flags)
    check(work / "consumer")


def check(program):
    said = run(program).strip()
    if said != f"untoward {options.version}":
        sys.exit(f"{options.way}: the program says '{said}', and the version is {options.version}")


def pkg_config(prefix):
    flags = run("pkg-config", "--cflags", "untoward", PKG_CONFIG_PATH=str(prefix / "share" / "pkgconfig")).split()
    said = run("pkg-config", "--modversion", "untoward", PKG_CONFIG_PATH=str(prefix / "share" / "pkgconfig")).strip()
    if said != options.version:
        sys.exit(f"pkg-config says version {said}")
    return flags


if options.way == "plain":
    compile_and_run("-I", options.source / "include", *(f"-isystem{folder}" for folder in options.eigen.split(":")))
elif options.way in ("add_subdirectory", "fetch_content", "own_eigen"):
    build_and_run(options.way, f"-DSOURCE={options.source}", f"-DEIGEN={options.eigen.replace(':', ';')}")
elif options.way == "find_package":
    build_and_run("find_package", f"-DCMAKE_PREFIX_PATH={install(work / 'prefix')}",
                  f"-DVERSION={major}.{minor}")
elif options.way == "relocated":
    install(work / "first")
    moved = (work / "first").rename(work / "then moved")
    build_and_run("find_package", f"-DCMAKE_PREFIX_PATH={moved}", f"-DVERSION={options.version}")
    (work / "then moved").rename(work / "again")
    if shutil.which("pkg-config"):
        compile_and_run(*pkg_config(work / "again"))
elif options.way == "wrong_version":
    prefix = install(work / "prefix")
    refused = [f"{major + 1}.0", f"{major}.{minor + 1}", f"{major}.{minor}.{patch + 1}"]
    if minor:
        refused.append(f"{major}.{minor - 1}")
    for version in refused:
        said = configure("find_package", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DVERSION={version}", expect=1)
        if f"version: {options.version}" not in said:
            sys.exit(f"version {version} was refused for another reason:\n{said}")
        shutil.rmtree(work / "build")
elif options.way == "pkg_config":
    compile_and_run(*pkg_config(install(work / "prefix")))
else:
    sys.exit(f"no way is called '{options.way}'")
print(f"{options.way}: untoward {options.version}")
