// SPDX-License-Identifier: MIT
#pragma once

// The header of the safetensors file format, read strictly.
// Source: huggingface/safetensors, README ("Format") and safetensors/src/tensor.rs.
//
//   8 bytes   n, the size of the header, little-endian
//   n bytes   JSON: {"__metadata__": {"key": "value"},
//                    "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}
//   the rest  the tensors' bytes, little-endian, row-major; offsets count from here
//
// The tensors fill the rest exactly: no holes, no overlap, nothing after the last. Duplicate keys, unknown
// fields, invalid UTF-8, and sizes that do not follow from dtype and shape are refused.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../config.hpp"
#include "../core/error.hpp"
#include "json.hpp"
#include "text.hpp"

namespace untoward UNTOWARD_SETTING::io {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and are copied as they are");

/// The element types of the format that this library knows. F16 and BF16 have no C++ type here: use `bytes`.
enum class Dtype { Bool, U8, I8, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64 };

namespace detail {

struct DtypeEntry {
    std::string_view name;
    std::size_t size;
};

// In the order of the enumerators.
inline constexpr DtypeEntry dtypes[] = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"U16", 2}, {"I16", 2},
                                        {"F16", 2},  {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},
                                        {"U64", 8},  {"I64", 8},  {"F64", 8}};

/// size_t product, false when it overflows.
inline bool multiply(std::size_t a, std::size_t b, std::size_t& product) {
    if (b != 0 && a > SIZE_MAX / b) return false;
    product = a * b;
    return true;
}

/// Bytes of a tensor, false when they cannot be counted.
inline bool tensor_bytes(Dtype dtype, const std::vector<Index>& shape, std::size_t& bytes) {
    bytes = dtypes[static_cast<std::size_t>(dtype)].size;
    return std::all_of(shape.begin(), shape.end(), [&bytes](Index extent) {
        return extent >= 0 && multiply(bytes, static_cast<std::size_t>(extent), bytes);
    });
}

inline std::string shape_text(const std::vector<Index>& shape) {
    constexpr std::size_t shown = 8;
    std::string text = "[";
    for (std::size_t i = 0; i < (std::min)(shape.size(), shown); ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    return text + (shape.size() > shown ? ", ...]" : "]");
}

}  // namespace detail

/// "F32" and so on.
inline std::string_view dtype_name(Dtype dtype) {
    return detail::dtypes[static_cast<std::size_t>(dtype)].name;
}

/// Bytes per element.
inline std::size_t dtype_size(Dtype dtype) {
    return detail::dtypes[static_cast<std::size_t>(dtype)].size;
}

/// The dtype whose elements are the C++ type T.
template <class T>
constexpr Dtype dtype_of() {
    static_assert(std::is_same_v<T, bool> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
                      (std::is_integral_v<T> && !std::is_same_v<T, char> && !std::is_same_v<T, wchar_t>),
                  "no safetensors dtype for this type");
    if constexpr (std::is_same_v<T, bool>) {
        return Dtype::Bool;
    } else if constexpr (std::is_floating_point_v<T>) {
        return sizeof(T) == 4 ? Dtype::F32 : Dtype::F64;
    } else if constexpr (std::is_signed_v<T>) {
        return sizeof(T) == 1   ? Dtype::I8
               : sizeof(T) == 2 ? Dtype::I16
               : sizeof(T) == 4 ? Dtype::I32
                                : Dtype::I64;
    } else {
        return sizeof(T) == 1   ? Dtype::U8
               : sizeof(T) == 2 ? Dtype::U16
               : sizeof(T) == 4 ? Dtype::U32
                                : Dtype::U64;
    }
}

/// Where one tensor lies: `begin` and `end` count from the start of the file.
struct TensorInfo {
    std::string name;
    Dtype dtype{};
    std::vector<Index> shape;  ///< row-major; empty for a scalar
    std::size_t begin = 0;
    std::size_t end = 0;
};

using Metadata = std::map<std::string, std::string>;

/// What a header says, all of it checked against the size of the file.
struct SafeTensorsHeader {
    Metadata metadata;
    std::vector<TensorInfo> tensors;  ///< in the order of their bytes
};

/// The largest header, in bytes, unless the caller says otherwise. The format's own limit is 100,000,000.
inline constexpr std::size_t default_header_limit = 1'000'000;

namespace detail {

/// Reads the header of one file; each member function reads one construct of the JSON in it.
class SafeTensorsParser {
public:
    SafeTensorsParser(std::span<const std::byte> file, const std::string& name, std::size_t header_limit)
        : name_(name), header_(header_text(file, header_limit)), json_(header_, name + ": header"),
          data_begin_(8 + header_.size()), data_size_(file.size() - data_begin_) {}

    SafeTensorsHeader parse() {
        if (header_.empty() || header_.front() != '{') fail(name_, ": header does not begin with '{'");
        SafeTensorsHeader result;
        bool has_metadata = false;
        json_.expect('{');
        if (!json_.accept('}')) {
            do {
                std::string key = json_.string();
                json_.expect(':');
                if (key != "__metadata__") {
                    result.tensors.push_back(tensor(std::move(key)));
                } else if (std::exchange(has_metadata, true)) {
                    json_.error("duplicate key '__metadata__'");
                } else {
                    result.metadata = metadata();
                }
            } while (json_.accept(','));
            json_.expect('}');
        }
        if (header_.find_first_not_of(' ', json_.position()) != std::string_view::npos) {
            json_.error("only spaces may follow the closing '}'");
        }
        check_names(result.tensors);
        check_layout(result.tensors);
        return result;
    }

private:
    std::string_view header_text(std::span<const std::byte> file, std::size_t limit) const {
        if (file.size() < 8) {
            fail(name_, ": has ", file.size(), " bytes, too few for a safetensors file (truncated?)");
        }
        std::uint64_t size = 0;
        std::memcpy(&size, file.data(), 8);
        // First the file: what is too short for its header is truncated or no safetensors file at all.
        if (size > file.size() - 8) {
            fail(name_, ": header of ", size, " bytes in a file of ", file.size(),
                 " (truncated, or not a safetensors file)");
        }
        if (size > limit) fail(name_, ": header of ", size, " bytes, the limit is ", limit);
        return {reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(size)};
    }

