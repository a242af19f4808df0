#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the project beside this file with untoward found in one way."""
import argparse
import json
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
arguments.add_argument("--not-installed", dest="installed", action="store_false", help="UNTOWARD_INSTALL is off")
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


def check(program, finding=""):
    said = run(program).strip()
    if said != f"untoward {options.version}" + (finding and f": {finding}"):
        sys.exit(f"{options.way}: the program says '{said}', and the version is {options.version}")


def pkg_config(prefix):
    flags = run("pkg-config", "--cflags", "untoward", PKG_CONFIG_PATH=str(prefix / "share" / "pkgconfig")).split()
    said = run("pkg-config", "--modversion", "untoward", PKG_CONFIG_PATH=str(prefix / "share" / "pkgconfig")).strip()
    if said != options.version:
        sys.exit(f"pkg-config says version {said}")
    return flags


def made_up_eigen(version):
    """A package of Eigen that calls itself `version`, accepts its own major version only, and is the headers here."""
    folder = work / f"eigen-{version}"
    folder.mkdir()
    (folder / "Eigen3Config.cmake").write_text(f"""
message(STATUS "A made-up Eigen {version} is used")
add_library(Eigen3::Eigen INTERFACE IMPORTED)
set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "{options.eigen.replace(':', ';')}")
""", encoding="utf-8")
    (folder / "Eigen3ConfigVersion.cmake").write_text(f"""
set(PACKAGE_VERSION "{version}")
set(PACKAGE_VERSION_COMPATIBLE FALSE)
if(NOT PACKAGE_FIND_VERSION_RANGE AND PACKAGE_FIND_VERSION_MAJOR EQUAL {version.split('.')[0]}
        AND PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
""", encoding="utf-8")
    return folder


def in_tree_and_installed():
    """Both ways to the library that look for Eigen: the name, its settings, and the folders to search."""
    yield "add_subdirectory", (f"-DSOURCE={options.source}",), ()
    if options.installed:
        yield "find_package", (f"-DVERSION={options.version}",), (install(work / "prefix"),)


def prefixes(*folders):
    return "-DCMAKE_PREFIX_PATH=" + ";".join(str(folder) for folder in folders)


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
elif options.way == "eigen5":
    eigen, old = made_up_eigen("5.0.1"), made_up_eigen("3.3.9")
    for way, settings, folders in in_tree_and_installed():
        for where in ((prefixes(*folders, eigen), "-DONLY_PREFIXES=ON"),  # the only one there is
                      (prefixes(*folders, eigen),),  # before the system's 3.4
                      (prefixes(*folders, old, eigen),),  # behind one that is refused
                      (prefixes(*folders), f"-DEigen3_DIR={eigen}")):
            said = configure(way, *settings, *where)
            if said.count("A made-up Eigen") != 1 or "A made-up Eigen 5.0.1 is used" not in said:
                sys.exit(f"{way}, {' '.join(where)}: Eigen 5.0.1 was not used:\n{said}")
            # A second run finds what the first one kept.
            if "A made-up Eigen 5.0.1 is used" not in run(options.cmake, work / "build"):
                sys.exit(f"{way}, {' '.join(where)}: the second run used another Eigen")
            if "-DEigen3_DIR" in where[-1]:
                run(options.cmake, "--build", work / "build")
                check(work / "build" / "consumer")
            shutil.rmtree(work / "build")
elif options.way == "wrong_eigen":
    for version in ("3.3.9", "4.0.0", "6.0.0"):
        eigen = made_up_eigen(version)
        for way, settings, folders in in_tree_and_installed():
            said = configure(way, *settings, prefixes(*folders, eigen), "-DONLY_PREFIXES=ON", expect=1)
            if f"untoward needs Eigen 3.4 or 5, and found {version} ({eigen}" not in " ".join(said.split()):
                sys.exit(f"{way}: Eigen {version} was refused in other words:\n{said}")
            shutil.rmtree(work / "build")
    for way, settings, folders in in_tree_and_installed():
        said = configure(way, *settings, prefixes(*folders), "-DONLY_PREFIXES=ON", expect=1)
        if "untoward needs Eigen 3.4 or 5, and found none" not in " ".join(said.split()):
            sys.exit(f"{way}: that there is no Eigen was said in other words:\n{said}")
        shutil.rmtree(work / "build")
elif options.way == "packages":
    # What can be checked of examples/packages without Conan and vcpkg.
    packages = options.source / "examples" / "packages"
    said = json.loads((packages / "vcpkg" / "untoward" / "vcpkg.json").read_text(encoding="utf-8"))["version"]
    if said != options.version:
        sys.exit(f"vcpkg.json says version {said}")
    run(options.cmake, "-S", packages / "conan" / "test_package", "-B", work / "build", "-G", options.generator,
        f"-DCMAKE_CXX_COMPILER={options.compiler}", prefixes(install(work / "prefix")))
    run(options.cmake, "--build", work / "build")
    check(work / "build" / "example", "found")
elif options.way == "pkg_config":
    compile_and_run(*pkg_config(install(work / "prefix")))
else:
    sys.exit(f"no way is called '{options.way}'")
print(f"{options.way}: untoward {options.version}")
