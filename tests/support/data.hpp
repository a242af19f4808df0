// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/catch.hpp"

namespace untoward_test {

/// A file or folder given by an environment variable that ctest sets; the test fails when there is none.
inline std::filesystem::path path_from(const char* variable, const std::string& relative = "") {
    const char* folder = std::getenv(variable);
    INFO(variable << " is set by ctest; by hand: " << variable << "=... ./test");
    REQUIRE(folder != nullptr);
    const auto path =
        relative.empty() ? std::filesystem::path(folder) : std::filesystem::path(folder) / relative;
    INFO(path.string());
    REQUIRE(std::filesystem::exists(path));
    return path;
}

/// A file of the real data sets, for tests named `*_on_data.cpp`: data_file("tabular/thyroid/train.csv").
inline std::filesystem::path data_file(const std::string& relative) {
    return path_from("UNTOWARD_DATA_DIR", relative);
}

/// A file kept beside the tests: tests_file("reference/gru.csv").
inline std::filesystem::path tests_file(const std::string& relative) {
    return path_from("UNTOWARD_TESTS", relative);
}

}  // namespace untoward_test
