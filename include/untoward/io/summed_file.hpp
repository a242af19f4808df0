// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../version.hpp"
#include "checksum.hpp"
#include "number.hpp"
#include "safetensors.hpp"

// A safetensors file of which everything that is written is summed up, and of which everything that is read is summed up
// and remembered: for detector_file.hpp, which compares the sums, and refuses what it did not ask for.

namespace untoward UNTOWARD_SETTING::io::detail {

// A file being written, and the checksum of what it was given.
struct SummedWriter {
    SafeTensorsWriter& writer;
    Checksum checksum{};
    std::string prefix{};  // of all names
    std::map<std::string, std::string> texts{};

    void add(const std::string& name, const std::vector<Index>& shape, const auto& values) {
        checksum.add(prefix + name, values.data(), static_cast<std::size_t>(values.size()));
        writer.add(prefix + name, shape, values);
    }
    void metadata(const std::string& key, const std::string& value) {
        checksum.add(prefix + key, value);
        texts[prefix + key] = value;
        writer.metadata(prefix + key, value);
    }
};

// A file being read, and the checksum of what was taken from it.
struct SummedReader {
    const SafeTensors& file;
    Checksum checksum{};
    std::string prefix{};  // of all names
    std::set<std::string> tensors{};
    std::set<std::string> texts{};

    template <class S, class... Shape>
    auto tensor(const std::string& name, const Shape&... shape) {
        auto values = file.tensor<S>(prefix + name, shape...);
        if (tensors.insert(prefix + name).second)
            checksum.add(prefix + name, values.data(), static_cast<std::size_t>(values.size()));
        return values;
    }
    template <class S>
    auto finite(const std::string& name, const std::vector<Index>& shape) {
        auto values = tensor<S>(name, shape);
        if (!values.allFinite())
            fail(file.name(), ": tensor ", in_quotes(prefix + name), " holds values that are not finite");
        return values;
    }
    const std::string& metadata(const std::string& key) {
        const std::string& value = file.metadata(prefix + key);
        if (texts.insert(prefix + key).second) checksum.add(prefix + key, value);
        return value;
    }
    [[nodiscard]] bool has_metadata(const std::string& key) const {
        return file.metadata().count(prefix + key) > 0;
    }
};

inline double number_of(const SafeTensors& file, const std::string& key) {
    double value = 0;
    if (!parse_number(file.metadata(key), value) || !std::isfinite(value)) {
        fail(file.name(), ": metadata ", in_quotes(key), " is not a number: ", in_quotes(file.metadata(key)));
    }
    return value;
}

// A number of rows: a double holds it exactly.
inline Index rows_of(const SafeTensors& file, const std::string& key) {
    const double value = number_of(file, key);
    if (!(value >= 0 && value <= 0x1p53 && value == std::floor(value))) {
        fail(file.name(), ": metadata ", in_quotes(key),
             " is not a number of rows: ", in_quotes(file.metadata(key)));
    }
    return static_cast<Index>(value);
}

inline Index rows_of(SummedReader& reader, const std::string& key) {
    static_cast<void>(reader.metadata(key));
    return rows_of(reader.file, reader.prefix + key);
}

inline void require_metadata(const SafeTensors& file, const std::string& key, const std::string& expected) {
    if (file.metadata(key) != expected) {
        constexpr std::size_t most = 1000;
        fail(file.name(), ": ", key, " is ", in_quotes(file.metadata(key), most), ", expected ",
             in_quotes(expected, most));
    }
}

inline void require_metadata(SummedReader& reader, const std::string& key, const std::string& expected) {
    static_cast<void>(reader.metadata(key));
    require_metadata(reader.file, reader.prefix + key, expected);
}

// Nothing of a part that was read is left: a newer version may have written more of it.
inline void require_nothing_else(const SummedReader& reader) {
    const SafeTensors& file = reader.file;
    const auto part_of = [](const std::string& name) { return name.substr(0, name.find_first_of("._")); };
    std::set<std::string> parts{"format",    "version", "layout",   "scaler",  "model", "score",
                                "threshold", "test",    "checksum", "members", "member"};
    for (const std::string& name : reader.tensors) parts.insert(part_of(name));
    const std::set<std::string> whole{"format", "format_version", "version", "checksum"};
    const auto refuse = [&](const char* kind, const std::string& name) {
        const auto version = file.metadata().find("version");
        fail(file.name(), ": holds the ", kind, " ", in_quotes(name),
             ", of which this version of untoward (" UNTOWARD_VERSION ") knows nothing",
             version == file.metadata().end()
                 ? std::string()
                 : "; version " + in_quotes(version->second) + " wrote the file");
    };
    for (const auto& [key, value] : file.metadata()) {
        const bool is_known = reader.texts.count(key) > 0 || whole.count(key) > 0;
        if (!is_known && parts.count(part_of(key)) > 0) refuse("metadata", key);
    }
    for (const TensorInfo& info : file.tensors()) {
        if (reader.tensors.count(info.name) == 0 && parts.count(part_of(info.name)) > 0)
            refuse("tensor", info.name);
    }
}

}  // namespace untoward::io::detail