    Metadata metadata() {
        Metadata result;
        json_.expect('{');
        if (json_.accept('}')) return result;
        do {
            std::string key = json_.string();
            json_.expect(':');
            std::string value = json_.string();
            const auto [at, is_new] = result.try_emplace(std::move(key), std::move(value));
            if (!is_new) json_.error("duplicate metadata key " + in_quotes(at->first));
        } while (json_.accept(','));
        json_.expect('}');
        return result;
    }

    TensorInfo tensor(std::string name) {
        TensorInfo info;
        info.name = std::move(name);
        bool dtype = false;
        bool shape = false;
        bool offsets = false;
        const auto once = [this, &info](bool& seen) {
            if (std::exchange(seen, true)) json_.error("duplicate field in tensor " + in_quotes(info.name));
        };
        json_.expect('{');
        do {
            const std::string field = json_.string();
            json_.expect(':');
            if (field == "dtype") {
                once(dtype);
                info.dtype = read_dtype(info.name);
            } else if (field == "shape") {
                once(shape);
                info.shape = read_shape(info.name);
            } else if (field == "data_offsets") {
                once(offsets);
                read_offsets(info);
            } else {
                json_.error("unknown field " + in_quotes(field) + " in tensor " + in_quotes(info.name));
            }
        } while (json_.accept(','));
        json_.expect('}');
        if (!dtype || !shape || !offsets) {
            json_.error("tensor " + in_quotes(info.name) + " needs dtype, shape and data_offsets");
        }
        std::size_t expected = 0;
        if (!tensor_bytes(info.dtype, info.shape, expected)) {
            json_.error("tensor " + in_quotes(info.name) + " of shape " + shape_text(info.shape) +
                        " is too large");
        }
        if (info.end - info.begin != expected) {
            json_.error("tensor " + in_quotes(info.name) + " has " + std::to_string(info.end - info.begin) +
                        " bytes, expected " + std::to_string(expected) + " for its dtype and shape");
        }
        return info;
    }

    Dtype read_dtype(const std::string& tensor) {
        const std::string name = json_.string();
        const auto* const found =
            std::find_if(std::begin(dtypes), std::end(dtypes),
                         [&name](const DtypeEntry& entry) { return entry.name == name; });
        if (found == std::end(dtypes)) {
            json_.error("tensor " + in_quotes(tensor) + " has the unknown dtype " + in_quotes(name));
        }
        return static_cast<Dtype>(found - std::begin(dtypes));
    }

    std::vector<Index> read_shape(const std::string& tensor) {
        std::vector<Index> shape;
        json_.expect('[');
        if (json_.accept(']')) return shape;
        do {
            const std::uint64_t extent = json_.integer();
            if (extent > static_cast<std::uint64_t>(INT64_MAX)) {
                json_.error("tensor " + in_quotes(tensor) + " has an extent that is too large");
            }
            shape.push_back(static_cast<Index>(extent));
        } while (json_.accept(','));
        json_.expect(']');
        return shape;
    }

    void read_offsets(TensorInfo& info) {
        json_.expect('[');
        const std::uint64_t begin = json_.integer();
        json_.expect(',');
        const std::uint64_t end = json_.integer();
        json_.expect(']');
        if (begin > end || end > data_size_) {
            json_.error("tensor " + in_quotes(info.name) + " has data_offsets [" + std::to_string(begin) +
                        ", " + std::to_string(end) + "], but the file holds " + std::to_string(data_size_) +
                        " bytes of data (truncated?)");
        }
        info.begin = data_begin_ + static_cast<std::size_t>(begin);
        info.end = data_begin_ + static_cast<std::size_t>(end);
    }

    void check_names(const std::vector<TensorInfo>& tensors) const {
        std::vector<std::string_view> names(tensors.size());
        std::transform(tensors.begin(), tensors.end(), names.begin(),
                       [](const TensorInfo& info) -> std::string_view { return info.name; });
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice != names.end()) fail(name_, ": header: duplicate tensor ", in_quotes(*twice));
    }

    /// Sorts by place and requires that each tensor begins where the one before it ends.
    void check_layout(std::vector<TensorInfo>& tensors) const {
        std::stable_sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
            return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
        });
        std::size_t end = data_begin_;
        for (const TensorInfo& info : tensors) {
            if (info.begin != end) {
                fail(name_, ": header: tensor ", in_quotes(info.name),
                     info.begin < end ? " overlaps another" : " leaves a hole before it");
            }
            end = info.end;
        }
        if (end != data_begin_ + data_size_) {
            fail(name_, ": ", data_begin_ + data_size_ - end, " bytes after the last tensor");
        }
    }

    const std::string& name_;
    std::string_view header_;
    JsonCursor json_;
    std::size_t data_begin_;
    std::size_t data_size_;
};

}  // namespace detail

/// Checks a whole file and says what is in it, without copying a tensor. Memory use is bounded by the
/// header's size. `name` is for messages. Throws Error.
inline SafeTensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& name,
                                           std::size_t header_limit = default_header_limit) {
    return detail::SafeTensorsParser(file, name, header_limit).parse();
}

}  // namespace untoward::io
