# SPDX-License-Identifier: MIT
"""A Conan 2 recipe that packages the headers of the checkout it lies in."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load

required_conan_version = ">=2.0"
ROOT = os.path.join("..", "..", "..")


class UntowardConan(ConanFile):
    name = "untoward"
    description = "Anomaly detection with variational autoencoders, in C++20 headers"
    license = "MIT"
    topics = ("anomaly-detection", "autoencoder", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def set_version(self):
        # The version stands in one place.
        text = load(self, os.path.join(self.recipe_folder, ROOT, "include", "untoward", "version.hpp"))
        self.version = ".".join(re.findall(r"#define UNTOWARD_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def export_sources(self):
        for pattern in ("include/untoward/*.hpp", "LICENSE"):
            copy(self, pattern, os.path.join(self.recipe_folder, ROOT), self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <4 || >=5.0.0 <6]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()  # the same headers for every compiler

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "include/untoward/*.hpp", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "untoward")
        self.cpp_info.set_property("cmake_target_name", "untoward::untoward")
        self.cpp_info.set_property("pkg_config_name", "untoward")
